//go:build linux

package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// samples draws durations as different as latencies are: within a bucket, over
// all magnitudes, with outliers, all the same.
func samples(r *rand.Rand, n int) map[string][]int64 {
	kinds := map[string]func() int64{
		"uniform":   func() int64 { return r.Int64N(1e6) },
		"magnitude": func() int64 { return int64(math.Exp(r.Float64() * 40)) },
		"outliers":  func() int64 { return 1e5 + r.Int64N(1e4)*r.Int64N(2) + 1e9*max(r.Int64N(100)-98, 0) },
		"constant":  func() int64 { return 123456789 },
		"small":     func() int64 { return r.Int64N(130) },
		"largest":   func() int64 { return math.MaxInt64 - r.Int64N(2) },
	}
	drawn := map[string][]int64{}
	for name, draw := range kinds {
		for range n {
			drawn[name] = append(drawn[name], draw())
		}
	}
	return drawn
}

func TestQuantilesAreWithinAHundredAndTwentyEighth(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 20 {
		for name, values := range samples(r, 1+r.IntN(3000)) {
			var h histogram
			for _, v := range values {
				h.add(v)
			}
			slices.Sort(values)
			for _, q := range []float64{0, .01, .5, .9, .99, .999, 1} {
				rank := max(int(math.Ceil(q*float64(len(values)))), 1)
				exact := float64(values[rank-1])
				if got := float64(h.quantile(q)); math.Abs(got-exact) > exact/128+1 {
					t.Fatalf("round %d, %d values, %s: quantile %v is %v, exactly %v", round, len(values), name, q, got, exact)
				}
			}
		}
	}
}

func TestMergedHistogramsAreThatOfAllValues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, values := range samples(r, 1000) {
		var whole, merged histogram
		parts := make([]histogram, 3)
		for i, v := range values {
			whole.add(v)
			parts[i%2].add(v) // the third stays empty
		}
		for i := range parts {
			b, err := json.Marshal(&parts[i])
			if err != nil {
				t.Fatal(err)
			}
			var travelled histogram
			if err := json.Unmarshal(b, &travelled); err != nil {
				t.Fatal(err)
			}
			merged.merge(&travelled)
		}
		merged.merge(nil)
		if merged != whole {
			t.Errorf("%s: merged n %d min %d max %d, whole n %d min %d max %d",
				name, merged.n, merged.min, merged.max, whole.n, whole.min, whole.max)
		}
	}
}

func TestBucketsFollowOneAnother(t *testing.T) {
	for i := range bucketCount - 1 {
		if a, b := middleOf(i), middleOf(i+1); a >= b || bucketOf(a) != i {
			t.Fatalf("bucket %d: middle %d, the next one's %d, it is in bucket %d", i, a, b, bucketOf(a))
		}
	}
	if got := bucketOf(math.MaxUint64); got != bucketCount-1 {
		t.Errorf("the largest value is in bucket %d of %d", got, bucketCount)
	}
}

func TestAnEmptyHistogramHasOnlyZeros(t *testing.T) {
	var h histogram
	if h.quantile(.99) != 0 || h.mean() != 0 {
		t.Error("want zeros")
	}
	h.add(-5)
	if h.n != 1 || h.max != 0 {
		t.Errorf("a negative duration counts as %d", h.max)
	}
}

func TestHistogramsFromElsewhereAreChecked(t *testing.T) {
	for _, text := range []string{fmt.Sprintf(`{"buckets":[[%d,1]]}`, bucketCount), `[]`, `{"n":-1}`} {
		if err := json.Unmarshal([]byte(text), new(histogram)); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}

func BenchmarkHistogramAdd(b *testing.B) {
	var h histogram
	v := int64(1)
	for b.Loop() {
		v = v*31 + 7
		h.add(v >> 20)
	}
}
