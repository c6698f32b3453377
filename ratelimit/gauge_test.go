package ratelimit_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/roostgo/roost/ratelimit"
)

func gauge[K comparable](t *testing.T, c ratelimit.GaugeConfig) *ratelimit.Gauge[K] {
	t.Helper()
	g, err := ratelimit.NewGauge[K](c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func acquire[K comparable](t *testing.T, g *ratelimit.Gauge[K], key K, want error) {
	t.Helper()
	if err := g.Acquire(key); !errors.Is(err, want) {
		t.Errorf("key %v: got %v, want %v", key, err, want)
	}
}

func TestAnImpossibleGaugeSaysAllThatIsWrong(t *testing.T) {
	_, err := ratelimit.NewGauge[int](ratelimit.GaugeConfig{Max: -1, PerKey: -2})
	if !errors.Is(err, ratelimit.ErrImpossible) || !strings.Contains(err.Error(), "Max is -1") || !strings.Contains(err.Error(), "PerKey is -2") {
		t.Errorf("%v, want both faults", err)
	}
}

func TestAGaugeIsFullInAllAndPerKey(t *testing.T) {
	g := gauge[string](t, ratelimit.GaugeConfig{Max: 4, PerKey: 2})
	acquire(t, g, "a", nil)
	acquire(t, g, "a", nil)
	acquire(t, g, "a", ratelimit.ErrKeyFull)
	acquire(t, g, "b", nil)
	acquire(t, g, "c", nil)
	acquire(t, g, "d", ratelimit.ErrFull)
	acquire(t, g, "a", ratelimit.ErrKeyFull)
	g.Release("a")
	acquire(t, g, "d", nil)
	acquire(t, g, "a", ratelimit.ErrFull)
	want := ratelimit.GaugeStats{Allowed: 5, Full: 2, KeyFull: 2, Held: 4, HeldHigh: 4, Keys: 4, KeysHigh: 4, KeyHigh: 2}
	if got := g.Stats(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, key := range []string{"a", "b", "c", "d"} {
		g.Release(key)
	}
	want.Held, want.Keys = 0, 0
	if got := g.Stats(); got != want {
		t.Errorf("in the end %+v, want %+v", got, want)
	}
}

func TestWhatIsExemptCountsInAllOnly(t *testing.T) {
	g := gauge[string](t, ratelimit.GaugeConfig{Max: 3, PerKey: 1})
	for range 3 {
		if err := g.AcquireExempt(); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.AcquireExempt(); !errors.Is(err, ratelimit.ErrFull) {
		t.Errorf("got %v", err)
	}
	acquire(t, g, "a", ratelimit.ErrFull)
	g.ReleaseExempt()
	acquire(t, g, "a", nil)
	if s := g.Stats(); s.Held != 3 || s.Keys != 1 || s.Full != 2 {
		t.Errorf("%+v", s)
	}
}

func TestWhatIsClaimedStaysThereAndCountsForItsKey(t *testing.T) {
	for _, shadow := range []bool{false, true} {
		g := gauge[string](t, ratelimit.GaugeConfig{Max: 2, PerKey: 1, Shadow: shadow})
		for range 2 {
			if err := g.AcquireExempt(); err != nil {
				t.Fatal(err)
			}
		}
		if taken, err := g.Claim("a"); !taken || err != nil {
			t.Errorf("shadow %v: got %v, %v", shadow, taken, err)
		}
		if taken, err := g.Claim("a"); taken != shadow || !errors.Is(err, ratelimit.ErrKeyFull) {
			t.Errorf("shadow %v: a second one of the key: got %v, %v", shadow, taken, err)
		}
		want := ratelimit.GaugeStats{Allowed: 2, KeyFull: 1, Held: 2, HeldHigh: 2, Keys: 1, KeysHigh: 1, KeyHigh: 1}
		if shadow {
			want.KeyFull, want.Shadowed, want.KeyHigh = 0, 1, 2
		}
		if got := g.Stats(); got != want {
			t.Errorf("shadow %v: got %+v, want %+v", shadow, got, want)
		}
		g.Release("a")
		if shadow {
			g.Release("a")
		} else {
			g.ReleaseExempt()
		}
		if got := g.Stats(); got.Held != 0 || got.Keys != 0 {
			t.Errorf("shadow %v: in the end %+v", shadow, got)
		}
	}
}

func TestTheZeroGaugeConfigCountsAndLimitsNothing(t *testing.T) {
	g := gauge[int](t, ratelimit.GaugeConfig{})
	for i := range 100 {
		acquire(t, g, i%3, nil)
	}
	if s := g.Stats(); s.Held != 100 || s.Keys != 3 || s.KeyHigh != 34 || s.Allowed != 100 {
		t.Errorf("%+v", s)
	}
}

func TestAGaugeInShadowModeCountsOnceWhatItLetsPass(t *testing.T) {
	g := gauge[int](t, ratelimit.GaugeConfig{Max: 2, PerKey: 1, Shadow: true})
	acquire(t, g, 1, nil)
	acquire(t, g, 1, nil) // over PerKey
	acquire(t, g, 1, nil) // over both
	acquire(t, g, 2, nil) // over Max
	want := ratelimit.GaugeStats{Allowed: 1, Shadowed: 3, Held: 4, HeldHigh: 4, Keys: 2, KeysHigh: 2, KeyHigh: 3}
	if got := g.Stats(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for range 3 {
		g.Release(1)
	}
	g.Release(2)
	if s := g.Stats(); s.Held != 0 || s.Keys != 0 {
		t.Errorf("%+v", s)
	}
}

func TestReleasingWhatNobodyHoldsPanicsAndChangesNothing(t *testing.T) {
	g := gauge[string](t, ratelimit.GaugeConfig{})
	for name, release := range map[string]func(){"Release": func() { g.Release("a") }, "ReleaseExempt": g.ReleaseExempt} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, name+" of") {
					t.Errorf("%s: %q", name, text)
				}
			}()
			release()
		}()
	}
	acquire(t, g, "a", nil) // no lock was left behind
	if s := g.Stats(); s.Held != 1 || s.Keys != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAGaugeAgreesWithAListOfWhatIsHeld(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 4))
		c := ratelimit.GaugeConfig{Max: r.IntN(20), PerKey: r.IntN(4)}
		g := gauge[int](t, c)
		held, total := map[int]int{}, 0
		for range 500 {
			key := r.IntN(10)
			if held[key] > 0 && r.IntN(2) == 0 {
				g.Release(key)
				held[key]--
				total--
				continue
			}
			var want error
			switch {
			case c.PerKey > 0 && held[key] >= c.PerKey:
				want = ratelimit.ErrKeyFull
			case c.Max > 0 && total >= c.Max:
				want = ratelimit.ErrFull
			default:
				held[key]++
				total++
			}
			acquire(t, g, key, want)
		}
		keys := 0
		for _, n := range held {
			keys += min(n, 1)
		}
		if s := g.Stats(); s.Held != total || s.Keys != keys {
			t.Errorf("seed %d: %+v, want %d of %d keys", seed, s, total, keys)
		}
	}
}

