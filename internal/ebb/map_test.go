package ebb_test

import (
	"maps"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/roostgo/roost/internal/ebb"
	"github.com/roostgo/roost/internal/testleak"
)

func TestAMapHoldsWhatAMapHolds(t *testing.T) {
	var m ebb.Map[int, uint64]
	model := make(map[int]uint64)
	r := rand.New(rand.NewPCG(5, 6))
	for step := range 60_000 {
		key := r.IntN(2000)
		if grow := step/10_000%2 == 0; r.IntN(4) > 0 == grow { // now more come, now more go
			value := r.Uint64()
			m.Put(key, value)
			model[key] = value
		} else {
			m.Delete(key)
			delete(model, key)
		}
		if m.Len() != len(model) || m.Find(key) != model[key] {
			t.Fatalf("step %d: %d entries, %d under %d; want %d, %d", step, m.Len(), m.Find(key), key, len(model), model[key])
		}
	}
	if got := maps.Collect(m.All()); !maps.Equal(got, model) {
		t.Errorf("%d entries, want those of the model, %d", len(got), len(model))
	}
}

func TestAHerdsMemoryGoesWithIt(t *testing.T) {
	const herd, stay = 1 << 17, 100
	var m ebb.Map[int, int]
	before := testleak.Heap()
	for i := range herd {
		m.Put(i, i)
	}
	full := testleak.Heap() - before
	for i := range herd - stay {
		m.Delete(i)
	}
	if left := testleak.Heap() - before; left > full/20 {
		t.Errorf("%d of %d bytes are left for %d of %d entries", left, full, stay, herd)
	}
	runtime.KeepAlive(&m)
}

// TestAMapThatStaysSmallIsNotMadeAnew: a topic that comes and goes costs what
// it costs in a plain map.
func TestAMapThatStaysSmallIsNotMadeAnew(t *testing.T) {
	var m ebb.Map[int, int]
	m.Put(1, 1)
	if n := testing.AllocsPerRun(100, func() {
		for i := range 50 {
			m.Put(i, i)
		}
		for i := range 50 {
			m.Delete(i)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
