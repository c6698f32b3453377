// phoenix.js over wss, in Node and in Chromium, against a server that changes its keys every 16 records.

import assert from "node:assert/strict"
import {once} from "node:events"
import {request} from "node:https"
import {after, before, describe, it} from "node:test"
import {connect} from "node:tls"

import {WebSocket} from "ws"

import {launch, serveHarness} from "./browser.js"
import {Certificate} from "./certificate.js"
import {clients, load} from "./clients.js"
import {runInPage} from "./page.js"
import {Rig} from "./rig.js"
import {scenarios, skipped} from "./scenarios/index.js"
import {secureRoost, secureServer} from "./server.js"
import {Visitor} from "./visitor.js"

const VERSION = "1.8.16"
const TIMEOUT_MS = 120000
const RELOADED = "TLS files have changed and are in use"

const can = clients[VERSION]
const certificate = new Certificate()
after(() => certificate.remove())

describe(`phoenix.js ${VERSION} in Node over wss`, {concurrency: false}, () => {
  const server = secureServer(certificate)
  let Socket
  before(async () => { Socket = await load(VERSION); await server.start() })
  after(() => server.stop())

  for (const scenario of scenarios) {
    it(scenario.name, {skip: skipped(scenario, can), timeout: TIMEOUT_MS}, async () => {
      const rig = new Rig({Socket, WebSocket: trusting(certificate), can, base: server.base, server, post})
      try {
        await scenario.run(rig)
      } finally {
        rig.close()
      }
    })
  }
})

describe(`phoenix.js ${VERSION} in Chromium over wss`, {concurrency: false}, () => {
  const next = new Certificate()
  const spki = next.spki
  const server = secureServer(certificate)
  let browser, page
  before(async () => {
    await server.start()
    browser = await launch({}, [`--ignore-certificate-errors-spki-list=${certificate.spki},${spki}`])
    page = await browser.context.newPage()
    await serveHarness(page)
    await page.exposeFunction("orderServer", order => server[order]())
    await page.goto(`${server.base}/blank`)
  })
  after(async () => { await browser?.close(); await server.stop(); next.remove() })

  for (const scenario of scenarios) {
    it(scenario.name, {skip: skipped(scenario, can), timeout: TIMEOUT_MS}, async () => {
      await page.evaluate(runInPage, {name: scenario.name, version: VERSION})
    })
  }

  it("carries its session on when it comes back", {timeout: TIMEOUT_MS}, async () => {
    const before = (await handshakes(server)).Resumed
    await page.evaluate(runInPage, {name: "comes back after a forced disconnect by socket id, closed with 1001 (clause 292)", version: VERSION})
    const {Resumed: now} = await handshakes(server)
    assert.ok(now > before, `${now - before} sessions were carried on`)
  })

  it("stays connected when the certificate changes, and comes back to the new one", {timeout: TIMEOUT_MS}, async () => {
    const [old, young] = [certificate.fingerprint, next.fingerprint]
    assert.equal(await shown(server), old)
    await page.evaluate(visit, {version: VERSION})
    certificate.becomes(next)
    await server.says(RELOADED)
    assert.equal(await shown(server), young)
    assert.deepEqual(await page.evaluate(() => window.visit.shout("after the change")), {closes: 0, body: "after the change"})
    await server.kill()
    await server.start()
    assert.equal((await page.evaluate(() => window.visit.comesBack("with the new one"))).body, "with the new one")
    await page.evaluate(() => window.visit.end())
  })
})

describe("roost serve over wss", {concurrency: false}, () => {
  const own = new Certificate()
  const server = secureRoost(own)
  let browser
  before(async () => {
    await server.start()
    browser = await launch({}, [`--ignore-certificate-errors-spki-list=${own.spki}`])
  })
  after(async () => { await browser?.close(); await server.stop(); own.remove() })

  it("has its playground join and send", {timeout: TIMEOUT_MS}, async () => {
    const visitor = await Visitor.open(browser.context, server.base)
    assert.deepEqual(visitor.problems, [])
  })
})

// trusting is a WebSocket that trusts one certificate alone.
function trusting({pem}) {
  return class extends WebSocket {
    constructor(url, protocols) { super(url, protocols, {ca: pem}) }
  }
}

// ask makes a request and resolves to its status and text.
async function ask(url, method, body) {
  const going = request(url, {
    method, ca: certificate.pem, agent: false, headers: body ? {"content-type": "application/x-www-form-urlencoded"} : {},
  })
  going.end(body)
  const [response] = await once(going, "response")
  let text = ""
  for await (const piece of response) text += piece
  return {status: response.statusCode, text}
}

function post(url, body) { return ask(url, "POST", String(body)) }

async function handshakes(server) { return JSON.parse((await ask(`${server.base}/handshakes`, "GET")).text) }

// shown is the fingerprint of the certificate that the server shows to who comes now.
async function shown(server) {
  const [host, port] = server.address.split(":")
  const connection = connect({host, port, rejectUnauthorized: false})
  try {
    await once(connection, "secureConnect")
    return connection.getPeerCertificate().fingerprint256
  } finally {
    connection.destroy()
  }
}

// visit runs in the browser: it joins, and leaves window.visit to go on with.
async function visit({version}) {
  const [{Socket}, {Rig}, {clients}] = await Promise.all([
    import(`/harness/node_modules/phoenix-${version}/priv/static/phoenix.mjs`), import("/harness/rig.js"), import("/harness/clients.js"),
  ])
  const rig = new Rig({Socket, WebSocket, can: clients[version], base: location.origin})
  const socket = await rig.open()
  const channel = await rig.join(socket, rig.topic("visit"))
  const shouts = rig.events(channel, "shout")
  let closes = 0
  socket.onClose(() => closes++)
  const shout = async body => {
    await rig.push(channel, "shout", {body})
    return {closes, body: (await shouts.next()).body}
  }
  const comesBack = async body => { await channel.joins.next(({status}) => status === "ok"); return shout(body) }
  window.visit = {shout, comesBack, end: () => rig.close()}
}
