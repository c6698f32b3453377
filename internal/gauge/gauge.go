// Package gauge reads what a process may run short of: the time that goroutines
// wait for a processor, memory, descriptors. A reading takes a few microseconds
// and no goroutine.
package gauge

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
)

const (
	latencies = "/sched/latencies:seconds"
	total     = "/memory/classes/total:bytes"
	released  = "/memory/classes/heap/released:bytes"
)

// Runtime reads what the Go runtime knows. Its owner reads one at a time.
type Runtime struct {
	samples [3]metrics.Sample
	before  []uint64 // the histogram at the last reading
	limit   uint64   // of memory, in bytes; 0: none
}

// NewRuntime returns a gauge whose first reading begins now. The memory limit
// is GOMEMLIMIT or that of the process's control group, whichever is less, as
// they are now.
func NewRuntime() *Runtime {
	r := &Runtime{limit: least(memoryLimit(), groupLimit())}
	for i, name := range []string{latencies, total, released} {
		r.samples[i].Name = name
	}
	r.Waited()
	return r
}

// most is the part of goroutines that waited for no longer than Waited says: a
// rare long wait is no overload.
const most = .9

// Waited is how many seconds nine of ten goroutines waited at most, from when
// they were ready to when they ran, since the last reading. It is 0 when there
// were none.
func (r *Runtime) Waited() float64 {
	metrics.Read(r.samples[:1])
	h := r.samples[0].Value.Float64Histogram()
	if r.before == nil {
		r.before = make([]uint64, len(h.Counts))
	}
	var n uint64
	for i, c := range h.Counts {
		r.before[i], n = c-r.before[i], n+c-r.before[i]
	}
	waited := quantile(h.Buckets, r.before, n)
	copy(r.before, h.Counts)
	return waited
}

// quantile is the upper end of the bucket in which most of n are reached.
func quantile(buckets []float64, counts []uint64, n uint64) float64 {
	if n == 0 {
		return 0
	}
	left := uint64(math.Ceil(most * float64(n)))
	for i, c := range counts {
		if c >= left {
			return finite(buckets, i+1)
		}
		left -= c
	}
	return finite(buckets, len(buckets)-1)
}

// finite is a bucket's end, or its beginning when it has no end.
func finite(buckets []float64, i int) float64 {
	if math.IsInf(buckets[i], 1) {
		return buckets[i-1]
	}
	return buckets[i]
}

// Memory is which part of the memory limit the process uses, by what the
// runtime has from the system; 0 without a limit.
func (r *Runtime) Memory() float64 {
	if r.limit == 0 {
		return 0
	}
	metrics.Read(r.samples[1:])
	return float64(r.samples[1].Value.Uint64()-r.samples[2].Value.Uint64()) / float64(r.limit)
}

// memoryLimit is GOMEMLIMIT; 0 is none.
func memoryLimit() uint64 {
	if n := debug.SetMemoryLimit(-1); n > 0 && n < math.MaxInt64 {
		return uint64(n)
	}
	return 0
}

// least is the smaller of two limits, of which 0 is none.
func least(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
