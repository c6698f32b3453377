package lane_test

import (
	"runtime"
	"testing"

	"github.com/roostgo/roost/internal/lane"
)

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what only the first could see to be garbage: finalizers', pools'
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc) //nolint:gosec // far from the bound
}

func TestAHerdsPostingsLeaveNothing(t *testing.T) {
	l, nothing := lane.New(func() {}, 0), lane.Func(func() {})
	before := heap()
	for range 1 << 17 {
		l.Post(nothing, nil)
	}
	full := heap() - before
	l.Drain()
	if left := heap() - before; left > full/20 {
		t.Errorf("%d of %d bytes are left", left, full)
	}
	runtime.KeepAlive(l)
}
