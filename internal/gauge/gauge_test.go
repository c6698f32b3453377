package gauge

import (
	"math"
	"os"
	"runtime"
	"sync"
	"testing"
)

func TestGoroutinesThatWaitForAProcessorAreSeen(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r := NewScheduler()
	var wg sync.WaitGroup
	for range 200 { // each runs for a while before the next one can
		wg.Go(func() {
			sum := 0
			for i := range 1_000_000 {
				sum += i
			}
			runtime.KeepAlive(sum)
		})
	}
	wg.Wait()
	if waited := r.Waited(); waited < 1e-3 || waited > 60 {
		t.Errorf("nine of ten waited %v s at most", waited)
	}
}

func TestOnlyWhatCameSinceTheLastReadingCounts(t *testing.T) {
	buckets := []float64{0, 1, 2, math.Inf(1)}
	for _, c := range []struct {
		counts []uint64
		want   float64
	}{
		{[]uint64{0, 0, 0}, 0},
		{[]uint64{1, 0, 0}, 1},
		{[]uint64{9, 1, 0}, 1},
		{[]uint64{8, 2, 0}, 2},
		{[]uint64{0, 0, 5}, 2}, // without an end
	} {
		var n uint64
		for _, k := range c.counts {
			n += k
		}
		if got := quantile(buckets, c.counts, n); got != c.want {
			t.Errorf("%v: got %v, want %v", c.counts, got, c.want)
		}
	}
}

func TestDescriptorsAreCounted(t *testing.T) {
	before := Descriptors()
	if before == 0 {
		t.Skip("this system does not say how many there are")
	}
	for range 100 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if after := Descriptors(); after <= before || after > 1 {
		t.Errorf("%v before, and %v with 100 more", before, after)
	}
}
