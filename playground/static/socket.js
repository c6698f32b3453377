// Socket is one connection to a Phoenix-protocol server, and the channels that are joined over it.
//
// Events of a Socket: "state" (its state changed), "frame" (detail: {direction, message, bytes}),
// "garbled" (detail: {data, error}: a frame that is no message), "latency" (it was measured, or is
// unknown again), "closed" (detail: {code, opened, byUs}), "channels" (one joined, left or changed
// state), "dropped" (detail: {channel, reason}: the server ended a channel, or refused it when it
// came back).

import {decode, encode, protocols, query} from "./wire.js"

const RECONNECT_MS = [10, 50, 100, 150, 200, 250, 500, 1000, 2000]
const RECONNECT_LAST_MS = 5000
const REJOIN_MS = [1000, 2000, 5000]
const REJOIN_LAST_MS = 10000
const FIRST_HEARTBEAT_MS = 1000 // once the page has settled, so that it measures the way and not the page
const NORMAL = 1000
const HEARTBEAT_LOST = 3000 // ours to choose: 3000 and above belong to libraries

// after picks the delay of the n-th try (from 0) from a table that ends in a constant.
const after = (table, last, n) => table[n] ?? last

export class Socket extends EventTarget {
  #ws = null
  #ref = 0
  #replies = new Map() // ref -> what to do with its reply
  #tries = 0
  #reconnectTimer = 0
  #heartbeatTimer = 0
  #heartbeatSent = null // {ref, at} of the heartbeat that waits for its reply

  // url is the whole address, with the scheme and the transport's path, without a query. The
  // constructor throws a TypeError for a token that cannot be sent.
  constructor(url, {params = {}, token = "", heartbeatMs = 30000, timeoutMs = 10000} = {}) {
    super()
    Object.assign(this, {url, params, protocols: protocols(token), heartbeatMs, timeoutMs})
    this.state = "closed" // closed, connecting, open, waiting (for the next try)
    this.latency = null // milliseconds, of the last heartbeat
    this.channels = new Map() // topic -> Channel
  }

  // connect starts to connect, and to come back whenever the connection is lost. It throws a
  // SyntaxError for an address that no WebSocket can have.
  connect() {
    clearTimeout(this.#reconnectTimer)
    if (this.#ws) return
    const ws = new WebSocket(this.address, this.protocols)
    ws.binaryType = "arraybuffer"
    ws.onopen = () => this.#opened()
    ws.onmessage = ({data}) => this.#received(data)
    ws.onclose = ({code}) => this.#closed(code)
    this.#ws = ws
    this.#enter("connecting")
  }

  // address is the url with the params and the protocol's version.
  get address() {
    const joint = this.url.includes("?") ? "&" : "?"
    return this.url + joint + query({...this.params, vsn: "2.0.0"})
  }

  // disconnect closes the connection and stays away.
  disconnect() {
    clearTimeout(this.#reconnectTimer)
    const opened = this.state === "open"
    if (this.#abandon(NORMAL)) this.#tell("closed", {code: NORMAL, opened, byUs: true})
    this.#tries = 0
    this.#enter("closed")
    this.#lose()
  }

  // channel returns the channel of the topic, a new one when there is none.
  channel(topic, payload = {}) {
    const known = this.channels.get(topic)
    if (known) return known
    const channel = new Channel(this, topic, payload)
    this.channels.set(topic, channel)
    return channel
  }

  // send writes one message and resolves to its reply, {status, response}. It rejects when there is
  // no connection, when none comes within timeoutMs, and when the connection ends before.
  send(message) {
    if (this.state !== "open") return Promise.reject(new Error("not connected"))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(message.ref), this.timeoutMs)
      const settle = (act, value) => { clearTimeout(timer); this.#replies.delete(message.ref); act(value) }
      this.#replies.set(message.ref, {
        resolve: reply => settle(resolve, reply),
        reject: error => settle(reject, error),
      })
      try {
        this.#write(message)
      } catch (error) {
        this.#replies.get(message.ref).reject(error)
      }
    })
  }

  // nextRef is unique on this socket, over its reconnects too.
  nextRef() { return String(++this.#ref) }

  // forget drops a channel that ended.
  forget(channel) {
    if (this.channels.get(channel.topic) === channel) this.channels.delete(channel.topic)
    this.#tell("channels")
  }

  // changed tells that a channel is in another state.
  changed() { this.#tell("channels") }

  // dropped tells that the server ended a channel.
  dropped(channel, reason) { this.#tell("dropped", {channel, reason}) }

  #write(message) {
    const frame = encode(message)
    this.#ws.send(frame)
    this.#tell("frame", {direction: "out", message, bytes: frame.byteLength ?? frame.length})
  }

  #opened() {
    this.#tries = 0
    this.#heartbeatTimer = setTimeout(() => this.#heartbeat(), Math.min(FIRST_HEARTBEAT_MS, this.heartbeatMs))
    this.#enter("open")
    this.channels.forEach(channel => channel.rejoin())
  }

  #received(data) {
    let message
    try {
      message = decode(data)
    } catch (error) {
      return this.#tell("garbled", {data, error})
    }
    this.#tell("frame", {direction: "in", message, bytes: data.byteLength ?? data.length})
    if (message.event === "phx_reply") this.#reply(message)
    else this.channels.get(message.topic)?.receive(message)
  }

  #reply({ref, payload}) {
    if (ref === this.#heartbeatSent?.ref) this.#measure()
    else this.#replies.get(ref)?.resolve(payload)
  }

  #expire(ref) { this.#replies.get(ref)?.reject(new Error("no reply")) }

  #closed(code) {
    const opened = this.state === "open"
    this.#detach()
    this.#tell("closed", {code, opened, byUs: false})
    this.#lose()
    if (code === NORMAL) this.#enter("closed")
    else this.#retry()
  }

