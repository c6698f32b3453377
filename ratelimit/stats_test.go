package ratelimit_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/ratelimit"
)

func TestStatsAreAddedUpFieldByField(t *testing.T) {
	a := ratelimit.Stats{Allowed: 1, Refused: 2, Shadowed: 3, Evicted: 4, Keys: 5, KeysHigh: 6, Places: 7, UsedHigh: 9}
	b := ratelimit.Stats{Allowed: 10, Refused: 20, Shadowed: 30, Evicted: 40, Keys: 50, KeysHigh: 60, Places: 70, UsedHigh: 8}
	if got := a.Plus(b); got != (ratelimit.Stats{Allowed: 11, Refused: 22, Shadowed: 33, Evicted: 44, Keys: 55, KeysHigh: 66, Places: 77, UsedHigh: 9}) {
		t.Errorf("%+v", got)
	}
}

func TestTheMostThatSomebodyUsedOfABurstIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := ratelimit.Limit{Rate: 10, Burst: 5}
		limiter, _ := ratelimit.NewLimiter(limit)
		k := keyed[string](t, ratelimit.Config{Limit: limit})
		var b ratelimit.Bucket
		take := func(cost, want int) {
			t.Helper()
			limiter.Take(&b, cost)
			k.Take("a", cost)
			k.Take("b", 1)
			if l, k := limiter.Stats().UsedHigh, k.Stats().UsedHigh; l != want || k != want {
				t.Errorf("got %d and %d, want %d", l, k, want)
			}
		}
		take(2, 2)
		pass(100 * time.Millisecond)
		take(2, 3) // one of the two was back
		pass(time.Second)
		take(1, 3)
		take(9, 3) // is refused, and takes nothing
		take(4, 5)
	})
	none, _ := ratelimit.NewLimiter(ratelimit.Limit{})
	none.Take(new(ratelimit.Bucket), 7)
	if n := none.Stats().UsedHigh; n != 0 {
		t.Errorf("%d of no limit are used", n)
	}
}
