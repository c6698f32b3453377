package ratelimit_test

import (
	"testing"

	"github.com/roostgo/roost/ratelimit"
)

func TestStatsAreAddedUpFieldByField(t *testing.T) {
	a := ratelimit.Stats{Allowed: 1, Refused: 2, Shadowed: 3, Evicted: 4, Keys: 5, KeysHigh: 6, Places: 7}
	b := ratelimit.Stats{Allowed: 10, Refused: 20, Shadowed: 30, Evicted: 40, Keys: 50, KeysHigh: 60, Places: 70}
	if got := a.Plus(b); got != (ratelimit.Stats{Allowed: 11, Refused: 22, Shadowed: 33, Evicted: 44, Keys: 55, KeysHigh: 66, Places: 77}) {
		t.Errorf("%+v", got)
	}
}
