//go:build !race

package workers_test

import (
	"testing"

	"github.com/roostgo/roost/internal/workers"
)

// Not with the race detector, which allocates itself.

type signal chan struct{}

func (s signal) Work() { s <- struct{}{} }

func TestSubmittingDoesNotAllocate(t *testing.T) {
	p, done := workers.New(0), make(signal)
	work := func() {
		p.Submit(done)
		<-done
	}
	if n := testing.AllocsPerRun(1000, work); n != 0 {
		t.Errorf("%v allocations", n)
	}
	drained(t, p)
}
