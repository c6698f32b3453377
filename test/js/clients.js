// Clients are the versions of phoenix.js that are tested, and what each of them can do.

// binary: sends and receives binary frames. utf8Binary: topics and events of binary frames are UTF-8.
// returnsAfter1000: reconnects when the connection was closed with 1000, clean as that may be.
// rejoinOption: has rejoinAfterMs, apart from reconnectAfterMs.
export const clients = {
  "1.3.5": {binary: false, utf8Binary: false, returnsAfter1000: true, rejoinOption: false},
  "1.4.17": {binary: false, utf8Binary: false, returnsAfter1000: true, rejoinOption: true},
  "1.7.21": {binary: true, utf8Binary: false, returnsAfter1000: false, rejoinOption: true},
  "1.8.9": {binary: true, utf8Binary: true, returnsAfter1000: false, rejoinOption: true},
  "1.8.16": {binary: true, utf8Binary: true, returnsAfter1000: true, rejoinOption: true},
}

// load imports one of them in Node and returns its Socket. The older ones are CommonJS.
export async function load(version) {
  const module = await import(`phoenix-${version}`)
  return (module.Socket ? module : module.default).Socket
}
