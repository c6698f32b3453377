// Package gauge reads what a process may run short of: the time that goroutines
// wait for a processor, memory, descriptors. A reading takes a few microseconds,
// with control groups some tens, and no goroutine.
package gauge

import (
	"math"
	"runtime/metrics"
)

// Scheduler reads how long goroutines wait for a processor. Its owner reads one
// at a time.
type Scheduler struct {
	sample [1]metrics.Sample
	before []uint64 // the histogram at the last reading
}

// NewScheduler returns a gauge whose first reading begins now.
func NewScheduler() *Scheduler {
	s := &Scheduler{sample: [1]metrics.Sample{{Name: "/sched/latencies:seconds"}}}
	s.Waited()
	return s
}

// most is the part of goroutines that waited for no longer than Waited says: a
// rare long wait is no overload.
const most = .9

// Waited is how many seconds nine of ten goroutines waited at most, from when
// they were ready to when they ran, since the last reading. It is 0 when there
// were none.
func (s *Scheduler) Waited() float64 {
	metrics.Read(s.sample[:])
	h := s.sample[0].Value.Float64Histogram()
	if s.before == nil {
		s.before = make([]uint64, len(h.Counts))
	}
	var n uint64
	for i, c := range h.Counts {
		s.before[i], n = c-s.before[i], n+c-s.before[i]
	}
	waited := quantile(h.Buckets, s.before, n)
	copy(s.before, h.Counts)
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
