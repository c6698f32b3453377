//go:build linux

package bench

import (
	"encoding/json"
	"errors"
	"math/bits"
)

// subBuckets is how many buckets an octave has. A value is told from its
// neighbours to 1/64; the middle of its bucket is off by at most 1/128.
const (
	subBuckets  = 64
	subBits     = 6
	bucketCount = subBuckets * (64 - subBits + 1)
)

var errHistogram = errors.New("bench: bucket outside of the histogram")

// histogram counts durations in nanoseconds in log-linear buckets.
//
// The zero value is empty and ready. Adding does not allocate. Negative values
// count as 0. A histogram is not safe for concurrent use; those of several
// workers travel as JSON and are merged.
type histogram struct {
	n, sum   uint64
	min, max uint64
	counts   [bucketCount]uint64
}

// add counts one duration of ns nanoseconds.
func (h *histogram) add(ns int64) {
	v := uint64(max(ns, 0))
	if h.n == 0 || v < h.min {
		h.min = v
	}
	h.max = max(h.max, v)
	h.n++
	h.sum += v
	h.counts[bucketOf(v)]++
}

// merge adds what o has counted.
func (h *histogram) merge(o *histogram) {
	if o == nil || o.n == 0 {
		return
	}
	if h.n == 0 || o.min < h.min {
		h.min = o.min
	}
	h.max = max(h.max, o.max)
	h.n += o.n
	h.sum += o.sum
	for i, c := range o.counts {
		h.counts[i] += c
	}
}

// quantile is the value that a share q of all values does not exceed, in
// nanoseconds, to 1/128 of itself; 0 if nothing was counted.
func (h *histogram) quantile(q float64) int64 {
	rank := uint64(q * float64(h.n))
	if float64(rank) < q*float64(h.n) || rank == 0 {
		rank++
	}
	for i, c := range h.counts {
		if c >= rank {
			return int64(min(max(middleOf(i), h.min), h.max))
		}
		rank -= c
	}
	return int64(h.max)
}

// mean is the arithmetic mean in nanoseconds, 0 if nothing was counted.
func (h *histogram) mean() float64 {
	if h.n == 0 {
		return 0
	}
	return float64(h.sum) / float64(h.n)
}

// bucketOf numbers the buckets: below 64 each value has its own, above that
// each octave has 64.
func bucketOf(v uint64) int {
	if v < subBuckets {
		return int(v)
	}
	octave := bits.Len64(v) - subBits - 1
	return octave*subBuckets + int(v>>octave)
}

// middleOf is the middle of bucket i.
func middleOf(i int) uint64 {
	if i < 2*subBuckets {
		return uint64(i)
	}
	octave := i/subBuckets - 1
	low := uint64(i-octave*subBuckets) << octave
	return low + 1<<octave/2
}

// sparse is a histogram on its way between processes.
type sparse struct {
	N       uint64      `json:"n"`
	Sum     uint64      `json:"sum"`
	Min     uint64      `json:"min"`
	Max     uint64      `json:"max"`
	Buckets [][2]uint64 `json:"buckets"`
}

// MarshalJSON writes the buckets that are not empty.
func (h *histogram) MarshalJSON() ([]byte, error) {
	s := sparse{N: h.n, Sum: h.sum, Min: h.min, Max: h.max}
	for i, c := range h.counts {
		if c > 0 {
			s.Buckets = append(s.Buckets, [2]uint64{uint64(i), c})
		}
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (h *histogram) UnmarshalJSON(b []byte) error {
	var s sparse
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*h = histogram{n: s.N, sum: s.Sum, min: s.Min, max: s.Max}
	for _, b := range s.Buckets {
		if b[0] >= bucketCount {
			return errHistogram
		}
		h.counts[b[0]] = b[1]
	}
	return nil
}
