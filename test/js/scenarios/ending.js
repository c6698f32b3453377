// Ending: a channel that stops or crashes, and what the client makes of it.

import {equal, ok} from "../assert.js"
import {inbox} from "../rig.js"

export default [
  {
    name: "is told when the server ends a channel, and does not rejoin",
    async run(rig) {
      const socket = await rig.open()
      const channel = await rig.join(socket, rig.topic())
      const closed = inbox("close of the channel", keep => channel.onClose(() => keep(true)))
      equal((await rig.push(channel, "stop")).status, "ok", "reply")
      await closed.next()
      equal(channel.state, "closed", "state")
      equal(socket.channels.includes(channel), false, "still known to the socket")
    },
  },
  {
    name: "rejoins about a second after its channel crashed, with a new join_ref (clauses 291, 296)",
    async run(rig) {
      const channel = await rig.join(await rig.open(), rig.topic())
      const before = channel.joinRef()
      const errors = inbox("error of the channel", keep => channel.onError(keep))
      channel.push("crash", {})
      equal(await errors.next(), {reason: "channel_crash"}, "payload of phx_error")

      const crashed = Date.now()
      equal((await channel.joins.next()).status, "ok", "rejoin")
      const waited = Date.now() - crashed
      ok(waited > 900 && waited < 5000, `it came back after about a second, not ${waited} ms`)
      ok(channel.joinRef() !== before, "the join_ref is new")
      equal((await rig.push(channel, "echo", {n: 1})).response, {n: 1}, "echo after the rejoin")
    },
  },
  {
    name: "keeps its other channels when one crashes",
    async run(rig) {
      const socket = await rig.open()
      const [doomed, sibling] = [await rig.join(socket, rig.topic()), await rig.join(socket, rig.topic())]
      const [errors, others] = [inbox("error", keep => doomed.onError(keep)), inbox("error", keep => sibling.onError(keep))]
      doomed.push("crash", {})
      await errors.next()
      equal((await rig.push(sibling, "echo", {n: 1})).response, {n: 1}, "echo of the sibling")
      equal([others.take(), socket.inboxes.closes.take()], [[], []], "errors of the sibling, closes")
    },
  },
  {
    name: "ignores a late reply to a channel's earlier life (clause 296)",
    async run(rig) {
      const socket = await rig.open()
      const channel = await rig.join(socket, rig.topic())
      const before = channel.joinRef()
      let answered = false
      channel.push("hold", {}).receive("ok", () => { answered = true })
      channel.push("crash", {})
      await channel.joins.next()

      await rig.control("release", {topic: channel.topic})
      const late = await socket.inboxes.messages.next(({payload}) => payload.response?.late)
      equal(late.join_ref, before, "join_ref of the late reply")
      equal(answered, false, "the client took it")
    },
  },
  {
    name: "has its messages for an earlier life ignored by the server (clause 296)",
    async run(rig) {
      const socket = await rig.open()
      const channel = await rig.join(socket, rig.topic())
      const before = channel.joinRef()
      channel.push("crash", {})
      await channel.joins.next()

      const shouts = rig.events(channel, "shout")
      socket.push({topic: channel.topic, event: "shout", payload: {n: 1}, ref: socket.makeRef(), join_ref: before})
      await rig.push(channel, "shout", {n: 2})
      equal(await shouts.next(), {n: 2}, "the first shout")
    },
  },
]
