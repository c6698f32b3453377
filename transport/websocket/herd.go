package websocket

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// herd notices when very many connections came at once, and gives back what
// their upgrades left behind (net/http's buffers, goroutine stacks) when no
// more are coming. Go's own collector would do so as well, but only after as
// much garbage again.
type herd struct {
	off    bool
	wait   sync.WaitGroup
	newest atomic.Int64 // when the last connection was adopted, Unix nanoseconds
	count  atomic.Int64 // adopted since the last tidying
}

const (
	herdSize  = 256
	herdQuiet = 2 * time.Second
)

func (h *herd) joined() {
	if h.off {
		return
	}
	h.count.Add(1)
	h.newest.Store(time.Now().UnixNano())
}

// pending reports whether a herd waits to be tidied up after.
func (h *herd) pending() bool { return h.count.Load() >= herdSize }

// tidy gives memory back if a herd has been and is over.
func (h *herd) tidy(now time.Time) {
	n := h.count.Load()
	if n < herdSize || now.UnixNano()-h.newest.Load() < int64(herdQuiet) || !h.count.CompareAndSwap(n, 0) {
		return
	}
	h.wait.Go(giveBack) // ends by itself; shutdown waits for it
}

// giveBack collects twice, because what net/http keeps in its pools survives
// the first time.
func giveBack() {
	runtime.GC()
	debug.FreeOSMemory()
}
