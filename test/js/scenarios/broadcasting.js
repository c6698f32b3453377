// Broadcasting: to all, to all but one, from the endpoint.

import {equal} from "../assert.js"

const MANY = 300
const LARGE = 1 << 20

export default [
  {
    name: "broadcasts to itself and to others (clause 288)",
    async run(rig) {
      const {mine, other} = await two(rig)
      const inboxes = [rig.events(mine, "shout"), rig.events(other, "shout")]
      await rig.push(mine, "shout", {body: "to all"})
      for (const shouts of inboxes) equal(await shouts.next(), {body: "to all"}, "broadcast")
    },
  },
  {
    name: "broadcasts to others only",
    async run(rig) {
      const {mine, other} = await two(rig)
      const [here, there] = [rig.events(mine, "shout"), rig.events(other, "shout")]
      await rig.push(mine, "shout_others", {n: 1})
      await rig.push(mine, "shout", {n: 2})
      equal([await there.next(), await there.next()], [{n: 1}, {n: 2}], "there")
      equal(await here.next(), {n: 2}, "the first here")
      equal(here.take(), [], "more here")
    },
  },
  {
    name: "gets a broadcast of a megabyte, and small ones around it",
    async run(rig) {
      const {mine, other} = await two(rig)
      const shouts = rig.events(other, "shout")
      const large = "large ".repeat(LARGE / 6)
      for (const body of ["before", large, "after"]) await rig.push(mine, "shout", {body})
      for (const body of ["before", large, "after"]) equal(await shouts.next(), {body}, "broadcast")
    },
  },
  {
    name: "gets broadcasts of the endpoint, of its own topics only",
    async run(rig) {
      const {mine, other} = await two(rig)
      const elsewhere = await rig.join(mine.socket, rig.topic())
      const inboxes = [rig.events(mine, "news"), rig.events(other, "news")]
      const strayed = rig.events(elsewhere, "news")
      await rig.control("broadcast", {topic: mine.topic, event: "news", payload: '{"body":"from the endpoint"}'})
      for (const news of inboxes) equal(await news.next(), {body: "from the endpoint"}, "broadcast")
      equal(strayed.take(), [], "on the other topic")
    },
  },
  {
    name: "gets a publisher's broadcasts in their order",
    async run(rig) {
      const {mine, other} = await two(rig)
      const shouts = rig.events(other, "shout")
      for (let n = 0; n < MANY; n++) mine.push("shout", {n})
      const got = []
      while (got.length < MANY) got.push((await shouts.next()).n)
      equal(got, Array.from({length: MANY}, (_, n) => n), "order")
    },
  },
]

// two are channels of two sockets in one topic.
async function two(rig) {
  const topic = rig.topic()
  const [mine, other] = await Promise.all([rig.open(), rig.open()].map(async socket => rig.join(await socket, topic)))
  return {mine, other}
}
