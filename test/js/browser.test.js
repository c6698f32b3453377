// phoenix.js 1.8.16 in a real browser, through the same scenarios as in Node.

import {after, before, describe, it} from "node:test"

import {launch, serveHarness} from "./browser.js"
import {clients} from "./clients.js"
import {runInPage} from "./page.js"
import {scenarios, skipped} from "./scenarios/index.js"
import {testServer} from "./server.js"

const VERSION = "1.8.16"
const TIMEOUT_MS = 120000

describe(`phoenix.js ${VERSION} in Chromium`, {concurrency: false}, () => {
  const can = clients[VERSION]
  const server = testServer()
  let browser, page
  before(async () => {
    await server.start()
    browser = await launch()
    page = await harness(browser, server)
  })
  after(async () => { await browser?.close(); await server.stop() })

  for (const scenario of scenarios) {
    it(scenario.name, {skip: skipped(scenario, can), timeout: TIMEOUT_MS}, async () => {
      await page.evaluate(runInPage, {name: scenario.name, version: VERSION})
    })
  }
})

// harness is a page on the server's origin which can import the scenarios and order the server about.
async function harness({context}, server) {
  const page = await context.newPage()
  await serveHarness(page)
  await page.exposeFunction("orderServer", order => server[order]())
  await page.goto(`${server.base}/blank`)
  return page
}
