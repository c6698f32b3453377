// Every version of phoenix.js, in Node, through every scenario.

import {after, before, describe, it} from "node:test"

import {WebSocket} from "ws"

import {clients, load} from "./clients.js"
import {Rig} from "./rig.js"
import {scenarios, skipped} from "./scenarios/index.js"
import {testServer} from "./server.js"

const TIMEOUT_MS = 120000

for (const [version, can] of Object.entries(clients)) {
  describe(`phoenix.js ${version} in Node`, {concurrency: false}, () => {
    const server = testServer()
    let Socket
    before(async () => { Socket = await load(version); await server.start() })
    after(() => server.stop())

    for (const scenario of scenarios) {
      it(scenario.name, {skip: skipped(scenario, can), timeout: TIMEOUT_MS}, async () => {
        const rig = new Rig({Socket, WebSocket, can, base: server.base, server})
        try {
          await scenario.run(rig)
        } finally {
          rig.close()
        }
      })
    }
  })
}
