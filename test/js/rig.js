// Rig is what a scenario works with: sockets of one version of phoenix.js, and a grip on the server.
// It runs in Node and in a browser.

import {Inbox, within, DEADLINE_MS} from "./inbox.js"

let serial = 0

export class Rig {
  #sockets = []

  // Socket and WebSocket are classes; can is the client's line in clients.js; base is the server's
  // http address; server has kill, terminate, start, freeze and thaw, each returning a promise; post
  // sends a form, for servers whose certificate fetch does not know.
  constructor({Socket, WebSocket, can, base, server, post = postForm}) {
    Object.assign(this, {Socket, WebSocket, can, base, server, post})
  }

  // socket makes a socket and connects it. Its inboxes: opens, closes, errors, messages (all that
  // arrives, decoded) and closings (the codes that the client itself closes with).
  socket(options = {}) {
    const closings = new Inbox("the client to close its connection")
    const transport = observed(options.transport ?? this.WebSocket, closings)
    const socket = new this.Socket(`${this.base.replace(/^http/, "ws")}/socket`, {...options, transport})
    const inboxes = {
      closings,
      opens: inbox("open", keep => socket.onOpen(() => keep(true))),
      closes: inbox("close", keep => socket.onClose(event => keep({code: event?.code}))),
      errors: inbox("error", keep => socket.onError(() => keep(true))),
      messages: inbox("message", keep => socket.onMessage(keep)),
    }
    this.#sockets.push(socket)
    socket.connect()
    return Object.assign(socket, {inboxes})
  }

  // open makes a socket and waits until it is connected.
  async open(options) {
    const socket = this.socket(options)
    await socket.inboxes.opens.next()
    return socket
  }

  // topic is one that no other scenario uses.
  topic(name = "") { return `room:${name}${++serial}` }

  // join joins and returns the channel, which must be let in.
  async join(socket, topic, payload) {
    const channel = socket.channel(topic, payload)
    const joined = inbox(`the join of ${topic}`, keep => keepReplies(channel.join(), keep))
    channel.joins = joined // of every rejoin too
    await joined.next(({status}) => status === "ok")
    return channel
  }

  // push resolves to {status, response}, where status may be "timeout".
  push(channel, event, payload = {}, timeout = DEADLINE_MS) {
    return reply(channel.push(event, payload, timeout), event)
  }

  // events are the events of that name which the channel gets.
  events(channel, event) {
    return inbox(`${event} on ${channel.topic}`, keep => channel.on(event, payload => keep(payload)))
  }

  async control(path, values = {}) {
    const {status, text} = await this.post(`${this.base}/control/${path}`, new URLSearchParams(values))
    if (status !== 200) throw new Error(`control ${path}: ${status} ${text}`)
  }

  // close ends what the scenario has left, timers too, which not every version ends itself.
  close() {
    for (const socket of this.#sockets) {
      socket.disconnect()
      socket.reconnectTimer.reset()
      clearTimeout(socket.heartbeatTimer) // an interval in some versions, which this ends as well
      socket.channels.forEach(channel => channel.rejoinTimer.reset())
    }
  }
}

async function postForm(url, body) {
  const response = await fetch(url, {method: "POST", body})
  return {status: response.status, text: await response.text()}
}

export function inbox(what, subscribe) {
  const made = new Inbox(what)
  subscribe(item => made.put(item))
  return made
}

// reply is the answer to a push, join or leave.
export function reply(push, what) {
  return within(DEADLINE_MS + 1000, `a reply to ${what}`, new Promise(resolve => keepReplies(push, resolve)))
}

function keepReplies(push, keep) {
  for (const status of ["ok", "error", "timeout"]) push.receive(status, response => keep({status, response}))
}

// observed is the transport, telling of the client's own calls of close.
function observed(Transport, closings) {
  return class extends Transport {
    close(code, reason) {
      closings.put({code, reason})
      super.close(code, reason)
    }
  }
}
