// Server is a Roost process that a test starts, hurts and starts again.

import {execFile, spawn} from "node:child_process"
import {once} from "node:events"
import {existsSync} from "node:fs"
import {createServer} from "node:net"
import {fileURLToPath} from "node:url"
import {promisify} from "node:util"

import {within, DEADLINE_MS} from "./inbox.js"

const built = name => fileURLToPath(new URL(`.build/${name}`, import.meta.url))

// A test process that ends early takes its servers along.
const running = new Set()
process.once("exit", () => running.forEach(child => child.kill("SIGKILL")))
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1))

export class Server {
  #process = null
  #output = ""
  #alarm = "" // what the process said when something happened that never may

  // command is the name of a program in .build; args make its arguments from an address.
  constructor(command, args, scheme = "http") { Object.assign(this, {command: built(command), args, scheme, address: ""}) }

  get base() { return `${this.scheme}://${this.address}` }

  // start starts the process and waits until it says where it listens. The second time it is the
  // same address as the first; an address that is given is shared with another server.
  async start(address) {
    if (!existsSync(this.command)) throw new Error(`${this.command} is not built: run test/js/run`)
    this.address ||= address ?? await freeAddress()
    this.#output = ""
    const child = spawn(this.command, this.args(this.address), {stdio: ["ignore", "pipe", "pipe"]})
    this.#process = child
    running.add(child)
    child.once("exit", () => running.delete(child))
    for (const stream of [child.stdout, child.stderr]) stream.on("data", text => this.#heard(child, String(text)))
    await within(DEADLINE_MS, `${this.command} to listen`, this.#listens(child))
  }

  // kill ends the process without a word; terminate lets it shut down.
  kill() { return this.#end("SIGKILL") }
  terminate() { return this.#end("SIGTERM") }

  // freeze makes the process stand still, its connections open; thaw lets it go on.
  async freeze() { this.#process.kill("SIGSTOP") }
  async thaw() { this.#process.kill("SIGCONT") }

  // stop ends the process after the tests, whatever state it is in. It throws when the process has
  // told of a data race (when it was built with GOFLAGS=-race) or of a fatal error meanwhile.
  async stop() {
    if (this.#process?.exitCode === null && this.#process.signalCode === null) await this.kill()
    if (this.#alarm) throw new Error(`${this.command} said:\n${this.#alarm}`)
  }

  // said is what the process wrote to its outputs since it was started.
  get said() { return this.#output }

  // says waits until the process has written it since it was started.
  async says(words) {
    const child = this.#process
    const heard = new Promise(resolve => {
      const look = () => { if (this.#output.includes(words)) { child.off("heard", look); resolve() } }
      child.on("heard", look)
      look()
    })
    await within(DEADLINE_MS, `${this.command} to say: ${words}`, heard)
  }

  async #end(signal) {
    const child = this.#process
    const exited = once(child, "exit")
    child.kill(signal)
    await within(DEADLINE_MS, `${this.command} to end`, exited)
  }

  #heard(child, text) {
    this.#output = (this.#output + text).slice(-65536)
    this.#alarm ||= this.#output.match(/(WARNING: DATA RACE|^fatal error: )[^]*/m)?.[0] ?? ""
    child.emit("heard")
  }

  // listens waits until the address was said: both programs print it when they accept connections.
  #listens(child) {
    return new Promise((resolve, reject) => {
      const exited = code => reject(new Error(`${this.command} ended with ${code}:\n${this.#output}`))
      child.once("error", reject)
      child.once("exit", exited)
      child.on("heard", () => {
        if (!this.#output.includes(this.address)) return
        child.off("exit", exited)
        resolve()
      })
    })
  }
}

export const testServer = (more = []) => new Server("server", address => ["-listen", address, ...more])

// secureServer speaks TLS, and changes its keys after every few records.
export const secureServer = ({certFile, keyFile}) =>
  new Server("server-restless", address => ["-listen", address, "-tls-cert", certFile, "-tls-key", keyFile], "https")

export const secureRoost = ({certFile, keyFile}) =>
  new Server("roost", address => ["serve", "--listen", address, "--tls-cert", certFile, "--tls-key", keyFile], "https")

export const roostServe = (more = []) => new Server("roost", address => ["serve", "--listen", address, ...more])

// roost runs a command that ends by itself, and resolves to what it prints.
export const roost = async (...args) => (await promisify(execFile)(built("roost"), args)).stdout.trim()

// sharingServer shares its port with others, and spreads what it closes at its end over a time.
export const sharingServer = spreadMs => new Server("roost", address => [
  "serve", "--listen", address, "--reuse-port", "--drain-delay", "200ms", "--drain-spread", `${spreadMs}ms`,
])

async function freeAddress() {
  const probe = createServer().listen(0, "127.0.0.1")
  await once(probe, "listening")
  const {port} = probe.address()
  await new Promise(resolve => probe.close(resolve))
  return `127.0.0.1:${port}`
}
