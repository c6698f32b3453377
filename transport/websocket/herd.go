package websocket

import (
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

// herd notices when very many connections come at once, puts up with their
// garbage meanwhile, and gives back what their upgrades left behind (net/http's
// buffers, goroutine stacks) when it is over. Go's own collector would do so as
// well, but only after as much garbage again.
//
// A herd is herdSize connections within one span of herdSpan. It is over with
// the first span that brings fewer.
type herd struct {
	wait     sync.WaitGroup
	underWay atomic.Bool // read by anybody, set with mu

	// Guarded by mu.
	mu    sync.Mutex
	off   bool
	began time.Time // this span
	count int       // adopted in it
}

const (
	herdSize = 256
	herdSpan = 2 * time.Second
)

// joined counts a connection that a loop has got.
func (h *herd) joined(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.off {
		return
	}
	h.next(now)
	if h.count++; h.count == herdSize && !h.underWay.Swap(true) {
		h.wait.Go(h.indulge) // ends with a collection at the latest; end waits for it
	}
}

// pending reports whether a herd is under way and will have to be tidied up after.
func (h *herd) pending() bool { return h.underWay.Load() }

// tidy gives memory back if a herd has been and is over. It is called now and
// then.
func (h *herd) tidy(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.off {
		h.next(now)
	}
}

// next begins a span, when one is over. mu is held.
func (h *herd) next(now time.Time) {
	if now.Sub(h.began) < herdSpan {
		return
	}
	goesOn := h.count >= herdSize
	h.began, h.count = now, 0
	switch {
	case !h.underWay.Load():
	case goesOn:
		h.wait.Go(h.indulge) // ends by itself; end waits for it
	default:
		h.underWay.Store(false)
		h.wait.Go(h.giveBack) // ends by itself; end waits for it
	}
}

// indulge puts up with the herd's garbage.
func (h *herd) indulge() { garbage.grant(h) }

// end takes the collector's indulgence back. Connections that come later do not
// count.
func (h *herd) end() {
	h.mu.Lock()
	h.off = true
	h.underWay.Store(false)
	h.mu.Unlock()
	h.wait.Wait()
	garbage.end(h)
}

// giveBack ends the threads that nobody needs now and collects twice, because
// what net/http keeps in its pools survives the first time.
func (h *herd) giveBack() {
	garbage.end(h)
	for range pprof.Lookup("threadcreate").Count() - keepThreads - runtime.GOMAXPROCS(0) {
		endThread()
	}
	runtime.GC()
	debug.FreeOSMemory()
}

// keepThreads is how many threads, beyond those that run Go code, are left.
const keepThreads = 6

// endThread ends one operating system thread. A herd's system calls make many,
// each with stacks of its own, and the runtime ends none by itself; a goroutine
// that returns while it is locked to its thread takes it along.
func endThread() {
	done := make(chan struct{})
	go func() { // ends at once
		runtime.LockOSThread()
		close(done)
	}()
	<-done
}
