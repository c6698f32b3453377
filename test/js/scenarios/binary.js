// Binary: payloads that are bytes, both ways.

import {equal, ok} from "../assert.js"

const ALL_BYTES = Uint8Array.from({length: 256}, (_, byte) => byte).buffer

export default [
  {
    name: "gets a binary reply to a binary push (clause 290)",
    needs: "binary",
    async run(rig) {
      const channel = await rig.join(await rig.open(), rig.topic())
      const {status, response} = await rig.push(channel, "echo", ALL_BYTES)
      ok(response instanceof ArrayBuffer, "the response is an ArrayBuffer")
      equal({status, response}, {status: "ok", response: ALL_BYTES}, "echo")
    },
  },
  {
    name: "gets a binary reply to a JSON push",
    needs: "binary",
    async run(rig) {
      const channel = await rig.join(await rig.open(), rig.topic())
      const {response} = await rig.push(channel, "bin", {json: true})
      equal(response, Uint8Array.of(1, 2, 3, 255).buffer, "response")
    },
  },
  {
    name: "gets binary pushes and broadcasts",
    needs: "binary",
    async run(rig) {
      const topic = rig.topic()
      const [mine, other] = [await rig.join(await rig.open(), topic), await rig.join(await rig.open(), topic)]
      const [pushed, here, there] = [rig.events(mine, "binpush"), rig.events(mine, "binbroadcast"), rig.events(other, "binbroadcast")]
      equal((await rig.push(mine, "binpush", ALL_BYTES)).status, "ok", "binpush")
      equal(await pushed.next(), ALL_BYTES, "push")
      equal((await rig.push(mine, "binbroadcast", ALL_BYTES)).status, "ok", "binbroadcast")
      equal([await here.next(), await there.next()], [ALL_BYTES, ALL_BYTES], "broadcasts")
    },
  },
  {
    name: "sends an empty binary payload, and one of 1 MB",
    needs: "binary",
    async run(rig) {
      const channel = await rig.join(await rig.open(), rig.topic())
      equal((await rig.push(channel, "echo", new ArrayBuffer(0))).response, new ArrayBuffer(0), "empty")
      const large = new Uint8Array(1 << 20).map((_, i) => i * 31)
      const {response} = await rig.push(channel, "echo", large.buffer)
      const got = new Uint8Array(response)
      ok(got.length === large.length && got.every((byte, i) => byte === large[i]), "1 MB came back as it went")
    },
  },
  {
    name: "uses Unicode topics in binary frames",
    needs: "utf8Binary",
    async run(rig) {
      const channel = await rig.join(await rig.open(), rig.topic("\u{1F426} \u05E9\u05DC\u05D5\u05DD e\u0301"))
      const [pushed, broadcast] = [rig.events(channel, "binpush"), rig.events(channel, "binbroadcast")]
      equal((await rig.push(channel, "echo", ALL_BYTES)).response, ALL_BYTES, "echo")
      await rig.push(channel, "binpush", ALL_BYTES)
      equal(await pushed.next(), ALL_BYTES, "push")
      await rig.push(channel, "binbroadcast", ALL_BYTES)
      equal(await broadcast.next(), ALL_BYTES, "broadcast")
    },
  },
]
