package websocket

// HaveLoops says whether this system has event loops.
const HaveLoops = haveLoops

// Parked is how many connections the preferred engine has.
func (h *Handler) Parked() int64 { return h.engines.list[0].stats().Connections }
