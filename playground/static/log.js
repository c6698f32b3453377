// Log shows what passed: one row per entry, newest last, bounded, with a pause and a filter.
//
// An entry is {kind, at, topic, event, payload, ref, joinRef, bytes, heartbeat}; kind is "in", "out",
// "fault" (came in, and says that something failed) or "note" (said by this page; its text is the
// payload). Whatever came from the network reaches the page as text only.

const ROWS = 500
const PREVIEW_CHARS = 300
const WHOLE_CHARS = 65536
const PREVIEW_BYTES = 48
const WHOLE_BYTES = 4096

const GLYPHS = {in: "↓", out: "↑", fault: "↓", note: "·"}
const WORDS = {in: "received", out: "sent", fault: "received, an error", note: "note"}

export class Log {
  #rows = [] // {element, haystack, heartbeat, spoken}, oldest first
  #waiting = [] // entries that are not on the page yet
  #scheduled = false
  #needle = ""
  #heartbeats = true
  #spoken = false // an event of a user has been here: the hint has done its work
  #following = true // the view stays at the newest row

  // view is {list, scroll, empty, latest, count}: elements of the page.
  constructor(view) {
    this.view = view
    this.paused = false
    view.scroll.addEventListener("scroll", () => this.#scrolled(), {passive: true})
    view.list.addEventListener("toggle", () => this.#scrolled(), true) // who opens a row wants to read it
    view.latest.addEventListener("click", () => this.#follow())
  }

  add(entry) {
    this.#waiting.push(entry)
    if (this.#waiting.length > ROWS) this.#waiting.shift()
    if (this.paused) this.#count()
    else this.#schedule()
  }

  pause(paused) {
    this.paused = paused
    if (!paused) this.#flush()
    this.#count()
  }

  clear() {
    this.#rows = []
    this.#waiting = []
    this.#spoken = false
    this.view.list.replaceChildren()
    this.#following = true
    this.#settle()
  }

  filter(needle, heartbeats) {
    this.#needle = needle.trim().toLowerCase()
    this.#heartbeats = heartbeats
    for (const row of this.#rows) row.element.hidden = !this.#shows(row)
    this.#settle()
  }

  // A burst costs one layout: rows enter the page together.
  #schedule() {
    if (this.#scheduled) return
    this.#scheduled = true
    setTimeout(() => { this.#scheduled = false; if (!this.paused) this.#flush() }, 16)
  }

  #flush() {
    const rows = this.#waiting.map(entry => this.#row(entry))
    this.#waiting = []
    this.#spoken ||= rows.some(row => row.spoken)
    this.#rows.push(...rows)
    this.view.list.append(...rows.map(row => row.element))
    for (const row of this.#rows.splice(0, Math.max(0, this.#rows.length - ROWS))) row.element.remove()
    this.#settle()
  }

  #settle() {
    this.view.empty.hidden = this.#spoken
    if (this.#following) this.view.scroll.scrollTop = this.view.scroll.scrollHeight
    this.view.latest.hidden = this.#following
    this.#count()
  }

  #follow() {
    this.#following = true
    this.#settle()
  }

  #scrolled() {
    const {scrollTop, scrollHeight, clientHeight} = this.view.scroll
    this.#following = scrollHeight - clientHeight - scrollTop < 24
    this.view.latest.hidden = this.#following
  }

  #count() {
    const shown = this.#rows.filter(row => !row.element.hidden).length
    const parts = [shown === this.#rows.length ? `${shown}` : `${shown} of ${this.#rows.length}`]
    if (this.#rows.length === ROWS) parts.push(`the last ${ROWS} are kept`)
    if (this.paused && this.#waiting.length > 0) parts.push(`${this.#waiting.length} waiting`)
    this.view.count.textContent = this.#rows.length + this.#waiting.length > 0 ? parts.join(" · ") : ""
  }

  #shows({haystack, heartbeat}) {
    return (this.#heartbeats || !heartbeat) && haystack.includes(this.#needle)
  }

  #row(entry) {
    const whole = render(entry.payload)
    const row = {
      element: entry.kind === "note" ? noteRow(entry) : messageRow(entry, whole),
      haystack: `${entry.topic ?? ""} ${entry.event ?? ""} ${whole}`.toLowerCase(),
      heartbeat: Boolean(entry.heartbeat),
      spoken: !entry.heartbeat && entry.event !== undefined && !entry.event.startsWith("phx_"),
    }
    row.element.hidden = !this.#shows(row)
    return row
  }
}

function noteRow({at, payload, failed}) {
  const row = element("li", "row note")
  row.dataset.test = "row"
  row.dataset.kind = "note"
  if (failed) row.classList.add("failed")
  const line = element("div", "line")
  line.append(element("time", "time", clock(at)), glyph("note"), element("span", "said", payload))
  row.append(line)
  return row
}

function messageRow(entry, whole) {
  const row = element("li", `row ${entry.kind}`)
  row.dataset.test = "row"
  row.dataset.kind = entry.kind
  if (entry.heartbeat) row.classList.add("heartbeat")

  const line = element("summary", "line")
  line.append(
    element("time", "time", clock(entry.at)), glyph(entry.kind),
    part("topic", entry.topic), part("event", entry.event), part("payload", preview(entry.payload, whole)),
  )
  const details = element("details")
  details.append(line)
  const kept = whole.length < WHOLE_CHARS ? entry : {...entry, payload: whole} // a row does not hold megabytes
  details.addEventListener("toggle", () => unfold(details, kept, whole), {once: true})
  row.append(details)
  return row
}

// unfold fills in what only an opened row shows.
function unfold(details, entry, whole) {
  const facts = [["ref", entry.ref], ["join ref", entry.joinRef], ["size", size(entry.bytes)]]
  const said = facts.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => `${name} ${value}`)
  const body = element("pre", "whole", pretty(entry.payload, whole))
  body.tabIndex = 0
  details.append(element("p", "facts", said.join("  ·  ")), body)
}

function glyph(kind) {
  const span = element("span", "glyph")
  const mark = element("span", "", GLYPHS[kind])
  mark.setAttribute("aria-hidden", "true")
  span.append(mark, element("span", "unseen", WORDS[kind]))
  return span
}

function part(name, text) {
  const span = element("span", name, text)
  span.dataset.test = `row-${name}`
  return span
}

function element(tag, className = "", text = "") {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text) made.textContent = text
  return made
}

// render is the payload as text, no longer than a row keeps.
function render(payload) {
  if (typeof payload === "string") return cut(payload, WHOLE_CHARS)
  const bytes = binaryIn(payload)
  return bytes ? hex(bytes, WHOLE_BYTES) : cut(JSON.stringify(payload) ?? "", WHOLE_CHARS)
}

function preview(payload, whole) {
  const bytes = binaryIn(payload)
  if (!bytes) return cut(whole, PREVIEW_CHARS)
  const status = bytes === payload ? "" : `${payload.status} `
  return `${status}${size(bytes.byteLength)}  ${hex(bytes, PREVIEW_BYTES)}`
}

function pretty(payload, whole) {
  if (binaryIn(payload) || whole.length >= WHOLE_CHARS) return whole
  return JSON.stringify(payload, null, 2)
}

// binaryIn finds the bytes of a binary message: the payload itself, or the response of a reply.
function binaryIn(payload) {
  if (payload instanceof ArrayBuffer) return payload
  return payload?.response instanceof ArrayBuffer ? payload.response : null
}

function hex(buffer, limit) {
  const shown = new Uint8Array(buffer, 0, Math.min(limit, buffer.byteLength))
  const digits = Array.from(shown, byte => byte.toString(16).padStart(2, "0")).join(" ")
  return buffer.byteLength > limit ? `${digits} …` : digits
}

const cut = (text, limit) => text.length > limit ? `${text.slice(0, limit)}…` : text

function size(bytes) {
  if (bytes === undefined) return undefined
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

function clock(at) {
  const two = n => String(n).padStart(2, "0")
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`
}
