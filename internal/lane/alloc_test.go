//go:build !race

package lane_test

import (
	"testing"

	"github.com/roostgo/roost/internal/lane"
)

// Not with the race detector, which allocates itself.

func TestPostingsDoNotAllocate(t *testing.T) {
	l, nothing := lane.New(func() {}, 0), lane.Func(func() {})
	post := func() {
		for range 100 {
			l.Post(nothing, nil)
			l.Send(nothing, nil)
		}
		l.Drain()
	}
	post() // both lists grow
	if n := testing.AllocsPerRun(100, post); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
