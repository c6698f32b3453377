package websocket

import (
	"runtime"
	"testing"

	"github.com/roostgo/roost/internal/testleak"
)

func TestAHerdOfLinksLeavesNothing(t *testing.T) {
	e := newGoroutines(new(Config), newHoard(0)).(*goroutines)
	herd := make([]link, 1<<14)
	before := testleak.Heap()
	for i := range herd {
		e.links.Put(&herd[i], struct{}{})
	}
	full := testleak.Heap() - before
	for i := range herd {
		e.forget(&herd[i])
	}
	if left := testleak.Heap() - before; left > full/20 {
		t.Errorf("%d of %d bytes are left", left, full)
	}
	runtime.KeepAlive(e)
	runtime.KeepAlive(herd)
}
