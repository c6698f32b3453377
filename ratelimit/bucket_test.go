package ratelimit_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/ratelimit"
)

func TestALimiterJudgesBucketsThatOthersKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := ratelimit.NewLimiter(ratelimit.Limit{Rate: 1000, Burst: 500})
		if err != nil {
			t.Fatal(err)
		}
		var a, b ratelimit.Bucket
		if d := l.Take(&a, 500); !d.Allowed {
			t.Errorf("a's burst: %+v", d)
		}
		if d := l.Take(&a, 100); d.Allowed || d.RetryAfter != 100*time.Millisecond {
			t.Errorf("a over its burst: %+v", d)
		}
		if d := l.Take(&b, 100); !d.Allowed {
			t.Errorf("b: %+v", d)
		}
		pass(100 * time.Millisecond)
		if d := l.Take(&a, 100); !d.Allowed {
			t.Errorf("a later: %+v", d)
		}
		if s := l.Stats(); s != (ratelimit.Stats{Allowed: 3, Refused: 1, UsedHigh: 500}) {
			t.Errorf("%+v", s)
		}
	})
}

func TestWhoAsksTakesNothingAndARefusalCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := ratelimit.NewLimiter(ratelimit.Limit{Rate: 1, Burst: 2})
		none, _ := ratelimit.NewLimiter(ratelimit.Limit{})
		var b ratelimit.Bucket
		for range 3 {
			if d := l.Ask(b, 2); !d.Allowed || !none.Ask(b, 2).Allowed {
				t.Errorf("got %+v", d)
			}
		}
		l.Take(&b, 1)
		if asked, taken := l.Ask(b, 2), l.Take(&b, 2); asked != taken || asked.RetryAfter != time.Second {
			t.Errorf("Ask says %+v, Take %+v", asked, taken)
		}
		if s := l.Stats(); s != (ratelimit.Stats{Allowed: 1, Refused: 2, UsedHigh: 1}) {
			t.Errorf("got %+v", s)
		}
	})
}

func TestALimiterWithoutALimitAndOneInShadowModeLetAllPass(t *testing.T) {
	var b ratelimit.Bucket
	none, _ := ratelimit.NewLimiter(ratelimit.Limit{})
	shadow, _ := ratelimit.NewLimiter(ratelimit.Limit{Rate: 1.0 / 3600, Shadow: true})
	for range 3 {
		if d := none.Take(&b, 1); d != (ratelimit.Decision{Allowed: true}) {
			t.Errorf("%+v", d)
		}
	}
	for range 3 {
		if d := shadow.Take(&b, 1); !d.Allowed {
			t.Errorf("%+v", d)
		}
	}
	if s := none.Stats().Plus(shadow.Stats()); s != (ratelimit.Stats{Allowed: 4, Shadowed: 2, UsedHigh: 1}) {
		t.Errorf("%+v", s)
	}
}

func TestAChargeTakesWhatIsThereAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none, _ := ratelimit.NewLimiter(ratelimit.Limit{})
		none.Charge(new(ratelimit.Bucket), 1)
		l, _ := ratelimit.NewLimiter(ratelimit.Limit{Rate: 10, Burst: 5})
		var b ratelimit.Bucket
		l.Charge(&b, 3)
		if s := l.Stats(); s.UsedHigh != 3 {
			t.Errorf("a charge is not in the high-water mark: %+v", s)
		}
		if d := l.Take(&b, 3); d.Allowed || d.RetryAfter != 100*time.Millisecond {
			t.Errorf("after three of five: %+v", d)
		}
		for _, cost := range []int{0, 3, 1, math.MaxInt} {
			l.Charge(&b, cost)
		}
		if d := l.Take(&b, 1); d.Allowed || d.RetryAfter != 100*time.Millisecond {
			t.Errorf("of an empty bucket: %+v", d)
		}
		pass(100 * time.Millisecond)
		if d := l.Take(&b, 1); !d.Allowed {
			t.Errorf("later: %+v", d)
		}
		if s := l.Stats().Plus(none.Stats()); s != (ratelimit.Stats{Allowed: 7, Refused: 2, UsedHigh: 5}) {
			t.Errorf("%+v", s)
		}
	})
}
