// Words say in plain language what happened to a connection, a join or a push.

const CLOSED = {
  1000: "The server closed the connection.",
  1001: "The server ended this connection.",
  1002: "The server closed the connection: it saw a protocol error, or nothing from here for too long.",
  1006: "The connection was lost.",
  1007: "The server closed the connection: it was sent text that is not UTF-8.",
  1009: "The server closed the connection: a message was too large.",
  1011: "The server closed the connection after an error.",
  1012: "The server is restarting.",
  3000: "The server did not answer the heartbeat.",
}

export const TOKEN_NEEDED = "The server asks who you are: paste a token and connect. “roost token” makes one."

// closed explains a close code; opened is false when there was no connection yet.
export function closed({code, opened}, url) {
  if (!opened) return `No connection to ${url}: nothing answers there, or the server refuses this page or its token (the browser does not say which).`
  return CLOSED[code] ?? `The server closed the connection with code ${code}.`
}

// refused explains a join's reply that is not ok.
export function refused(topic, response) {
  return `The server refused ${topic}: ${why(response)}`
}

// dropped explains why the server ended a channel; see the "dropped" event of Socket.
export function dropped(topic, reason) {
  if (reason.closed) return `The server closed ${topic}.`
  if (reason.crashed) return `${topic} crashed on the server. Joining again.`
  if (reason.error) return `${topic} was not joined again: ${failed(reason.error)}`
  return refused(topic, reason.refused)
}

const FAILED = {
  "not connected": "There is no connection. Connect first.",
  "not joined": "The topic is not joined at the moment.",
  "connection lost": "The connection was lost before the reply.",
  "no reply": "No reply within 10 seconds.",
}

// failed explains an error of Socket or Channel.
export function failed(error) { return FAILED[error.message] ?? error.message }

// address explains why a WebSocket address was not accepted.
export function address(url, error) {
  if (error.name === "SecurityError") return "A page over https may only connect to a wss:// address."
  return `“${url}” is not a WebSocket address. One looks like ws://127.0.0.1:4000/socket/websocket.`
}

function why(response) {
  const reason = response?.reason ?? response
  const said = typeof reason === "string" ? reason : JSON.stringify(reason)
  return said === "{}" || said === undefined ? "no reason given." : `“${said}”.`
}
