package websocket

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// keeper is a connection that is told that it has to go.
type keeper struct {
	share
	evictions int
}

func (k *keeper) evict() { k.evictions++ }

func newKeeper() *keeper {
	k := new(keeper)
	k.owner = k
	return k
}

func TestWhoKeepsMuchForLongGoesBeforeWhoKeepsMoreSinceNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHoard(100_000)
		old, large, late := newKeeper(), newKeeper(), newKeeper()
		h.set(&old.share, 40_000)
		time.Sleep(time.Second) //nolint:forbidigo // of synctest
		h.set(&large.share, 50_000)
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // of synctest
		h.set(&late.share, 30_000)
		if old.evictions != 1 || large.evictions != 0 || late.evictions != 0 {
			t.Errorf("evicted %d, %d and %d times", old.evictions, large.evictions, late.evictions)
		}
		if bytes, _ := h.stats(); bytes != 80_000+2*shareCost {
			t.Errorf("%d bytes count, want those of the two that stay", bytes)
		}
		h.set(&old.share, 60_000) // until it is closed it may still read
		h.set(&old.share, 0)
		if bytes, _ := h.stats(); bytes != 80_000+2*shareCost || old.evictions != 1 {
			t.Errorf("%d bytes count, evicted %d times", bytes, old.evictions)
		}
	})
}

func TestWhoWantsMoreThanThereIsGoes(t *testing.T) {
	h, k := newHoard(1000), newKeeper()
	h.set(&k.share, 1001)
	if bytes, high := h.stats(); k.evictions != 1 || bytes != 0 || high != 1001+shareCost {
		t.Errorf("evicted %d times; %d bytes, %d at most", k.evictions, bytes, high)
	}
}

func TestWithoutABoundNobodyGoes(t *testing.T) {
	h, k := newHoard(0), newKeeper()
	h.set(&k.share, 1<<30)
	if bytes, _ := h.stats(); k.evictions != 0 || bytes != 1<<30+shareCost {
		t.Errorf("evicted %d times; %d bytes", k.evictions, bytes)
	}
}

// Whatever happens in whatever order, what counts is the sum of those that have
// not been evicted, is not over the bound, and the lines hold nobody else.
func TestTheHoardIsTheSumOfItsShares(t *testing.T) {
	const bound = 50_000
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test
	h, keepers := newHoard(bound), make([]*keeper, 20)
	for i := range keepers {
		keepers[i] = newKeeper()
	}
	for range 20_000 {
		k := keepers[r.IntN(len(keepers))]
		switch {
		case k.evicted.Load():
			h.set(&k.share, 0)
			*k = keeper{}
			k.owner = k
		case r.IntN(3) == 0:
			h.set(&k.share, 0)
		default:
			h.set(&k.share, 1<<r.IntN(16)+r.IntN(9))
		}
		check(t, h, keepers, bound, seed)
	}
}

func check(t *testing.T, h *hoard, keepers []*keeper, bound int64, seed uint64) {
	t.Helper()
	var sum int64
	var kept, lined int
	for _, k := range keepers {
		if k.evicted.Load() != (k.evictions > 0) || k.evictions > 1 {
			t.Fatalf("seed %d: evicted is %v after %d times", seed, k.evicted.Load(), k.evictions)
		}
		if k.told > 0 && k.evictions == 0 {
			sum += int64(k.told + shareCost)
			kept++
		}
	}
	for _, l := range h.lines {
		for s := l.first; s != nil; s = s.next {
			lined++
		}
	}
	if bytes, _ := h.stats(); bytes != sum || bytes > bound || lined != kept {
		t.Fatalf("seed %d: %d bytes count, want %d, at most %d; %d are in line, want %d", seed, bytes, sum, bound, lined, kept)
	}
}
