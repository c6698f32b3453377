package ratelimit

import (
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/roostgo/roost/internal/ebb"
	"github.com/roostgo/roost/internal/highwater"
)

// Why Acquire refuses.
var (
	ErrFull    = errors.New("ratelimit: as many as there may be at once")
	ErrKeyFull = errors.New("ratelimit: as many as one key may have at once")
)

// GaugeConfig is what a Gauge is made of. The zero value counts and limits
// nothing.
type GaugeConfig struct {
	// Max is how many there may be at once, in all. Default: no limit.
	Max int

	// PerKey is how many there may be at once of one key. Default: no limit.
	PerKey int

	// Shadow lets everything pass, and counts what would be refused.
	// Default: refuse.
	Shadow bool
}

// Validate reports all numbers that are impossible, wrapping ErrImpossible.
func (c GaugeConfig) Validate() error {
	var errs []error
	if c.Max < 0 {
		errs = append(errs, fmt.Errorf("%w: Max is %d: use 0 for no limit", ErrImpossible, c.Max))
	}
	if c.PerKey < 0 {
		errs = append(errs, fmt.Errorf("%w: PerKey is %d: use 0 for no limit", ErrImpossible, c.PerKey))
	}
	return errors.Join(errs...)
}

// Gauge limits how much is there at once, in all and per key: connections, per
// address. It is safe for concurrent use.
//
// It remembers a key while somebody holds one of it, and no longer: its memory
// is bounded by what it counts.
type Gauge[K comparable] struct {
	// Immutable.
	config GaugeConfig
	seed   maphash.Seed
	shards [maxShards]gaugeShard[K]

	held, heldHigh atomic.Int64
	keys, keysHigh atomic.Int64
	keyHigh        atomic.Int64

	allowed, full, keyFull, shadowed atomic.Uint64
}

type gaugeShard[K comparable] struct {
	mu sync.Mutex

	// Guarded by mu.
	held ebb.Map[K, int] // each at least 1

	_ [40]byte // one shard's lock on a cache line of its own
}

// NewGauge returns a gauge. The error is that of [GaugeConfig.Validate].
func NewGauge[K comparable](c GaugeConfig) (*Gauge[K], error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Gauge[K]{config: c, seed: maphash.MakeSeed()}, nil
}

// Acquire takes one of a key. After nil there must be one Release; the errors
// are ErrKeyFull and ErrFull. A key is kept as it is given.
func (g *Gauge[K]) Acquire(key K) error {
	if taken, err := g.Judge(key); !taken {
		return err
	}
	return nil
}

// Judge is Acquire for those who tell of what shadow mode lets pass: taken says
// that there must be one Release, and the error, which bound is exceeded all the
// same.
func (g *Gauge[K]) Judge(key K) (taken bool, err error) {
	sh := g.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	n := sh.held.Find(key)
	if g.config.PerKey > 0 && n >= g.config.PerKey {
		err = ErrKeyFull
	}
	if err != nil && !g.config.Shadow {
		g.keyFull.Add(1)
		return false, err
	}
	if taken, err = g.enter(err); taken {
		g.keep(sh, key, n+1)
	}
	return taken, err
}

// Release gives one of a key back. It panics when there is none: that is a
// mistake in the program, which would let too many in.
func (g *Gauge[K]) Release(key K) {
	sh := g.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	switch n := sh.held.Find(key); n {
	case 0:
		panic("ratelimit: Release of a key that nobody holds: call it once for each Acquire that returned nil, with the same key")
	case 1:
		g.forget(sh, key)
	default:
		sh.held.Put(key, n-1)
	}
	g.held.Add(-1)
}

// AcquireExempt takes one that belongs to no key, such as a connection from
// loopback: it counts in all only. After nil there must be one ReleaseExempt;
// the error is ErrFull.
func (g *Gauge[K]) AcquireExempt() error {
	if taken, err := g.JudgeExempt(); !taken {
		return err
	}
	return nil
}

