// Tokens: phoenix.js in Node and the playground in a browser, against a `roost serve` that asks who they are.

import assert from "node:assert/strict"
import {execFile} from "node:child_process"
import {mkdtemp, rm, writeFile} from "node:fs/promises"
import {tmpdir} from "node:os"
import {join} from "node:path"
import {after, before, describe, it} from "node:test"
import {promisify} from "node:util"

import {WebSocket} from "ws"

import {launch} from "./browser.js"
import {load} from "./clients.js"
import {Rig} from "./rig.js"
import {roost, roostServe} from "./server.js"
import {Visitor} from "./visitor.js"

const TIMEOUT_MS = 120000
const GONE = 1001

// guarded is a server whose clients need a token and whose API needs a key, and what makes them.
async function guarded() {
  const folder = await mkdtemp(join(tmpdir(), "roost-tokens-"))
  const [secretFile, keyFile] = [join(folder, "secret"), join(folder, "keys")]
  const key = await roost("secret")
  await writeFile(secretFile, await roost("secret"), {mode: 0o600})
  await writeFile(keyFile, `# of the tests\n${key}\n`, {mode: 0o600})
  const server = roostServe(["--secret-file", secretFile, "--api-keys", keyFile])
  await server.start()
  return {
    server, key,
    sign: (id, ...flags) => roost("token", "-secret-file", secretFile, ...flags, id),
    call: (path, body) => fetch(`${server.base}/api/${path}`, {
      method: "POST", headers: {"content-type": "application/json", authorization: `Bearer ${key}`}, body: JSON.stringify(body),
    }),
    stop: async () => { await server.stop(); await rm(folder, {recursive: true}) },
  }
}

// What a client that tries again sends each time: phoenix.js asks for both anew.
const ways = {
  authToken: token => ({authToken: token}),
  params: token => ({params: () => ({token: token()})}),
}

describe("tokens of phoenix.js", {concurrency: false, timeout: TIMEOUT_MS}, () => {
  let guard
  before(async () => { guard = await guarded() })
  after(() => guard?.stop())

  for (const [version, way] of [["1.8.16", "authToken"], ["1.8.9", "authToken"], ["1.8.16", "params"], ["1.4.17", "params"]]) {
    it(`${version} is refused with a wrong one in ${way}, and comes in once it has a good one`, async t => {
      const rig = new Rig({Socket: await load(version), WebSocket, base: guard.server.base})
      t.after(() => rig.close())
      const good = await guard.sign("42")
      let token = await guard.sign("42", "-salt", "another")
      const socket = rig.socket(ways[way](() => token))
      for (let tries = 0; tries < 3; tries++) await socket.inboxes.closes.next()
      assert.deepEqual(socket.inboxes.opens.take(), [])
      token = good
      await socket.inboxes.opens.next()
      const channel = await rig.join(socket, "room:1")
      assert.equal((await rig.push(channel, "shout", {body: "hello"})).status, "ok")
    })
  }

  it("are asked for again when a user is disconnected", async t => {
    const rig = new Rig({Socket: await load("1.8.16"), WebSocket, base: guard.server.base})
    t.after(() => rig.close())
    const [good, other] = await Promise.all([guard.sign("43"), guard.sign("44")])
    let token = good
    const socket = await rig.open({authToken: () => token})
    const bystander = await rig.open({authToken: other})
    await rig.join(socket, "room:1")
    token = "withdrawn"
    assert.equal((await guard.call("disconnect", {id: 43})).status, 200)
    assert.deepEqual(await socket.inboxes.closes.next(), {code: GONE})
    await socket.inboxes.closes.next(({code}) => code !== GONE) // it came back, and was refused
    token = good
    await socket.inboxes.opens.next()
    assert.deepEqual(bystander.inboxes.closes.take(), [])
  })
})

describe("tokens of the playground", {concurrency: false, timeout: TIMEOUT_MS}, () => {
  let guard, browser, visitor
  before(async () => {
    guard = await guarded()
    browser = await launch()
    visitor = new Visitor(await browser.context.newPage())
    await visitor.page.goto(`${guard.server.base}/`)
  })
  after(async () => { await browser?.close(); await guard?.stop() })

  it("are waited for, and nothing is tried without", async () => {
    assert.match(await visitor.said("connection"), /paste a token/)
    assert.equal(await visitor.at("token").isVisible(), true)
    assert.deepEqual(visitor.problems, [])
  })

  it("that no browser sends are explained beside the field", async () => {
    await visitor.at("token").fill("tökén")
    await visitor.at("connect").click()
    assert.match(await visitor.said("connection"), /^The token has characters/)
    assert.equal(await visitor.at("token").getAttribute("aria-invalid"), "true")
  })

  it("that are wrong connect nobody", async () => {
    await visitor.at("token").fill(await guard.sign("ada", "-salt", "another"))
    await visitor.at("connect").click()
    await visitor.at("connection-problem").filter({hasText: "refuses this page or its token"}).waitFor()
    await visitor.at("connect").click()
    await visitor.state("closed")
  })

  it("that are good connect", async () => {
    await visitor.at("token").fill(`${await guard.sign("ada")} `)
    await visitor.at("connect").click()
    await visitor.joined("room:lobby")
    await visitor.push({payload: '{"body": "hello"}'})
    await visitor.sees("in", "shout", '{"body":"hello"}')
  })

  it("have a companion in the curl line: the key", async () => {
    await visitor.at("event").fill("pasted")
    const line = await visitor.at("curl").textContent()
    assert.match(line, /-H "Authorization: Bearer \$ROOST_API_KEY"/)
    await promisify(execFile)("sh", ["-c", line], {env: {...process.env, ROOST_API_KEY: guard.key}})
    await visitor.sees("in", "pasted")
  })

  it("are asked for again when the user is disconnected", async () => {
    assert.equal((await guard.call("disconnect", {id: "ada"})).status, 200)
    await visitor.sees("note", "The server ended this connection.")
    await visitor.state("open")
    await visitor.joined("room:lobby")
  })
})
