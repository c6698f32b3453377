package websocket

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// percentage is how much garbage the collector lets lie.
func percentage() int {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	return int(s[0].Value.Uint64()) //nolint:gosec // a few hundred
}

// come has n connections be adopted.
func (h *herd) come(n int) {
	for range n {
		h.joined(time.Now())
	}
	h.wait.Wait()
}

// trickle has one come each second, as the clock says.
func (h *herd) trickle(n int) {
	now := time.Now()
	for i := range n {
		h.joined(now.Add(time.Duration(i) * time.Second))
	}
	h.wait.Wait()
}

// later is what the loop does now and then, this much later.
func (h *herd) later(d time.Duration) {
	h.tidy(time.Now().Add(d))
	h.wait.Wait()
}

// over lets the herd end.
func (h *herd) over() {
	h.later(herdSpan)
	h.later(2 * herdSpan)
}

func TestAHerdsGarbageMayLieUntilTheHerdIsOver(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	runtime.GC() // what other tests left
	var h herd
	h.come(herdSize - 1)
	if h.pending() || percentage() != 100 {
		t.Errorf("before there are many: %d %%", percentage())
	}
	h.come(1)
	if !h.pending() || percentage() <= 100 {
		t.Errorf("of a herd: %d %%", percentage())
	}
	h.later(0)
	if !h.pending() || percentage() <= 100 {
		t.Errorf("while it goes on: %d %%", percentage())
	}
	h.later(herdSpan)
	if !h.pending() || percentage() <= 100 {
		t.Errorf("while it may go on: %d %%", percentage())
	}
	h.later(2 * herdSpan)
	if h.pending() || percentage() != 100 {
		t.Errorf("afterwards: %d %%", percentage())
	}
	h.come(herdSize)
	h.end()
	if percentage() != 100 {
		t.Errorf("after an end in the middle: %d %%", percentage())
	}
}

func TestManyConnectionsOneAfterTheOtherAreNoHerd(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	var h herd
	h.trickle(2 * herdSize)
	if h.pending() || percentage() != 100 {
		t.Errorf("%d %%, pending %v", percentage(), h.pending())
	}
}

func TestAHerdIsOverThoughSomeStillCome(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	runtime.GC()
	var h herd
	h.come(herdSize)
	raised := percentage()
	h.trickle(10)
	if h.pending() || percentage() != 100 || raised <= 100 {
		t.Errorf("%d %% during, %d afterwards, pending %v", raised, percentage(), h.pending())
	}
}

func TestAHerdThatComesAfterTheEndIsNone(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	var h herd
	h.end()
	h.come(2 * herdSize)
	h.over()
	if h.pending() || percentage() != 100 {
		t.Errorf("%d %%, pending %v", percentage(), h.pending())
	}
}

// TestHerdsOfTwoHandlersEndInAnyOrder: the second one's must not take the
// first one's allowance for the usual one.
func TestHerdsOfTwoHandlersEndInAnyOrder(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	runtime.GC()
	for _, first := range []int{0, 1} {
		var herds [2]herd
		herds[0].come(herdSize)
		debug.SetGCPercent(percentage() - 1) // as if the heap had been larger then
		herds[1].come(herdSize)
		raised := percentage()
		herds[first].over()
		if got := percentage(); got != raised || raised <= 100 {
			t.Errorf("%d %% after the end of herd %d, want %d while the other goes on", got, first, raised)
		}
		herds[1-first].end()
		if percentage() != 100 {
			t.Errorf("%d %% after the end of both, herd %d first", percentage(), first)
		}
	}
}

func TestAHerdLeavesALazierCollectorAlone(t *testing.T) {
	for _, usual := range []int{-1, 2 * mostPercent} {
		func() {
			defer debug.SetGCPercent(debug.SetGCPercent(usual))
			var h herd
			before := percentage()
			h.come(2 * herdSize)
			during := percentage()
			h.over()
			h.end()
			if during != before || percentage() != before {
				t.Errorf("%d %%: %d during, %d afterwards", before, during, percentage())
			}
		}()
	}
}

func TestALargeHeapIsAllowedNoMoreGarbageThanUsual(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	var a allowance
	a.usual = 100 // granted while the heap was small
	h := new(herd)
	h.underWay.Store(true)
	heap := make([]byte, 2*herdGarbage)
	runtime.GC()
	a.grant(h)
	if got := percentage(); got != 100 {
		t.Errorf("%d %% with %d MiB in use", got, len(heap)>>20)
	}
	runtime.KeepAlive(heap)
	a.end(h)
}

func TestKeepMemoryLeavesTheCollectorAlone(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	h := herd{off: true}
	h.come(2 * herdSize)
	if percentage() != 100 || h.pending() {
		t.Errorf("%d %%, pending %v", percentage(), h.pending())
	}
}

func TestAHerdsMemoryIsGivenBackToTheSystem(t *testing.T) {
	returned := func() uint64 {
		s := []metrics.Sample{{Name: "/memory/classes/heap/released:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	const size = 64 << 20
	before := returned()
	heap := make([]byte, size) // is mapped
	for i := 0; i < size; i += 4096 {
		heap[i] = 1
	}
	during := returned()
	runtime.KeepAlive(heap)
	new(herd).giveBack()
	if after := returned(); after < during+size/2 {
		t.Errorf("%d MiB were with the system before, %d during, %d afterwards", before>>20, during>>20, after>>20)
	}
}
