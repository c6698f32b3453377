package lane_test

import (
	"runtime"
	"testing"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/internal/testleak"
)

func TestAHerdsPostingsLeaveNothing(t *testing.T) {
	l, nothing := lane.New(func() {}, 0), lane.Func(func() {})
	before := testleak.Heap()
	for range 1 << 17 {
		l.Post(nothing, nil)
	}
	full := testleak.Heap() - before
	l.Drain()
	if left := testleak.Heap() - before; left > full/20 {
		t.Errorf("%d of %d bytes are left", left, full)
	}
	runtime.KeepAlive(l)
}
