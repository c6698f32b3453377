//go:build !linux

package websocket

// haveLoops says whether this system has event loops.
const haveLoops = false

func newLoops(*Config, *hoard) engine { panic("websocket: no event loops on this system") }
