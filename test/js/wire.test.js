// The playground's own wire format, against that of phoenix.js.

import assert from "node:assert/strict"
import {it} from "node:test"

import {Serializer} from "phoenix-1.8.16"

import {decode, encode, protocols, query} from "../../playground/static/wire.js"

const bytes = (...values) => Uint8Array.from(values).buffer
const frame = (kind, fields, payload) => {
  const encoded = fields.map(field => Buffer.from(field))
  return Uint8Array.from([kind, ...encoded.map(field => field.length), ...Buffer.concat(encoded), ...new Uint8Array(payload)]).buffer
}

const messages = [
  {joinRef: "1", ref: "2", topic: "room:a", event: "shout", payload: {body: "hello"}},
  {joinRef: null, ref: "3", topic: "phoenix", event: "heartbeat", payload: {}},
  {joinRef: "1", ref: "2", topic: "room:a", event: "bin", payload: bytes(1, 2, 3)},
  {joinRef: "", ref: "", topic: "room:ø\u{1F426}", event: "שלום", payload: bytes()},
]

it("writes the frames that phoenix.js writes", () => {
  for (const {joinRef, ...message} of messages) {
    const want = Serializer.encode({...message, join_ref: joinRef}, frame => frame)
    assert.deepEqual(encode({...message, joinRef}), want)
  }
})

it("reads the frames that phoenix.js reads", () => {
  const frames = [
    '["1","2","room:a","phx_reply",{"status":"ok","response":{}}]',
    frame(0, ["1", "room:ø", "binpush"], bytes(0, 1)),
    frame(1, ["1", "2", "room:a", "ok"], bytes(1, 2, 3, 255)),
    frame(2, ["room:a", "binbcast"], bytes(9)),
  ]
  for (const data of frames) {
    const want = Serializer.decode(data, message => message)
    const {topic, event, payload, joinRef, ref} = decode(data)
    assert.deepEqual({topic, event, payload}, {topic: want.topic, event: want.event, payload: want.payload})
    assert.deepEqual([joinRef, ref], [want.join_ref ?? null, want.ref ?? null])
  }
})

it("refuses what is no message, and fields that do not fit", () => {
  assert.throws(() => decode(bytes(7, 0, 0)), /unknown kind 7/)
  assert.throws(() => decode("{"), SyntaxError)
  assert.throws(() => encode({...messages[2], topic: "x".repeat(256)}), RangeError)
})

it("writes params as Phoenix reads them", () => {
  assert.equal(query({token: "a b", nested: {list: ["x", "y"]}, none: {}}), "token=a%20b&nested%5Blist%5D%5B0%5D=x&nested%5Blist%5D%5B1%5D=y")
})

it("offers a token as phoenix.js does", () => {
  for (const token of ["SFMyNTY.g2gDYSpuBgBkqvlWmgFiAAFRgA.xyz-_", "a", "ab", "abc"]) {
    assert.deepEqual(protocols(token), ["phoenix", `base64url.bearer.phx.${btoa(token).replace(/=/g, "")}`])
  }
  assert.deepEqual(protocols(""), [])
})

it("says that a token cannot be sent", () => {
  for (const token of ["tökén", "line\nbreak", "ab?"]) assert.throws(() => protocols(token), /^TypeError: The token has characters/)
})