func TestManyGoroutinesTogetherNeverHoldMoreThanMay(t *testing.T) {
	const most, perKey = 10, 3
	g := gauge[int](t, ratelimit.GaugeConfig{Max: most, PerKey: perKey})
	var held atomic.Int64
	var of [5]atomic.Int64
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 5))
			for range 2000 {
				key := r.IntN(len(of))
				if g.Acquire(key) != nil {
					continue
				}
				if n, k := held.Add(1), of[key].Add(1); n > most || k > perKey {
					t.Errorf("%d are held, %d of one key", n, k)
				}
				held.Add(-1)
				of[key].Add(-1)
				g.Release(key)
			}
		})
	}
	wg.Wait()
	s := g.Stats()
	if s.Held != 0 || s.Keys != 0 || s.HeldHigh > most || s.KeyHigh > perKey || s.Allowed+s.Full+s.KeyFull != 8*2000 {
		t.Errorf("%+v", s)
	}
}

func TestJudgeSaysWhatShadowModeLetsPass(t *testing.T) {
	for _, shadow := range []bool{false, true} {
		g := gauge[string](t, ratelimit.GaugeConfig{Max: 3, PerKey: 2, Shadow: shadow})
		judge := func(key string, want error) {
			t.Helper()
			taken, err := g.Judge(key)
			if !errors.Is(err, want) || taken != (want == nil || shadow) {
				t.Errorf("shadow %v: %s: got %v, %v, want %v", shadow, key, taken, err, want)
			}
		}
		judge("a", nil)
		judge("a", nil)
		judge("a", ratelimit.ErrKeyFull)
		if !shadow {
			judge("b", nil)
		}
		judge("b", ratelimit.ErrFull)
		if taken, err := g.JudgeExempt(); !errors.Is(err, ratelimit.ErrFull) || taken != shadow {
			t.Errorf("shadow %v: exempt: got %v, %v", shadow, taken, err)
		}
		s := g.Stats()
		if shadow && (s.Shadowed != 3 || s.Held != 5) || !shadow && (s.KeyFull != 1 || s.Full != 2 || s.Held != 3) {
			t.Errorf("shadow %v: %+v", shadow, s)
		}
	}
}
