package killing

import (
	"testing"
	"time"
)

func TestACanaryNotesLatenciesToASixteenth(t *testing.T) {
	for d := 16 * time.Microsecond; d < time.Hour; d += d/7 + time.Microsecond {
		least, next := latency(bucket(d)), latency(bucket(d)+1)
		if us := d.Truncate(time.Microsecond); us < least || us >= next || next-least > least/16 {
			t.Errorf("%v is counted as %v to %v", d, least, next)
		}
	}
	k := new(canary)
	for i := range 1000 {
		k.asked++
		k.counts[bucket(time.Duration(i+1)*time.Millisecond)]++
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond} {
		if got := k.quantile(q); got > want || got < want*15/16 {
			t.Errorf("quantile %v of 1 to 1,000 ms: got %v", q, got)
		}
	}
}