// JudgeExempt is AcquireExempt for those who tell of what shadow mode lets pass,
// as Judge is.
func (g *Gauge[K]) JudgeExempt() (taken bool, err error) { return g.enter(nil) }

// ReleaseExempt gives back what AcquireExempt took.
func (g *Gauge[K]) ReleaseExempt() {
	if g.held.Add(-1) < 0 {
		g.held.Add(1)
		panic("ratelimit: ReleaseExempt of what nobody holds: call it once for each AcquireExempt that returned nil")
	}
}

// Claim has one that AcquireExempt took belong to a key from now on: Release gives
// it back then. What is there stays there, so Max does not matter, and it is not
// Allowed again. If taken is false it belongs to no key still, and the error is
// ErrKeyFull, as it is when shadow mode lets it pass.
func (g *Gauge[K]) Claim(key K) (taken bool, err error) {
	sh := g.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	n := sh.held.Find(key)
	if g.config.PerKey > 0 && n >= g.config.PerKey {
		err = ErrKeyFull
		if !g.config.Shadow {
			g.keyFull.Add(1)
			return false, err
		}
		g.shadowed.Add(1)
	}
	g.keep(sh, key, n+1)
	return true, err
}

// enter counts one more in all, unless that is too many. shadowed says why it is
// already one that passes in shadow mode only.
func (g *Gauge[K]) enter(shadowed error) (taken bool, err error) {
	for {
		n := g.held.Load()
		over := g.config.Max > 0 && n >= int64(g.config.Max)
		if over && !g.config.Shadow {
			g.full.Add(1)
			return false, ErrFull
		}
		if !g.held.CompareAndSwap(n, n+1) {
			continue
		}
		highwater.Raise(&g.heldHigh, n+1)
		if over && shadowed == nil {
			shadowed = ErrFull
		}
		if shadowed != nil {
			g.shadowed.Add(1)
		} else {
			g.allowed.Add(1)
		}
		return true, shadowed
	}
}

// keep says how many there are of a key now, at least 1. The shard is locked.
func (g *Gauge[K]) keep(sh *gaugeShard[K], key K, n int) {
	sh.held.Put(key, n)
	highwater.Raise(&g.keyHigh, int64(n))
	if n == 1 {
		highwater.Raise(&g.keysHigh, g.keys.Add(1))
	}
}

// forget takes a key out of which there is none left. The shard is locked.
func (g *Gauge[K]) forget(sh *gaugeShard[K], key K) {
	g.keys.Add(-1)
	sh.held.Delete(key)
}

func (g *Gauge[K]) shard(key K) *gaugeShard[K] {
	return &g.shards[maphash.Comparable(g.seed, key)%maxShards]
}

// GaugeStats are what a gauge has decided, and what is there.
type GaugeStats struct {
	// Allowed, Full, KeyFull and Shadowed count what was asked for since the
	// start: given, refused for Max, refused for PerKey, and given in shadow
	// mode only.
	Allowed, Full, KeyFull, Shadowed uint64

	// Held is how many there are now, HeldHigh the most there were at once.
	Held, HeldHigh int

	// Keys is how many have one now, KeysHigh the most there were at once.
	Keys, KeysHigh int

	// KeyHigh is the most that one key had at once.
	KeyHigh int
}

// Held is how many are taken now.
func (g *Gauge[K]) Held() int { return int(g.held.Load()) }

// HeldOf is how many there are of a key now.
func (g *Gauge[K]) HeldOf(key K) int {
	sh := g.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.held.Find(key)
}

// Stats are a snapshot; what changes meanwhile may be in one number and not in
// another.
func (g *Gauge[K]) Stats() GaugeStats {
	return GaugeStats{
		Allowed: g.allowed.Load(), Full: g.full.Load(), KeyFull: g.keyFull.Load(), Shadowed: g.shadowed.Load(),
		Held: int(g.held.Load()), HeldHigh: int(g.heldHigh.Load()),
		Keys: int(g.keys.Load()), KeysHigh: int(g.keysHigh.Load()),
		KeyHigh: int(g.keyHigh.Load()),
	}
}
