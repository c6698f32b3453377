// Assert compares, in Node and in a browser alike.

export function ok(holds, what) {
  if (!holds) throw new Error(`not so: ${what}`)
}

export function equal(got, want, what) {
  if (text(got) !== text(want)) throw new Error(`${what}: got ${clip(text(got))}, want ${clip(text(want))}`)
}

// text is the same for equal values whatever the order of their keys; bytes count as such.
function text(value) {
  return JSON.stringify(value, (_, part) => {
    if (part instanceof ArrayBuffer) return {bytes: Array.from(new Uint8Array(part))}
    if (part === undefined) return {undefined: true}
    if (part === null || typeof part !== "object" || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

const clip = string => string.length > 400 ? `${string.slice(0, 400)}… (${string.length} characters)` : string
