// Inbox keeps what happened, in order, until a test asks for it. Nothing is polled for, nothing slept for.

export const DEADLINE_MS = 30000

export class Inbox {
  #items = []
  #waiting = [] // {wanted, resolve}

  // what names the thing in the error of a test that waited in vain.
  constructor(what) { this.what = what }

  put(item) {
    const index = this.#waiting.findIndex(({wanted}) => wanted(item))
    if (index < 0) this.#items.push(item)
    else this.#waiting.splice(index, 1)[0].resolve(item)
  }

  // next resolves to the first item that is wanted, be it here already or still to come.
  next(wanted = () => true, deadline = DEADLINE_MS) {
    const index = this.#items.findIndex(wanted)
    if (index >= 0) return Promise.resolve(this.#items.splice(index, 1)[0])
    return within(deadline, `${this.what}; here are: ${describe(this.#items)}`, new Promise(resolve => {
      this.#waiting.push({wanted, resolve})
    }))
  }

  // take empties the inbox.
  take() { return this.#items.splice(0) }
}

// within rejects when the promise takes longer than it may.
export function within(deadline, what, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${deadline} ms in vain for ${what}`)), deadline)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function describe(items) {
  const text = JSON.stringify(items.map(item => item instanceof Error ? item.message : item)) ?? ""
  return text.length > 500 ? `${text.slice(0, 500)}…` : text
}
