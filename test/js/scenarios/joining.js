// Joining: to connect, to join, to be refused, to leave.

import {equal, ok} from "../assert.js"
import {inbox, reply} from "../rig.js"

const CHANNELS = 100

export default [
  {
    name: "connects (clause 288)",
    async run(rig) {
      const socket = await rig.open({params: {id: "connects", nested: {list: ["a", "b"]}}})
      equal(socket.connectionState(), "open", "state")
    },
  },
  {
    name: "is refused by the server's connect",
    async run(rig) {
      const socket = rig.socket({params: {refuse: "yes"}, reconnectAfterMs: () => 60000})
      await socket.inboxes.closes.next()
      equal(socket.inboxes.opens.take(), [], "opened")
    },
  },
  {
    name: "joins and gets the join's reply (clause 288)",
    async run(rig) {
      const socket = await rig.open()
      const topic = rig.topic()
      equal(await reply(socket.channel(topic).join(), "join"), {status: "ok", response: {topic}}, "reply")
    },
  },
  {
    name: "joins before the socket is open",
    async run(rig) {
      const channel = await rig.join(rig.socket(), rig.topic())
      equal(channel.state, "joined", "state")
    },
  },
  {
    name: "is refused at a join",
    async run(rig) {
      const socket = await rig.open()
      const refused = await reply(socket.channel(rig.topic(), {refuse: true}).join(), "join")
      equal(refused, {status: "error", response: {reason: "unauthorized"}}, "reply")
    },
  },
  {
    name: "is refused at a topic that has no channel",
    async run(rig) {
      const socket = await rig.open()
      const refused = await reply(socket.channel("nowhere").join(), "join")
      equal(refused, {status: "error", response: {reason: "unmatched topic"}}, "reply")
    },
  },
  {
    name: "leaves, gets nothing any more, and joins again (clause 288)",
    async run(rig) {
      const [leaver, stayer] = [await rig.open(), await rig.open()]
      const topic = rig.topic()
      const [left, stays] = [await rig.join(leaver, topic), await rig.join(stayer, topic)]
      const closed = inbox("close of the channel", keep => left.onClose(keep))
      equal(await reply(left.leave(), "leave"), {status: "ok", response: {}}, "reply")
      await closed.next()
      await leaver.inboxes.messages.next(({event}) => event === "phx_close") // up to here a broadcast may cross

      leaver.inboxes.messages.take()
      equal(await rig.push(stays, "shout", {body: "without you"}), {status: "ok", response: {}}, "shout")
      const again = await rig.join(leaver, topic)
      const missed = leaver.inboxes.messages.take().filter(({event}) => event === "shout")
      equal(missed, [], "broadcasts after the leave")
      equal((await rig.push(again, "echo", {n: 1})).response, {n: 1}, "echo")
    },
  },
  {
    name: "joins 100 channels on one socket, and not one more",
    async run(rig) {
      const socket = await rig.open()
      const topics = Array.from({length: CHANNELS}, () => rig.topic())
      const channels = await Promise.all(topics.map(topic => rig.join(socket, topic)))
      const echoes = await Promise.all(channels.map(channel => rig.push(channel, "echo", {topic: channel.topic})))
      equal(echoes.map(({response}) => response.topic), topics, "echoes")

      const over = await reply(socket.channel(rig.topic()).join(), "join")
      equal(over, {status: "error", response: {reason: "too many channels joined"}}, "one more")
    },
  },
  {
    name: "has two sockets at once",
    async run(rig) {
      const [a, b] = await Promise.all([rig.open(), rig.open()])
      const topic = rig.topic()
      const [inA, inB] = await Promise.all([rig.join(a, topic), rig.join(b, topic)])
      const echoes = await Promise.all([rig.push(inA, "echo", {from: "a"}), rig.push(inB, "echo", {from: "b"})])
      equal(echoes.map(({response}) => response.from), ["a", "b"], "echoes")
      a.disconnect()
      equal((await rig.push(inB, "echo", {from: "b"})).status, "ok", "the other after one left")
    },
  },
  {
    name: "speaks V1 without vsn (clause 297)",
    async run(rig) {
      const socket = await rig.open(v1(rig.WebSocket))
      const channel = await rig.join(socket, rig.topic())
      const shouts = rig.events(channel, "shout")
      equal(await rig.push(channel, "echo", {body: "héllo"}), {status: "ok", response: {body: "héllo"}}, "echo")
      await rig.push(channel, "shout", {body: "to all"})
      equal(await shouts.next(), {body: "to all"}, "broadcast")
      equal(await reply(channel.leave(), "leave"), {status: "ok", response: {}}, "leave")
      ok(socket.inboxes.messages.take().every(({join_ref}) => join_ref === undefined), "no join_ref")
    },
  },
]

// v1 are the options of a socket as it was before vsn: objects, no join_ref.
function v1(WebSocket) {
  return {
    encode: ({topic, event, payload, ref}, send) => send(JSON.stringify({topic, event, payload, ref})),
    decode: (text, receive) => receive(JSON.parse(text)),
    transport: class extends WebSocket {
      constructor(url) { super(url.replace(/[?&]vsn=[^&]*/, "")) }
    },
  }
}
