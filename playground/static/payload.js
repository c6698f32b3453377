// Payload reads what was typed. Everything here throws an Error whose message can be shown as it is.

// json reads any JSON value; name says which field it came from ("payload").
export function json(typed, name) {
  if (typed.trim() === "") return {}
  try {
    return JSON.parse(typed)
  } catch (error) {
    throw new Error(`The ${name} is not valid JSON: ${reason(error.message)}`)
  }
}

// object reads a JSON object.
export function object(typed, name) {
  const value = json(typed, name)
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return value
  throw new Error(`The ${name} must be a JSON object, such as {"token": "abc"}.`)
}

// The ways to write a push's payload: how each is read, what it is to be told, and an example.
export const FORMATS = {
  json: {
    read: typed => json(typed, "payload"),
    hint: "",
    example: '{"body": "hello"}',
  },
  text: {
    read: typed => ({body: typed}),
    hint: 'Plain text, sent as {"body": "…"}.',
    example: "hello",
  },
  hex: {
    read: hex,
    hint: "Bytes in hexadecimal, sent as a binary frame.",
    example: "68 65 6c 6c 6f",
  },
}

function hex(typed) {
  const digits = typed.replace(/0x|[\s,:]/gi, "")
  if (/[^0-9a-f]/i.test(digits)) throw new Error("Bytes are written in hexadecimal: digits 0–9 and a–f, such as 68 65 6c.")
  if (digits.length % 2) throw new Error("Every byte has two hexadecimal digits; the last one here has only one.")
  return Uint8Array.from(digits.match(/../g) ?? [], pair => parseInt(pair, 16)).buffer
}

// reason shortens what the browser says about bad JSON, which repeats the text that one sees anyway.
function reason(message) {
  const said = message.replace(/^JSON\.parse: /, "").replace(/,? (?:\.\.\.)?"[\s\S]*" is not valid JSON$/, "").replace(/ in JSON at position \d+/, "")
  return /[.!?]$/.test(said) ? said : `${said}.`
}
