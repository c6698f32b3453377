// A rolling restart: two servers share a port, the old one ends, and no client is lost.

import assert from "node:assert/strict"
import {after, it} from "node:test"
import {setTimeout as pause} from "node:timers/promises"

import {WebSocket} from "ws"

import {load} from "./clients.js"
import {inbox, Rig} from "./rig.js"
import {sharingServer} from "./server.js"

const CLIENTS = 300
const SPREAD_MS = 5000
const TIMEOUT_MS = 120000

const old = sharingServer(SPREAD_MS)
const young = sharingServer(SPREAD_MS)
after(() => Promise.all([old.stop(), young.stop()]))

// watched is a client that has joined, the times at which it was closed, and what it hears.
async function watched(rig) {
  const socket = await rig.open()
  const closed = []
  socket.onClose(({code}) => closed.push({code, at: performance.now()}))
  const channel = await rig.join(socket, "room:all")
  return {closed, channel, news: rig.events(channel, "news")}
}

// churn has clients come, one after the other, until it is stopped.
function churn(rig) {
  const coming = []
  let going = true
  const done = (async () => {
    for (; going; await pause(20)) coming.push(newcomer(rig))
    return Promise.all(coming)
  })()
  return () => { going = false; return done }
}

// newcomer may be refused or reset while it connects, like any client; it comes back by itself.
async function newcomer(rig) {
  const channel = rig.socket().channel("room:all")
  const news = rig.events(channel, "news")
  const joins = inbox("the join of a newcomer", keep => channel.join().receive("ok", keep))
  await joins.next()
  return {closed: [], channel, news}
}

// expectSpread fails unless the times are spread over the time there is, about evenly.
function expectSpread(times) {
  const from = times.reduce((a, b) => Math.min(a, b)), to = times.reduce((a, b) => Math.max(a, b))
  assert.ok(to - from > SPREAD_MS * 0.7, `all were closed within ${to - from} ms`)
  for (let quarter = 0; quarter < 4; quarter++) {
    const start = from + quarter * SPREAD_MS / 4
    const share = times.filter(at => at >= start && at < start + SPREAD_MS / 4).length / times.length
    assert.ok(share > 0.05 && share < 0.6, `${Math.round(share * 100)} % of the clients were closed in quarter ${quarter + 1}`)
  }
}

it("loses no client, and spreads their reconnects", {timeout: TIMEOUT_MS}, async t => {
  await old.start()
  const rig = new Rig({Socket: await load("1.8.16"), WebSocket, base: old.base})
  t.after(() => rig.close())
  const clients = await Promise.all(Array.from({length: CLIENTS}, () => watched(rig)))
  await young.start(old.address)

  const stop = churn(rig)
  await old.terminate()
  assert.match(old.said, /Draining: \d+ of \d+ connections told to come back/)
  const newcomers = await stop()

  await Promise.all(clients.map(({channel}) => channel.joins.next(({status}) => status === "ok")))
  for (const {closed} of clients) assert.deepEqual(closed.map(({code}) => code), [1012])
  expectSpread(clients.map(({closed}) => closed[0].at))
  await everybodyHears(young, [...clients, ...newcomers])
  t.diagnostic(`${clients.length} clients came back, ${newcomers.length} came meanwhile`)
})

// everybodyHears publishes through the server that is left until all clients have it: one that came
// to the old server at its very end may be on its way still.
async function everybodyHears(server, clients) {
  const heard = Promise.all(clients.map(({news}) => news.next()))
  let waiting = true
  heard.finally(() => { waiting = false }).catch(() => {})
  for (; waiting; await pause(100)) {
    const response = await fetch(`${server.base}/api/broadcast`, {
      method: "POST", headers: {"content-type": "application/json"},
      body: JSON.stringify({topic: "room:all", event: "news"}),
    })
    assert.equal(response.status, 200)
  }
  await heard
}
