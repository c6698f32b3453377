// phoenix.js 1.8.16 in a real browser, through the same scenarios as in Node.

import {after, before, describe, it} from "node:test"

import {launch, serveHarness} from "./browser.js"
import {clients} from "./clients.js"
import {scenarios, skipped} from "./scenarios/index.js"
import {testServer} from "./server.js"

const VERSION = "1.8.16"
const TIMEOUT_MS = 90000

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

// runInPage runs in the browser.
async function runInPage({name, version}) {
  const [{Socket}, {Rig}, {scenarios}, {clients}] = await Promise.all([
    import(`/harness/node_modules/phoenix-${version}/priv/static/phoenix.mjs`),
    import("/harness/rig.js"),
    import("/harness/scenarios/index.js"),
    import("/harness/clients.js"),
  ])
  const orders = ["kill", "terminate", "start", "freeze", "thaw"]
  const server = Object.fromEntries(orders.map(order => [order, () => window.orderServer(order)]))
  const rig = new Rig({Socket, WebSocket, can: clients[version], base: location.origin, server})
  try {
    await scenarios.find(scenario => scenario.name === name).run(rig)
  } finally {
    rig.close()
  }
}
