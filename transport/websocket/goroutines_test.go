package websocket

import (
	"runtime"
	"testing"
)

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what only the first could see to be garbage: finalizers', pools'
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc) //nolint:gosec // far from the bound
}

func TestAHerdOfLinksLeavesNothing(t *testing.T) {
	e := newGoroutines(new(Config)).(*goroutines)
	herd := make([]link, 1<<14)
	before := heap()
	for i := range herd {
		e.links.Put(&herd[i], struct{}{})
	}
	full := heap() - before
	for i := range herd {
		e.forget(&herd[i])
	}
	if left := heap() - before; left > full/20 {
		t.Errorf("%d of %d bytes are left", left, full)
	}
	runtime.KeepAlive(e)
	runtime.KeepAlive(herd)
}
