// A herd of phoenix.js clients whose server is killed and started again: all come back, and no faster
// than the server's door lets them in.

import {spawn} from "node:child_process"
import {createInterface} from "node:readline"
import {describe, it} from "node:test"
import {fileURLToPath} from "node:url"

import {equal, ok} from "./assert.js"
import {Inbox} from "./inbox.js"
import {testServer} from "./server.js"

const PROCESSES = 4
const EACH = 125
const RATE = 250 // connections a second; so that a herd of this size is one
const BURST = 4
const WINDOW_MS = 500
const TIMEOUT_MS = 120000

describe(`a herd of ${PROCESSES * EACH} phoenix.js clients whose server is killed and started again`, {concurrency: false}, () => {
  const widest = {}
  for (const [name, rate] of [["without a pace", -1], [`at a pace of ${RATE}/s`, RATE]]) {
    it(`is back in the end, ${name}`, {timeout: TIMEOUT_MS}, async t => {
      const {joined, came} = await comesBack(["-accept-rate", String(rate)])
      equal(joined.length, PROCESSES * EACH, "clients that are back")
      widest[rate] = busiest(came, WINDOW_MS)
      t.diagnostic(`${name}: ${spread(came)}`)
      if (rate < 0) return
      const most = RATE * WINDOW_MS / 1000 + BURST + 2 // the first, and one that was noted late
      ok(widest[rate] <= most, `${widest[rate]} came within ${WINDOW_MS} ms, at most ${most} may`)
    })
  }
  it("is spread by the pace", () => ok(widest[RATE] < widest[-1], `within ${WINDOW_MS} ms came ${JSON.stringify(widest)}`))
})

// comesBack has a herd join, kills and starts the server, and resolves to when each was joined again
// and, by the server's clock, when each connection came.
async function comesBack(args) {
  const server = testServer(args)
  await server.start()
  const herd = Array.from({length: PROCESSES}, () => new Member(server.base))
  try {
    await Promise.all(herd.map(member => member.says.next(undefined, TIMEOUT_MS)))
    await server.kill()
    await server.start()
    const lines = await Promise.all(herd.map(member => member.says.next(undefined, TIMEOUT_MS)))
    const came = await (await fetch(`${server.base}/arrivals`)).json()
    return {joined: lines.flatMap(({joined}) => joined), came}
  } finally {
    herd.forEach(member => member.end())
    await server.stop()
  }
}

class Member {
  says = new Inbox("a part of the herd to be there")

  constructor(base) {
    this.child = spawn(process.execPath, [fileURLToPath(new URL("herd/member.js", import.meta.url)), base, String(EACH)],
      {stdio: ["ignore", "pipe", "inherit"]})
    createInterface({input: this.child.stdout}).on("line", line => this.says.put(JSON.parse(line)))
  }

  end() { this.child.kill("SIGKILL") }
}

// busiest is the most that came within so many milliseconds.
function busiest(times, window) {
  let [most, first] = [0, 0]
  times.forEach((time, last) => {
    while (times[first] <= time - window) first++
    most = Math.max(most, last - first + 1)
  })
  return most
}

// spread says how many came in each quarter of a second.
function spread(times) {
  const quarters = []
  for (const time of times) {
    const quarter = Math.floor((time - times[0]) / 250)
    quarters[quarter] = (quarters[quarter] ?? 0) + 1
  }
  return `${times.at(-1) - times[0]} ms from the first to the last; in each quarter of a second: ${Array.from(quarters, n => n ?? 0).join(" ")}`
}
