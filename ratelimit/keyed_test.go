package ratelimit_test

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/ratelimit"
)

func keyed[K comparable](t *testing.T, c ratelimit.Config) *ratelimit.Keyed[K] {
	t.Helper()
	k, err := ratelimit.NewKeyed[K](c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// pass lets a bubble's time pass.
func pass(d time.Duration) { <-time.After(d) }

func TestEachKeyHasItsBurstAndThenItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keyed[string](t, ratelimit.Config{Limit: ratelimit.Limit{Rate: 10, Burst: 3}})
		for _, key := range []string{"", "a", "b"} {
			for i := range 3 {
				if d := k.Take(key, 1); d != (ratelimit.Decision{Allowed: true}) {
					t.Fatalf("event %d of %q: %+v", i, key, d)
				}
			}
			if d := k.Take(key, 1); d != (ratelimit.Decision{RetryAfter: 100 * time.Millisecond}) {
				t.Errorf("after the burst of %q: %+v", key, d)
			}
		}
		pass(100*time.Millisecond - 1)
		if d := k.Take("a", 1); d.Allowed || d.RetryAfter != 1 {
			t.Errorf("a nanosecond too early: %+v", d)
		}
		pass(1)
		if d := k.Take("a", 1); !d.Allowed {
			t.Errorf("in time: %+v", d)
		}
		pass(time.Hour)
		if d := k.Take("a", 4); d.Allowed || d.RetryAfter != ratelimit.Never {
			t.Errorf("more than the burst: %+v", d)
		}
		if d := k.Take("a", 3); !d.Allowed {
			t.Errorf("the burst after a pause: %+v", d)
		}
		want := ratelimit.Stats{Allowed: 11, Refused: 5, Keys: 1, KeysHigh: 3, UsedHigh: 3, Places: 65_536}
		if got := k.Stats(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestTheZeroConfigLimitsNothingAndRemembersNobody(t *testing.T) {
	k := keyed[int](t, ratelimit.Config{})
	for i := range 100 {
		if d := k.Take(i, math.MaxInt); d != (ratelimit.Decision{Allowed: true}) {
			t.Fatalf("%+v", d)
		}
	}
	if got := k.Stats(); got != (ratelimit.Stats{Allowed: 100, Places: ratelimit.DefaultKeys}) {
		t.Errorf("%+v", got)
	}
}

func TestShadowModeCountsWhatItLetsPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keyed[int](t, ratelimit.Config{Limit: ratelimit.Limit{Rate: 1, Burst: 2, Shadow: true}})
		for range 5 {
			if d := k.Take(1, 1); !d.Allowed {
				t.Errorf("%+v", d)
			}
		}
		if d := k.Take(1, 1); d != (ratelimit.Decision{Allowed: true, Shadowed: true, RetryAfter: time.Second}) {
			t.Errorf("%+v", d)
		}
		pass(time.Second) // what passed in shadow mode took nothing
		if d := k.Take(1, 1); d.Shadowed {
			t.Errorf("%+v", d)
		}
		if s := k.Stats(); s.Allowed != 3 || s.Shadowed != 4 || s.Refused != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestKeysWhoseBucketIsFullTakeNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keyed[int](t, ratelimit.Config{Limit: ratelimit.Limit{Rate: 1}, Keys: 64})
		for i := range 10_000 { // one each second: there is never more than one
			if d := k.Take(i, 1); !d.Allowed {
				t.Fatalf("key %d: %+v", i, d)
			}
			pass(time.Second)
		}
		want := ratelimit.Stats{Allowed: 10_000, KeysHigh: 64, UsedHigh: 1, Places: 64}
		got := k.Stats()
		if got.KeysHigh < 1 || got.KeysHigh > 64 {
			t.Errorf("%+v", got)
		}
		if got.KeysHigh = want.KeysHigh; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestAFloodOfKeysForgetsTheFullestAndKeepsTheOffender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keyed[int](t, ratelimit.Config{Limit: ratelimit.Limit{Rate: 1, Burst: 10}, Keys: 64})
		offender := -1
		for k.Take(offender, 1).Allowed { // its bucket is empty
		}
		for i := range 10_000 {
			if d := k.Take(i, 1); !d.Allowed {
				t.Fatalf("the flood locks key %d out: %+v", i, d)
			}
			if k.Take(offender, 1).Allowed {
				t.Fatalf("key %d has the offender forgotten", i)
			}
		}
		s := k.Stats()
		if s.Keys != 64 || s.KeysHigh != 64 || s.Evicted != 10_001-64 {
			t.Errorf("%+v", s)
		}
	})
}

func TestWhatTakesNothingDisplacesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keyed[int](t, ratelimit.Config{Limit: ratelimit.Limit{Rate: 1, Burst: 2}, Keys: 8})
		for key := range 8 {
			k.Take(key, 2)
		}
		for i := range 1000 {
			k.Take(100+i, 0) // free
			k.Take(100+i, 3) // refused
		}
		if s := k.Stats(); s.Keys != 8 || s.Evicted != 0 {
			t.Errorf("%+v", s)
		}
		for key := range 8 {
			if k.Take(key, 1).Allowed {
				t.Errorf("key %d was forgotten", key)
			}
		}
	})
}

func TestWhatAnAttackerWithManyKeysGetsIsWhatNewKeysGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keys, burst, rounds = 1000, 5, 10
		k := keyed[int](t, ratelimit.Config{Limit: ratelimit.Limit{Rate: 1.0 / 3600, Burst: burst}, Keys: 64})
		passed := 0
		for range rounds {
			for key := range keys {
				for k.Take(key, 1).Allowed {
					passed++
				}
			}
		}
		if passed > rounds*keys*burst {
			t.Errorf("%d passed: more than if each round brought new keys", passed)
		}
		if s := k.Stats(); s.Evicted == 0 || s.Keys != 64 {
			t.Errorf("%+v: nothing was evicted", s)
		}
	})
}

func TestATableThatIsAQuarterTakenForgetsNextToNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keyed[int](t, ratelimit.Config{Limit: ratelimit.Limit{Rate: 1}, Keys: 1 << 16})
		for i := range 1 << 14 {
			k.Take(i, 1)
		}
		s := k.Stats()
		if s.Evicted > 20 || s.Keys+int(s.Evicted) != 1<<14 { // 2 or so, by Poisson's distribution
			t.Errorf("%+v", s)
		}
	})
}

func TestPlacesAreRoundedUp(t *testing.T) {
	for keys, want := range map[int]int{-1: 65_536, 0: 65_536, 1: 8, 8: 8, 9: 16, 100: 128, 1000: 1024, 100_000: 131_072} {
		if got := keyed[int](t, ratelimit.Config{Keys: keys}).Stats().Places; got != want {
			t.Errorf("%d keys: %d places, want %d", keys, got, want)
		}
	}
}

func TestAKeyThatComesBackIsCountedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keyed[int](t, ratelimit.Config{Limit: ratelimit.Limit{Rate: 1}, Keys: 8})
		for round := range 3 {
			for key := range 3 {
				k.Take(key, 1)
			}
			if s := k.Stats(); s.Keys != 3 || s.KeysHigh != 3 || s.Evicted != 0 {
				t.Errorf("round %d: %+v", round, s)
			}
			pass(time.Second)
			if round == 1 {
				continue // nobody looks
			}
			if s := k.Stats(); s.Keys != 0 || s.KeysHigh != 3 {
				t.Errorf("round %d, later: %+v", round, s)
			}
		}
	})
}

func TestManyGoroutinesTogetherGetNoMoreThanTheBurst(t *testing.T) {
	k := keyed[string](t, ratelimit.Config{Limit: ratelimit.Limit{Rate: 1.0 / 3600, Burst: 100}, Keys: 1000})
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 1000 {
				if k.Take("shared", 1).Allowed {
					allowed.Add(1)
				}
				k.Take(fmt.Sprint(i%10), 0)
				if i%100 == 0 {
					k.Stats()
				}
			}
		})
	}
	wg.Wait()
	if n := allowed.Load(); n != 100 {
		t.Errorf("%d passed, want 100", n)
	}
	if s := k.Stats(); s.Allowed != 100+8*1000 || s.Refused != 8*1000-100 || s.Keys != 1 {
		t.Errorf("%+v", s)
	}
}
