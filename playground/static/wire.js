// Wire turns messages into frames and back: Phoenix V2, JSON arrays as text and binary pushes.
//
// A message is {joinRef, ref, topic, event, payload}. A payload that is an ArrayBuffer travels
// as bytes, everything else as JSON.

const KIND = {push: 0, reply: 1, broadcast: 2}
const FIELD_LIMIT = 255 // a length is one byte

const utf8 = new TextEncoder()
const text = new TextDecoder()

// encode returns what WebSocket.send takes: a string, or an ArrayBuffer for a binary payload.
// It throws a RangeError for a topic, event or ref of more than 255 bytes beside a binary payload.
export function encode(message) {
  if (message.payload instanceof ArrayBuffer) return encodeBinary(message)
  const {joinRef, ref, topic, event, payload} = message
  return JSON.stringify([joinRef, ref, topic, event, payload])
}

// decode reads one frame: the data of a WebSocket message event. It throws for what is neither.
export function decode(data) {
  if (data instanceof ArrayBuffer) return decodeBinary(data)
  const [joinRef, ref, topic, event, payload] = JSON.parse(data)
  return {joinRef, ref, topic, event, payload}
}

function encodeBinary({joinRef, ref, topic, event, payload}) {
  const fields = [joinRef ?? "", ref ?? "", topic, event].map(field => utf8.encode(field))
  const long = fields.find(field => field.length > FIELD_LIMIT)
  if (long) throw new RangeError(`a binary frame has room for ${FIELD_LIMIT} bytes per field, not ${long.length}`)

  const parts = [Uint8Array.of(KIND.push, ...fields.map(field => field.length)), ...fields, new Uint8Array(payload)]
  const frame = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  parts.reduce((at, part) => { frame.set(part, at); return at + part.length }, 0)
  return frame.buffer
}

// What follows the kind byte: the fields by name, in the order of their lengths.
const LAYOUT = {
  [KIND.push]: ["joinRef", "topic", "event"], // from the server: without a ref
  [KIND.reply]: ["joinRef", "ref", "topic", "status"],
  [KIND.broadcast]: ["topic", "event"],
}

function decodeBinary(buffer) {
  const bytes = new Uint8Array(buffer)
  const names = LAYOUT[bytes[0]]
  if (!names) throw new TypeError(`a binary frame of the unknown kind ${bytes[0]}`)

  let at = 1 + names.length
  const fields = {}
  names.forEach((name, i) => {
    fields[name] = text.decode(bytes.subarray(at, at + bytes[1 + i]))
    at += bytes[1 + i]
  })
  return shape(fields, buffer.slice(at))
}

// shape makes a binary reply look like a JSON one: its bytes become the response.
function shape({joinRef = null, ref = null, topic, event, status}, payload) {
  if (status === undefined) return {joinRef, ref, topic, event, payload}
  return {joinRef, ref, topic, event: "phx_reply", payload: {status, response: payload}}
}

// protocols are the subprotocols that carry a token, as phoenix.js sends its authToken; none without
// one. It throws a TypeError for a token that has no place there.
export function protocols(token) {
  if (!token) return []
  const encoded = /^[\x20-\x7e]*$/.test(token) ? btoa(token).replace(/=+$/, "") : "/"
  if (encoded.includes("/")) throw new TypeError("The token has characters that no browser sends in one: a token is of letters, digits, dots, dashes and underscores.")
  return ["phoenix", `base64url.bearer.phx.${encoded}`]
}

// query writes params as Phoenix reads them: {a: {b: 1}} becomes a[b]=1.
export function query(params, parent = "") {
  return Object.entries(params).map(([key, value]) => {
    const name = parent ? `${parent}[${key}]` : key
    if (value !== null && typeof value === "object") return query(value, name)
    return `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
  }).filter(Boolean).join("&")
}
