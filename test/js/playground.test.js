// The playground as `roost serve` shows it, in a real browser.

import assert from "node:assert/strict"
import {execFile} from "node:child_process"
import {tmpdir} from "node:os"
import {join} from "node:path"
import {after, afterEach, before, beforeEach, describe, it} from "node:test"
import {promisify} from "node:util"

import {launch} from "./browser.js"
import {roostServe} from "./server.js"
import {Visitor} from "./visitor.js"

const TIMEOUT_MS = 120000
const SCREENSHOTS = process.env.SCREENSHOTS || tmpdir()
const ROWS = 500 // as many as the page keeps

describe("the playground of roost serve", {concurrency: false, timeout: 10 * TIMEOUT_MS}, () => {
  const server = roostServe()
  let browser, visitor
  before(async () => { await server.start(); browser = await launch() })
  after(async () => { await browser?.close(); await server.stop() })
  beforeEach(async () => { visitor = await Visitor.open(browser.context, server.base) })
  afterEach(() => visitor.page.close())

  const broadcast = message => fetch(`${server.base}/api/broadcast`, {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(message),
  })

  it("connects and joins by itself, asks no other host, and breaks no policy", async () => {
    await visitor.state("open")
    await visitor.at("latency").waitFor()
    assert.match(await visitor.at("latency").textContent(), /^[\d.]+ ms$/)
    assert.deepEqual(visitor.problems, [])
    assert.deepEqual([...new Set(visitor.requests)], [new URL(server.base).host])
  })

  it("clicks straight through: the defaults push a message that comes back", async () => {
    await visitor.at("push-button").click()
    await visitor.replied(/^ok · /)
    await visitor.sees("out", "shout", '{"body":"hello"}')
    await visitor.sees("in", "shout", '{"body":"hello"}')
  })

  it("lets two tabs talk to each other", async () => {
    const other = await Visitor.open(browser.context, server.base)
    await visitor.push({payload: '{"body": "from the one"}'})
    await other.sees("in", "shout", "from the one")
    await other.push({event: "answer", payload: "from the other", format: "text"})
    await visitor.sees("in", "answer", '{"body":"from the other"}')
    await other.page.close()
  })

  it("shows a message that was sent over HTTP", async () => {
    const {status} = await broadcast({topic: "room:lobby", event: "news", payload: {body: "from outside"}})
    assert.ok(status < 300, `status ${status}`)
    await visitor.sees("in", "room:lobby", "news", '{"body":"from outside"}')
  })

  it("shows a curl line that works when pasted, with quotes of any kind", async () => {
    await visitor.at("event").fill("pasted")
    await visitor.at("payload").fill(`{"body": "it's \\"quoted\\" $HOME"}`)
    const line = await visitor.at("curl").textContent()
    await promisify(execFile)("sh", ["-c", line])
    await visitor.sees("in", "pasted", `it's`, "$HOME")
  })

  it("copies the curl line", async () => {
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"])
    await visitor.at("copy").click()
    await visitor.at("copied").filter({hasText: "Copied"}).waitFor()
    assert.equal(await visitor.page.evaluate(() => navigator.clipboard.readText()), await visitor.at("curl").textContent())
  })

  it("says beside the control what is wrong with bad JSON, and sends nothing", async () => {
    await visitor.push({payload: '{"body": hello}'})
    assert.match(await visitor.said("push"), /^The payload is not valid JSON: /)
    assert.equal(await visitor.at("payload").getAttribute("aria-invalid"), "true")
    assert.equal(await visitor.row("out", "shout").count(), 0)
    await visitor.push({payload: '{"body": "mended"}'})
    await visitor.sees("in", "mended")
    assert.equal(await visitor.at("push-problem").textContent(), "")
    assert.equal(await visitor.at("payload").getAttribute("aria-invalid"), null)
  })

  it("says what is wrong with connect params, join payloads and bytes", async () => {
    await visitor.push({payload: "68 6", format: "hex"})
    assert.match(await visitor.said("push"), /two hexadecimal digits/)
    await visitor.join("room:other", "[1,")
    assert.match(await visitor.said("join"), /^The join payload is not valid JSON: /)
    await visitor.at("connect").click()
    await visitor.state("closed")
    await visitor.at("params-toggle").click()
    await visitor.at("params").fill("[1]")
    await visitor.at("connect").click()
    assert.match(await visitor.said("connection"), /^The connect params must be a JSON object/)
  })

  it("joins and leaves topics, and hears only what it has joined", async () => {
    await visitor.join("sensors:hall-7")
    await visitor.joined("sensors:hall-7")
    await broadcast({topic: "sensors:hall-7", event: "reading", payload: {n: 1}})
    await visitor.sees("in", "sensors:hall-7", '{"n":1}')
    await visitor.topic("sensors:hall-7").getByTestId("leave").click()
    await visitor.topic("sensors:hall-7").waitFor({state: "detached"})
    await visitor.sees("out", "sensors:hall-7", "phx_leave")
    await visitor.sees("in", "sensors:hall-7", "phx_close")
    await broadcast({topic: "sensors:hall-7", event: "reading", payload: {n: 2}})
    await broadcast({topic: "room:lobby", event: "after", payload: {}})
    await visitor.sees("in", "after")
    assert.equal(await visitor.row("in", '{"n":2}').count(), 0)
  })

  it("sends bytes and shows them in hexadecimal", async () => {
    const other = await Visitor.open(browser.context, server.base)
    await visitor.push({event: "bytes", payload: "de ad be ef", format: "hex"})
    await other.sees("in", "bytes", "4 B de ad be ef")
    await other.page.close()
  })

  it("shows what comes from the network as text, never as markup", async () => {
    const markup = "<img src=x onerror=\"document.title='owned'\">"
    await broadcast({topic: "room:lobby", event: markup, payload: {[markup]: markup}})
    await visitor.sees("in", markup)
    assert.equal(await visitor.at("log").locator("img").count(), 0)
    assert.equal(await visitor.page.title(), "Roost playground")
  })

  it("opens a row to show the whole payload", async () => {
    await broadcast({topic: "room:lobby", event: "deep", payload: {a: {b: [1, 2]}}})
    await visitor.row("in", "deep").getByText("deep").click()
    await visitor.row("in", "deep").locator("pre").waitFor()
    assert.equal(await visitor.row("in", "deep").locator("pre").textContent(), JSON.stringify({a: {b: [1, 2]}}, null, 2))
  })

  it("filters, hides heartbeats, and clears", async () => {
    await visitor.push({event: "first", payload: '{"n": 1}'})
    await visitor.push({event: "second", payload: '{"n": 2}'})
    await visitor.sees("in", "second")
    await visitor.sees("in", "phoenix")
    await visitor.at("filter").fill("FIRST")
    await visitor.row("in", "second").first().waitFor({state: "hidden"})
    assert.equal(await visitor.row("in", "first").first().isVisible(), true)
    await visitor.at("filter").fill("")
    await visitor.at("heartbeats").uncheck()
    await visitor.row("in", "phoenix").first().waitFor({state: "hidden"})
    await visitor.at("clear").click()
    assert.equal(await visitor.at("row").count(), 0)
    assert.equal(await visitor.at("empty").isVisible(), true)
  })

  it("pauses: what arrives waits, and appears when it goes on", async () => {
    await visitor.at("pause").click()
    await broadcast({topic: "room:lobby", event: "meanwhile", payload: {}})
    await visitor.at("count").filter({hasText: "waiting"}).waitFor()
    assert.equal(await visitor.row("in", "meanwhile").count(), 0)
    await visitor.at("pause").click()
    await visitor.sees("in", "meanwhile")
  })

  it(`keeps the last ${ROWS} rows`, async () => {
    for (let n = 0; n <= ROWS; n++) await broadcast({topic: "room:lobby", event: "flood", payload: {n}})
    await visitor.sees("in", `{"n":${ROWS}}`)
    assert.equal(await visitor.at("row").count(), ROWS)
    assert.match(await visitor.at("count").textContent(), /the last 500 are kept/)
    assert.equal(await visitor.row("in", `{"n":${ROWS}}`).isVisible(), true)
  })

  it("shows a payload of 1 MB without choking on it", async () => {
    await visitor.push({event: "large", payload: "x".repeat(1 << 20), format: "text"})
    await visitor.replied(/^ok /)
    await visitor.row("in", "large").getByText("large").click()
    await visitor.row("in", "large").getByText("size 1.0 MB").waitFor()
  })

  it("can be used with the keyboard alone", async () => {
    await visitor.at("payload").focus()
    await visitor.page.keyboard.press("ControlOrMeta+A")
    await visitor.page.keyboard.type('{"body": "typed"}')
    await visitor.page.keyboard.press("Control+Enter")
    await visitor.sees("in", "typed")
    await visitor.at("join-topic").focus()
    await visitor.page.keyboard.press("ControlOrMeta+A")
    await visitor.page.keyboard.type("room:keys")
    await visitor.page.keyboard.press("Enter")
    await visitor.joined("room:keys")
  })

  it("gives every control a name", async () => {
    const nameless = await visitor.page.locator("input, select, textarea, button").evaluateAll(controls => controls
      .filter(control => !control.labels?.length && !control.textContent.trim() && !control.getAttribute("aria-label"))
      .map(control => control.outerHTML))
    assert.deepEqual(nameless, [])
  })

  for (const colorScheme of ["light", "dark"]) {
    for (const [name, viewport] of Object.entries({desktop: {width: 1360, height: 768}, narrow: {width: 390, height: 844}})) {
      it(`fits a ${name} screen in ${colorScheme}`, async () => {
        await visitor.page.setViewportSize(viewport)
        await visitor.page.emulateMedia({colorScheme})
        await visitor.push({payload: '{"body": "hello", "from": "a browser tab"}'})
        await broadcast({topic: "room:lobby", event: "shout", payload: {body: "hello", from: "curl"}})
        await visitor.sees("in", "curl")
        await visitor.at("latency").waitFor()
        const overflow = await visitor.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        assert.ok(overflow <= 0, `the page is ${overflow} px too wide`)
        const path = join(SCREENSHOTS, `playground-${name}-${colorScheme}.png`)
        await visitor.page.screenshot({path, fullPage: name === "narrow"})
      })
    }
  }
})
