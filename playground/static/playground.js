// Playground connects the page's forms, its log and one socket.

import {Log} from "./log.js"
import {FORMATS, json, object} from "./payload.js"
import {Socket} from "./socket.js"
import * as words from "./words.js"

const FIRST_TOPIC = "room:lobby"
const STATES = {closed: "Disconnected", connecting: "Connecting", open: "Connected", waiting: "Trying again"}
const CHIP_STATES = {joining: "joining…", errored: "waiting to rejoin", joined: ""}

const page = document.documentElement
const find = id => document.getElementById(id)
const log = new Log({list: find("log"), scroll: find("scroll"), empty: find("empty"), latest: find("latest"), count: find("count")})

const payloads = new Map() // topic -> the payload that it was joined with
let socket = null
let pending = [FIRST_TOPIC] // the topics to join once there is a connection; null when they are the socket's affair
let format = "json"
let lastClosed = "" // what the log said last about a connection that did not come about

start()

function start() {
  find("url").value = location.origin.replace(/^http/, "ws") + page.dataset.socketPath
  find("payload").value = FORMATS.json.example
  listen()
  showTopics()
  showCurl()
  if ("needsToken" in page.dataset) askForToken()
  else connect(topicsToKeep())
}

function askForToken() {
  say("connection", words.TOKEN_NEEDED)
  find("token").focus()
}

function listen() {
  on("connection", "submit", () => socket && socket.state !== "closed" ? socket.disconnect() : connect(topicsToKeep()))
  on("join", "submit", join)
  on("push", "submit", push)
  on("push", "input", showCurl)
  on("filter", "input", filter)
  on("heartbeats", "change", filter)
  on("pause", "click", pause)
  on("clear", "click", () => log.clear())
  on("copy", "click", copy)
  for (const radio of document.getElementsByName("format")) radio.addEventListener("change", () => choose(radio.value))
  for (const area of document.querySelectorAll("textarea")) area.addEventListener("keydown", submitOnCtrlEnter)
  for (const form of document.forms) form.addEventListener("input", () => say(form.id, ""))
}

function on(id, event, act) {
  find(id).addEventListener(event, happened => {
    if (event === "submit") happened.preventDefault()
    act(happened)
  })
}

function submitOnCtrlEnter(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return
  event.preventDefault()
  event.target.form.requestSubmit()
}

// say puts a problem beside the form's button, in place of the one before; "" takes it away.
function say(form, problem, field = null) {
  const place = find(`${form}-problem`)
  if (place.textContent !== problem) place.textContent = problem // an alert is read out at every change
  for (const input of find(form).elements) input.removeAttribute("aria-invalid")
  if (!problem || !field) return
  find(field).setAttribute("aria-invalid", "true")
  find(field).closest("details")?.setAttribute("open", "")
  find(field).focus()
}

// Connection

// connect opens a new socket with what the form says; the topics are joined once it is open.
function connect(topics) {
  say("connection", "")
  const url = find("url").value.trim()
  const params = attempt("connection", "params", () => object(find("params").value, "connect params"))
  if (!params) return
  const made = attempt("connection", "token", () => new Socket(url, {params, token: find("token").value.trim()}))
  if (!made) return
  follow(made, topics)
  try {
    made.connect()
  } catch (error) {
    return say("connection", words.address(url, error), "url")
  }
  pending = topics
  socket = made
  showState()
}

// topicsToKeep are those that a socket had when it was disconnected by hand.
function topicsToKeep() { return pending ?? [...socket.channels.keys()] }

function follow(made, topics) {
  made.addEventListener("state", () => { if (made === socket) showState() })
  made.addEventListener("latency", showLatency)
  made.addEventListener("channels", showTopics)
  made.addEventListener("frame", ({detail}) => record(detail))
  made.addEventListener("garbled", ({detail}) => note(`A frame arrived that is no Phoenix message: ${detail.error.message}`, true))
  made.addEventListener("dropped", ({detail}) => showDropped(detail))
  made.addEventListener("closed", ({detail}) => showClosed(made, detail))
  made.addEventListener("state", function first() {
    if (made.state !== "open") return
    made.removeEventListener("state", first)
    pending = null
    topics.forEach(topic => enter(topic, payloads.get(topic) ?? {}))
  })
}

function showState() {
  page.dataset.state = socket.state
  find("state").textContent = STATES[socket.state]
  const connected = socket.state !== "closed"
  find("connect").textContent = connected ? "Disconnect" : "Connect"
  for (const id of ["url", "token", "params"]) find(id).readOnly = connected
  if (socket.state === "open") { say("connection", ""); note(`Connected to ${socket.url}`) }
}

function showLatency() {
  const {latency} = socket
  find("latency").hidden = latency === null
  if (latency !== null) find("latency").textContent = latency < 10 ? `${latency.toFixed(1)} ms` : `${Math.round(latency)} ms`
}

// A server that is down is said once in the log, however often it is tried.
function showClosed(made, detail) {
  const said = detail.byUs && detail.code === 1000 ? "Disconnected." : words.closed(detail, made.url)
  if (!detail.byUs || detail.code !== 1000) say("connection", said)
  if (detail.opened || said !== lastClosed) note(said, !detail.byUs)
  lastClosed = detail.opened ? "" : said
}

// Topics

function join() {
  const topic = find("join-topic").value.trim()
  if (!topic) return say("join", "A topic is needed, such as room:lobby.", "join-topic")
  const payload = attempt("join", "join-payload", () => json(find("join-payload").value, "join payload"))
  if (payload === undefined) return
  if (socket?.state !== "open") return say("join", words.failed(new Error("not connected")))
  if (socket.channels.has(topic)) return say("join", `${topic} is joined already.`, "join-topic")
  enter(topic, payload)
}

