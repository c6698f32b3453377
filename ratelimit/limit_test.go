package ratelimit_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/roostgo/roost/ratelimit"
)

func TestImpossibleLimitsSayWhyAndHowToMendThem(t *testing.T) {
	for _, c := range []struct {
		limit ratelimit.Limit
		want  string // a part of the error; "" is none
	}{
		{ratelimit.Limit{}, ""},
		{ratelimit.Limit{Shadow: true}, ""},
		{ratelimit.Limit{Rate: 0.001}, ""},
		{ratelimit.Limit{Rate: 1e12, Burst: math.MaxInt32}, ""},
		{ratelimit.Limit{Rate: -1}, "use 0 for no limit"},
		{ratelimit.Limit{Rate: math.NaN()}, "use 0 for no limit"},
		{ratelimit.Limit{Rate: math.Inf(1)}, "use 0 for no limit"},
		{ratelimit.Limit{Rate: 2e12}, "up to 1e+12"},
		{ratelimit.Limit{Rate: 1, Burst: -1}, "use 0 for what comes in a second"},
		{ratelimit.Limit{Burst: 3}, `as in "10/s burst 3"`},
		{ratelimit.Limit{Rate: 1.0 / 3600, Burst: 1_000_000}, "more than ten years"},
		{ratelimit.Limit{Rate: math.SmallestNonzeroFloat64}, "more than ten years"},
	} {
		err := c.limit.Validate()
		if c.want == "" {
			if err != nil {
				t.Errorf("%+v: %v", c.limit, err)
			}
			continue
		}
		if !errors.Is(err, ratelimit.ErrImpossible) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.limit, err, c.want)
		}
	}
}

func TestNothingIsMadeOfAnImpossibleLimit(t *testing.T) {
	bad := ratelimit.Limit{Rate: -1}
	if _, err := ratelimit.NewLimiter(bad); !errors.Is(err, ratelimit.ErrImpossible) {
		t.Errorf("NewLimiter: %v", err)
	}
	if _, err := ratelimit.NewKeyed[int](ratelimit.Config{Limit: bad}); !errors.Is(err, ratelimit.ErrImpossible) {
		t.Errorf("NewKeyed: %v", err)
	}
}
