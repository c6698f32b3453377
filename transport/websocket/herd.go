package websocket

import (
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

// herd notices when very many connections came at once, puts up with their
// garbage meanwhile, and gives back what their upgrades left behind (net/http's buffers, goroutine stacks) when no
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
	h.newest.Store(time.Now().UnixNano())
	if h.count.Add(1) == herdSize {
		h.wait.Go(h.indulge) // ends with a collection at the latest; end waits for it
	}
}

// pending reports whether a herd waits to be tidied up after.
func (h *herd) pending() bool { return h.count.Load() >= herdSize }

// tidy gives memory back if a herd has been and is over. It is called now and
// then.
func (h *herd) tidy(now time.Time) {
	n := h.count.Load()
	switch {
	case n < herdSize:
	case now.UnixNano()-h.newest.Load() < int64(herdQuiet): // it goes on
		h.wait.Go(h.indulge) // ends by itself; end waits for it
	case h.count.CompareAndSwap(n, 0):
		h.wait.Go(h.giveBack) // ends by itself; end waits for it
	}
}

// indulge puts up with the herd's garbage.
func (h *herd) indulge() { garbage.grant(h) }

// end is called once, when no connection comes any more.
func (h *herd) end() {
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