async function enter(topic, payload) {
  say("join", "")
  payloads.set(topic, payload)
  const channel = socket.channel(topic, payload)
  try {
    const {status, response} = await channel.join()
    if (status !== "ok") return say("join", words.refused(topic, response))
    if (channel.state === "joined") select(topic)
  } catch (error) {
    say("join", `${topic} was not joined. ${words.failed(error)}`)
  }
}

function select(topic) {
  find("push-topic").value = topic
  showCurl()
}

function showDropped({channel, reason}) {
  const said = words.dropped(channel.topic, reason)
  say("join", said)
  note(said, true)
}

function showTopics() {
  const channels = socket ? [...socket.channels.values()] : []
  find("topics").replaceChildren(...channels.map(chip))
  const chosen = find("push-topic").value
  find("push-topic").replaceChildren(...options(channels))
  if (socket?.channels.has(chosen)) find("push-topic").value = chosen
  find("push-topic").disabled = channels.length === 0
  showCurl()
}

function options(channels) {
  if (channels.length === 0) return [new Option("Join a topic first", "")]
  return channels.map(({topic}) => new Option(topic, topic))
}

function chip(channel) {
  const item = document.createElement("li")
  item.className = "chip"
  item.dataset.test = "topic"
  item.dataset.topic = channel.topic
  item.dataset.state = channel.state
  item.append(span("name", channel.topic), span("chip-state", CHIP_STATES[channel.state] ?? ""), leaveButton(channel))
  return item
}

function leaveButton(channel) {
  const button = document.createElement("button")
  button.type = "button"
  button.textContent = "Leave"
  button.dataset.test = "leave"
  button.setAttribute("aria-label", `Leave ${channel.topic}`)
  button.addEventListener("click", () => { channel.leave(); find("join-topic").focus() })
  return button
}

function span(className, text) {
  const made = document.createElement("span")
  made.className = className
  made.textContent = text
  return made
}

// Push

async function push() {
  find("reply").textContent = ""
  find("reply").dataset.status = ""
  const event = find("event").value.trim()
  const channel = socket?.channels.get(find("push-topic").value)
  if (!channel) return say("push", "Join a topic first: an event is pushed to a joined topic.")
  if (!event) return say("push", "An event is needed, such as shout.", "event")
  const payload = attempt("push", "payload", () => FORMATS[format].read(find("payload").value))
  if (payload === undefined) return
  say("push", "")
  await send(channel, event, payload)
}

async function send(channel, event, payload) {
  const sent = performance.now()
  try {
    const {status, response} = await channel.push(event, payload)
    find("reply").dataset.status = status
    find("reply").textContent = `${said(status, response)} · ${(performance.now() - sent).toFixed(1)} ms`
  } catch (error) {
    say("push", words.failed(error))
  }
}

function said(status, response) {
  if (response instanceof ArrayBuffer) return `${status}, ${response.byteLength} bytes`
  const text = JSON.stringify(response)
  if (text === undefined || text === "{}") return status
  return `${status} ${text.length > 120 ? `${text.slice(0, 120)}…` : text}`
}

function choose(chosen) {
  const area = find("payload")
  if (area.value.trim() === "" || area.value === FORMATS[format].example) area.value = FORMATS[chosen].example
  format = chosen
  find("payload-hint").textContent = FORMATS[format].hint
  say("push", "")
  showCurl()
}

// attempt runs read; what it throws is said beside the form, and undefined returned.
function attempt(form, field, read) {
  try {
    return read()
  } catch (error) {
    say(form, error.message, field)
  }
}

// Log

function record({direction, message, bytes}) {
  const heartbeat = message.topic === "phoenix"
  log.add({...message, kind: failing(message) ? "fault" : direction, at: new Date(), bytes, heartbeat})
}

function failing({event, payload}) {
  return event === "phx_error" || (event === "phx_reply" && payload?.status === "error")
}

function note(text, failed = false) { log.add({kind: "note", at: new Date(), payload: text, failed}) }

function filter() { log.filter(find("filter").value, find("heartbeats").checked) }

function pause() {
  log.pause(!log.paused)
  find("pause").setAttribute("aria-pressed", String(log.paused))
  find("pause").textContent = log.paused ? "Resume" : "Pause"
}

// Curl

// showCurl keeps the line up to date with the form; while the payload cannot be read, the line stays.
function showCurl() {
  try {
    find("curl").textContent = curlLine(curlPayload())
  } catch { /* the form says so when it is pushed */ }
}

// Bytes have no place in the JSON of the HTTP API.
function curlPayload() {
  return format === "hex" ? {body: "hello"} : FORMATS[format].read(find("payload").value)
}

function curlLine(payload) {
  const message = {topic: find("push-topic").value || FIRST_TOPIC, event: find("event").value.trim() || "shout", payload}
  return [
    `curl -X POST ${new URL(page.dataset.broadcastPath, location.href)} \\`,
    ...("needsKey" in page.dataset ? ['  -H "Authorization: Bearer $ROOST_API_KEY" \\'] : []),
    "  -H 'Content-Type: application/json' \\",
    `  -d ${quoted(JSON.stringify(message))}`,
  ].join("\n")
}

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`

// The clipboard is there on https and on localhost only; elsewhere the line is selected.
async function copy() {
  try {
    await navigator.clipboard.writeText(find("curl").textContent)
    find("copied").textContent = "Copied"
  } catch {
    getSelection().selectAllChildren(find("curl"))
    find("copied").textContent = "Selected: press Ctrl+C or ⌘C"
  }
  setTimeout(() => { find("copied").textContent = "" }, 2500)
}
