package websocket

import (
	"math"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/lane"
)

func TestASweepTrimsWhatIsLent(t *testing.T) {
	l := startLoops(t).all()[0]
	left := 0
	l.lane.Post(lane.Func(func() {
		for range 100 { // nobody needs them, and nobody did since the last trim
			l.lent.free = append(l.lent.free, new(busy))
		}
		l.sweepAt = time.Now()
		l.tick()
		left = len(l.lent.free)
	}), nil)
	barrier(t, l)
	if left > 0 {
		t.Errorf("%d are left", left)
	}
}

func TestALongTimeoutIsNotAShortOne(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		0: 0, time.Minute: time.Minute, 50 * 24 * time.Hour: longest * time.Millisecond, math.MaxInt64: longest * time.Millisecond,
	} {
		if got := time.Duration(milliseconds(d)) * time.Millisecond; got != want {
			t.Errorf("%v closes after %v, want %v", d, got, want)
		}
	}
}
