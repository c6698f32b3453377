// The playground when things go wrong: joins refused, channels that crash, servers that vanish.

import assert from "node:assert/strict"
import {after, afterEach, before, beforeEach, describe, it} from "node:test"

import {launch} from "./browser.js"
import {testServer} from "./server.js"
import {Visitor} from "./visitor.js"

const TIMEOUT_MS = 120000

describe("the playground in trouble", {concurrency: false, timeout: 10 * TIMEOUT_MS}, () => {
  const server = testServer()
  let browser, visitor
  before(async () => { await server.start(); browser = await launch() })
  after(async () => { await browser?.close(); await server.stop() })
  beforeEach(async () => { visitor = await Visitor.open(browser.context, server.base) })
  afterEach(() => visitor.page.close())

  it("says that a join was refused, and why", async () => {
    await visitor.join("room:closed", '{"refuse": true}')
    assert.equal(await visitor.said("join"), "The server refused room:closed: “unauthorized”.")
    await visitor.sees("fault", "room:closed", "unauthorized")
    assert.equal(await visitor.topic("room:closed").count(), 0)
  })

  it("shows an error reply as one", async () => {
    await visitor.push({event: "fail"})
    await visitor.replied(/^error .*as you wish/)
    await visitor.sees("fault", "phx_reply", "as you wish")
  })

  it("says that a channel crashed, and joins again by itself", async () => {
    await visitor.push({event: "crash"})
    assert.match(await visitor.said("join"), /^room:lobby crashed on the server/)
    await visitor.sees("fault", "phx_error", "channel_crash")
    await visitor.joined("room:lobby")
    await visitor.push({event: "echo"})
    await visitor.replied(/^ok /)
  })

  it("says that the server closed a topic", async () => {
    await visitor.push({event: "stop"})
    assert.equal(await visitor.said("join"), "The server closed room:lobby.")
    await visitor.topic("room:lobby").waitFor({state: "detached"})
    await visitor.push({event: "late"})
    assert.match(await visitor.said("push"), /^Join a topic first/)
  })

  it("shows binary replies, pushes and broadcasts", async () => {
    await visitor.push({event: "bin"})
    await visitor.replied("ok, 4 bytes")
    await visitor.sees("in", "phx_reply", "ok 4 B 01 02 03 ff")
    await visitor.push({event: "binpush", payload: "0x01 0x02", format: "hex"})
    await visitor.sees("in", "binpush", "2 B 01 02")
    await visitor.push({event: "binbroadcast", payload: "", format: "hex"})
    await visitor.sees("in", "binbroadcast", "0 B")
  })

  it("says that the server is gone, and comes back with its topics", async () => {
    await visitor.join("room:second")
    await visitor.joined("room:second")
    await server.kill()
    await visitor.sees("note", "The connection was lost.")
    await visitor.at("connection-problem").filter({hasText: "nothing answers there"}).waitFor()
    await visitor.at("push-button").click()
    assert.match(await visitor.said("push"), /not joined at the moment/)
    await server.start()
    await visitor.state("open")
    await visitor.joined("room:lobby")
    await visitor.joined("room:second")
    assert.equal(await visitor.at("connection-problem").textContent(), "")
    await visitor.push({event: "shout", payload: '{"body": "back"}'})
    await visitor.sees("in", "back")
  })

  it("says that the server is restarting, and comes back", async () => {
    const ended = server.terminate()
    await visitor.sees("note", "The server is restarting.")
    await ended
    await server.start()
    await visitor.joined("room:lobby")
  })

  it("connects with the params that were typed, and comes back when it is disconnected by its id", async () => {
    await visitor.at("connect").click()
    await visitor.state("closed")
    await visitor.at("params-toggle").click()
    await visitor.at("params").fill('{"id": "visitor", "nested": {"list": [1, 2]}}')
    await visitor.at("connect").click()
    await visitor.joined("room:lobby")
    await fetch(`${server.base}/control/disconnect`, {method: "POST", body: new URLSearchParams({id: "visitor"})})
    await visitor.sees("note", "The server ended this connection.")
    await visitor.state("open")
    await visitor.joined("room:lobby")
  })

  it("says that a connection is refused, and stays away when told to", async () => {
    await visitor.at("connect").click()
    await visitor.at("params-toggle").click()
    await visitor.at("params").fill('{"refuse": "yes"}')
    await visitor.at("connect").click()
    assert.match(await visitor.said("connection"), /^No connection to ws:/)
    await visitor.at("connect").click()
    await visitor.state("closed")
    assert.equal(await visitor.at("state").textContent(), "Disconnected")
  })

  it("says that an address is none", async () => {
    await visitor.at("connect").click()
    await visitor.at("url").fill("ws://127.0.0.1:4000/socket#here")
    await visitor.at("connect").click()
    assert.match(await visitor.said("connection"), /is not a WebSocket address/)
  })
})
