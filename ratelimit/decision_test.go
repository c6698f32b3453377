package ratelimit_test

import (
	"testing"
	"time"

	"github.com/roostgo/roost/ratelimit"
)

func TestADecisionFollowsFromTheWait(t *testing.T) {
	limit, shadow := ratelimit.Limit{Rate: 1}, ratelimit.Limit{Rate: 1, Shadow: true}
	for _, c := range []struct {
		limit ratelimit.Limit
		wait  time.Duration
		want  ratelimit.Decision
	}{
		{limit, 0, ratelimit.Decision{Allowed: true}},
		{limit, -1, ratelimit.Decision{Allowed: true}},
		{limit, 1, ratelimit.Decision{RetryAfter: 1}},
		{limit, ratelimit.Never, ratelimit.Decision{RetryAfter: ratelimit.Never}},
		{shadow, 0, ratelimit.Decision{Allowed: true}},
		{shadow, 1, ratelimit.Decision{Allowed: true, Shadowed: true, RetryAfter: 1}},
	} {
		if got := c.limit.Decide(c.wait); got != c.want {
			t.Errorf("%v, wait %v: got %+v, want %+v", c.limit, c.wait, got, c.want)
		}
	}
}