  #retry() {
    const delay = after(RECONNECT_MS, RECONNECT_LAST_MS, this.#tries++)
    this.#reconnectTimer = setTimeout(() => this.connect(), delay)
    this.#enter("waiting")
  }

  // abandon closes the connection without waiting for the other side, which may be gone.
  #abandon(code) {
    const ws = this.#ws
    this.#detach()
    ws?.close(code)
    return ws !== null
  }

  #detach() {
    if (this.#ws) this.#ws.onopen = this.#ws.onmessage = this.#ws.onclose = null
    this.#ws = null
    clearTimeout(this.#heartbeatTimer)
    this.#heartbeatSent = null
  }

  // lose rejects what waits for a reply, and makes the channels wait for the next connection.
  #lose() {
    this.#setLatency(null)
    for (const {reject} of [...this.#replies.values()]) reject(new Error("connection lost"))
    this.channels.forEach(channel => channel.lost())
  }

  #heartbeat() {
    if (this.#heartbeatSent) return this.#heartbeatLost()
    this.#heartbeatSent = {ref: this.nextRef(), at: performance.now()}
    this.#write({joinRef: null, ref: this.#heartbeatSent.ref, topic: "phoenix", event: "heartbeat", payload: {}})
    this.#heartbeatTimer = setTimeout(() => this.#heartbeat(), this.heartbeatMs)
  }

  #heartbeatLost() {
    this.#abandon(HEARTBEAT_LOST)
    this.#tell("closed", {code: HEARTBEAT_LOST, opened: true, byUs: true})
    this.#lose()
    this.#retry()
  }

  #measure() {
    this.#setLatency(performance.now() - this.#heartbeatSent.at)
    this.#heartbeatSent = null
  }

  #setLatency(latency) {
    this.latency = latency
    this.#tell("latency")
  }

  #enter(state) {
    this.state = state
    this.#tell("state")
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, {detail})) }
}

// Channel is one joined topic. Its states: joining, joined, errored (it will come back), closed.
export class Channel {
  #timer = 0
  #tries = 0

  constructor(socket, topic, payload) {
    Object.assign(this, {socket, topic, payload, state: "closed", joinRef: null})
  }

  // join enters the topic and resolves to the server's reply. A join that is refused or not
  // answered is not tried again: whoever asked is looking at the screen.
  async join() {
    this.#become("joining")
    this.joinRef = this.socket.nextRef()
    const joinRef = this.joinRef
    try {
      const reply = await this.#send("phx_join", this.payload, joinRef)
      if (joinRef === this.joinRef) this.#answered(reply)
      return reply
    } catch (error) {
      if (error.message === "no reply") this.#unanswered(joinRef)
      else if (this.state === "joining") this.#end()
      throw error
    }
  }

  // rejoin joins again after the connection or the channel was lost.
  rejoin() {
    clearTimeout(this.#timer)
    if (this.state !== "errored") return
    this.join().then(
      reply => { if (reply.status !== "ok") this.socket.dropped(this, {refused: reply.response}) },
      error => { if (error.message === "connection lost") this.#wait(); else this.socket.dropped(this, {error}) },
    )
  }

  // push sends an event and resolves to its reply.
  push(event, payload) {
    if (this.state !== "joined") return Promise.reject(new Error("not joined"))
    return this.#send(event, payload)
  }

  // leave ends the channel at once; the server's answer changes nothing any more.
  leave() {
    if (this.state === "joined" || this.state === "joining") this.#send("phx_leave", {}).catch(() => {})
    this.#end()
  }

  // receive takes what the server sent for this topic, replies aside.
  receive({joinRef, event, payload}) {
    if (joinRef !== null && joinRef !== this.joinRef) return // of an earlier life of this topic
    if (event === "phx_close") { this.#end(); this.socket.dropped(this, {closed: true}) }
    if (event === "phx_error") { this.#crashed(); this.socket.dropped(this, {crashed: payload}) }
  }

  // lost makes the channel wait for the next connection.
  lost() {
    clearTimeout(this.#timer)
    this.#tries = 0
    if (this.state !== "closed") this.#wait()
  }

  #send(event, payload, ref = this.socket.nextRef()) {
    return this.socket.send({joinRef: this.joinRef, ref, topic: this.topic, event, payload})
  }

  #answered({status}) {
    if (status !== "ok") return this.#end()
    this.#tries = 0
    this.#become("joined")
  }

  // The server may still answer: the leave tells it that nobody waits for that.
  #unanswered(joinRef) {
    if (joinRef !== this.joinRef) return
    this.#send("phx_leave", {}).catch(() => {})
    this.#end()
  }

  #crashed() {
    this.#wait()
    const delay = after(REJOIN_MS, REJOIN_LAST_MS, this.#tries++)
    this.#timer = setTimeout(() => this.rejoin(), delay)
  }

  #wait() {
    if (this.socket.channels.get(this.topic) === this) this.#become("errored")
    else this.state = "closed"
  }

  #end() {
    clearTimeout(this.#timer)
    this.joinRef = null
    this.state = "closed"
    this.socket.forget(this)
  }

  #become(state) {
    this.state = state
    this.socket.changed()
  }
}
