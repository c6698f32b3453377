//go:build linux

package bench

// heart sends each connection's heartbeats, one connection after the other.
type heart struct {
	order          heartbeatOrder
	sent, answered int
}

func (h *heart) begin(o heartbeatOrder) {
	h.order = o
	h.sent = 0
}

func (h *heart) tick(w *worker, now int64) int64 {
	if h.order.Every == 0 || len(w.conns) == 0 {
		return never
	}
	rate := float64(len(w.conns)) * 1e9 / float64(h.order.Every)
	for {
		due := scheduled(h.order.At, uint64(h.sent), rate)
		if due > now {
			return due
		}
		i := h.sent % len(w.conns)
		h.sent++
		if w.conns[i].state == joined {
			w.text = append(w.text[:0], heartbeat...)
			w.sendFrame(i, opText, w.text)
		}
	}
}
