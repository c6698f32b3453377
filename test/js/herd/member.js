// A part of a herd: a process with many phoenix.js sockets, each joined to a topic. It says, a JSON
// line each time, when all have joined, and again when all are back after the server was away:
// {"joined": [times in ms]}.
//
//   node herd/member.js BASE COUNT

import {WebSocket} from "ws"

import {load} from "../clients.js"

const [base, count] = [process.argv[2], Number(process.argv[3])]
const Socket = await load("1.8.16")

let joined = []
for (let i = 0; i < count; i++) {
  const socket = new Socket(`${base.replace(/^http/, "ws")}/socket`, {transport: WebSocket})
  socket.connect()
  socket.channel(`room:herd${i % 10}`).join().receive("ok", () => arrived())
}

function arrived() {
  joined.push(Date.now())
  if (joined.length < count) return
  console.log(JSON.stringify({joined}))
  joined = []
}
