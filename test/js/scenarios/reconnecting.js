// Reconnecting: heartbeats, connections that end, servers that go away and come back.

import {equal, ok} from "../assert.js"
import {DEADLINE_MS} from "../inbox.js"

const GARBAGE = "this is no message"

export default [
  {
    name: "has its heartbeats answered",
    async run(rig) {
      const socket = await rig.open({heartbeatIntervalMs: 500}) // within which a busy machine answers, too
      for (let n = 0; n < 3; n++) {
        const {payload} = await socket.inboxes.messages.next(({topic}) => topic === "phoenix")
        equal(payload, {status: "ok", response: {}}, "reply to a heartbeat")
      }
      equal(socket.inboxes.closes.take(), [], "closes")
    },
  },
  {
    name: "notices a server that does not answer, and comes back to it",
    async run(rig) {
      const socket = await rig.open({heartbeatIntervalMs: 200})
      const channel = await rig.join(socket, rig.topic())
      await rig.server.freeze()
      try {
        equal((await socket.inboxes.closings.next()).code, 1000, "the client's own close code")
      } finally {
        await rig.server.thaw()
      }
      await back(rig, socket, channel)
    },
  },
  {
    name: "comes back when the server was killed and restarted",
    async run(rig) {
      const socket = await rig.open()
      const channels = [await rig.join(socket, rig.topic()), await rig.join(socket, rig.topic())]
      const before = channels.map(channel => channel.joinRef())
      await rig.server.kill()
      equal((await socket.inboxes.closes.next()).code, 1006, "close code")
      await rig.server.start()
      for (const channel of channels) await back(rig, socket, channel)
      ok(channels.every((channel, i) => channel.joinRef() !== before[i]), "the join_refs are new (clause 296)")
    },
  },
  {
    name: "comes back after a forced disconnect by socket id, closed with 1001 (clause 292)",
    async run(rig) {
      const [socket, bystander] = [await rig.open({params: {id: "forced"}}), await rig.open({params: {id: "other"}})]
      const channel = await rig.join(socket, rig.topic())
      await rig.control("disconnect", {id: "forced"})
      equal((await socket.inboxes.closes.next()).code, 1001, "close code")
      await back(rig, socket, channel)
      equal(bystander.inboxes.closes.take(), [], "closes of the other id")
    },
  },
  {
    name: "comes back after 1011, which an unreadable message earns (clause 292)",
    async run(rig) {
      const socket = await rig.open()
      const channel = await rig.join(socket, rig.topic())
      socket.conn.send(GARBAGE)
      equal((await socket.inboxes.closes.next()).code, 1011, "close code")
      await back(rig, socket, channel)
    },
  },
  {
    name: "comes back after 1012, which a server that shuts down sends (clause 292)",
    async run(rig) {
      const [socket, idle] = [await rig.open(), await rig.open()]
      const channel = await rig.join(socket, rig.topic())
      const ended = rig.server.terminate()
      equal((await socket.inboxes.closes.next()).code, 1012, "close code with a channel")
      equal((await idle.inboxes.closes.next()).code, 1012, "close code without a channel")
      await ended
      await rig.server.start()
      await back(rig, socket, channel)
      await idle.inboxes.opens.next()
    },
  },
  {
    name: "does after 1000 what its version does (clause 292)",
    async run(rig) {
      const scheduled = []
      const socket = await rig.open({reconnectAfterMs: tries => { scheduled.push(tries); return DEADLINE_MS }})
      socket.conn.close(1000) // not by disconnect: as if the other side had wished it
      equal((await socket.inboxes.closes.next()).code, 1000, "the server echoes the code")
      equal(scheduled.length > 0, rig.can.returnsAfter1000, "a reconnect is scheduled")
    },
  },
  {
    name: "stays away after disconnect",
    async run(rig) {
      const scheduled = []
      const socket = await rig.open({reconnectAfterMs: tries => { scheduled.push(tries); return 10 }})
      await new Promise(resolve => socket.disconnect(resolve))
      equal([socket.isConnected(), scheduled], [false, []], "connected, reconnects scheduled")
    },
  },
]

// back waits until the client has come back by itself and its channel works.
async function back(rig, socket, channel) {
  await channel.joins.next(({status}) => status === "ok")
  equal(socket.connectionState(), "open", "state")
  const shouts = rig.events(channel, "shout")
  await rig.push(channel, "shout", {body: "back"})
  equal(await shouts.next(), {body: "back"}, "broadcast after the rejoin")
}
