// Pushing: an event to the server, and its reply.

import {equal} from "../assert.js"
import {reply} from "../rig.js"

const MEGABYTE = 1024 * 1024

// Written as escapes where an editor or a font might change them.
const TEXTS = {
  emoji: "\u{1F426}\u200D\u2B1B \u{1F469}\u{1F3FD}\u200D\u{1F680}", // joined by zero-width joiners, with a skin tone
  rightToLeft: "\u05E9\u05DC\u05D5\u05DD \u200F\u0645\u0631\u062D\u0628\u0627",
  combining: "e\u0301 n\u0303 \u1112\u1161\u11AB", // must not be composed on the way
  separators: "line\u2028paragraph\u2029nul\u0000quote\"back\\slash/",
  han: "\u9CE5\u{20BB7}",
}

export default [
  {
    name: "pushes and gets the reply ok (clause 288)",
    async run(rig) {
      const channel = await rig.join(await rig.open(), rig.topic())
      const payload = {text: "hello", list: [1, 2.5, null, true], nested: {empty: {}, none: []}}
      equal(await rig.push(channel, "echo", payload), {status: "ok", response: payload}, "reply")
    },
  },
  {
    name: "pushes and gets the reply error",
    async run(rig) {
      const channel = await rig.join(await rig.open(), rig.topic())
      equal(await rig.push(channel, "fail"), {status: "error", response: {reason: "as you wish"}}, "reply")
    },
  },
  {
    name: "pushes and times out when there is no reply",
    async run(rig) {
      const channel = await rig.join(await rig.open(), rig.topic())
      equal((await rig.push(channel, "silent", {}, 100)).status, "timeout", "status")
      equal((await rig.push(channel, "echo", {n: 1})).status, "ok", "afterwards")
    },
  },
  {
    name: "pushes before it has joined",
    async run(rig) {
      const channel = rig.socket().channel(rig.topic())
      const joined = reply(channel.join(), "join")
      equal(await rig.push(channel, "echo", {early: true}), {status: "ok", response: {early: true}}, "reply")
      equal((await joined).status, "ok", "join")
    },
  },
  {
    name: "gets replies in the order of its pushes",
    async run(rig) {
      const channel = await rig.join(await rig.open(), rig.topic())
      const order = []
      const pushes = Array.from({length: 200}, (_, n) => rig.push(channel, "echo", {n}).then(({response}) => order.push(response.n)))
      await Promise.all(pushes)
      equal(order, Array.from({length: 200}, (_, n) => n), "order")
    },
  },
  {
    name: "is pushed to, before the reply",
    async run(rig) {
      const socket = await rig.open()
      const channel = await rig.join(socket, rig.topic())
      const pushed = rig.events(channel, "pushed")
      socket.inboxes.messages.take()
      await rig.push(channel, "push_me", {body: "for me"})
      equal(await pushed.next(), {body: "for me"}, "pushed")
      equal(socket.inboxes.messages.take().map(({event}) => event), ["pushed", "phx_reply"], "order")
    },
  },
  {
    name: "gets a reply that is given later",
    async run(rig) {
      const channel = await rig.join(await rig.open(), rig.topic())
      const later = rig.push(channel, "hold")
      await rig.push(channel, "echo") // the server has seen both
      await rig.control("release", {topic: channel.topic})
      equal(await later, {status: "ok", response: {late: true}}, "reply")
    },
  },
  {
    name: "pushes a payload of 1 MB and gets it back",
    async run(rig) {
      const channel = await rig.join(await rig.open(), rig.topic())
      const body = "0123456789abcdeø".repeat(MEGABYTE / 16)
      const {status, response} = await rig.push(channel, "echo", {body})
      equal([status, response.body.length, response.body === body], ["ok", body.length, true], "echo")
    },
  },
  {
    name: "uses any Unicode in topics, events and payloads",
    async run(rig) {
      const socket = await rig.open()
      for (const [name, text] of Object.entries(TEXTS)) {
        const channel = await rig.join(socket, rig.topic(text))
        const shouts = rig.events(channel, "shout")
        equal((await rig.push(channel, "echo", {[text]: text})).response, {[text]: text}, `${name}: echo`)
        await rig.push(channel, "shout", {body: text})
        equal(await shouts.next(), {body: text}, `${name}: broadcast`)

        const arrived = rig.events(channel, `event ${text}`)
        await rig.control("broadcast", {topic: channel.topic, event: `event ${text}`, payload: JSON.stringify({text})})
        equal(await arrived.next(), {text}, `${name}: event`)
      }
    },
  },
]
