package ratelimit

import (
	"hash/maphash"
	"sync"
	"time"
)

// DefaultKeys is how many keys a table remembers if it is not told.
const DefaultKeys = 65_536

// maxShards is how many parts a table is locked in at most.
const maxShards = 64

// table remembers the buckets of a bounded number of keys. It is safe for
// concurrent use.
type table[K comparable] struct {
	// Immutable.
	born   time.Time
	seed   maphash.Seed // drawn for each table: nobody outside knows which keys share a set
	shards []shard[K]
}

// shard is a part of a table, with a lock of its own.
type shard[K comparable] struct {
	mu sync.Mutex

	// Guarded by mu.
	sets  []*set[K] // nil where nobody is
	stats Stats

	_ [40]byte // one shard's lock on a cache line of its own
}

// newTable has places for so many keys, and more: sets and shards are powers
// of two.
func newTable[K comparable](keys int) *table[K] {
	if keys <= 0 {
		keys = DefaultKeys
	}
	sets := 1
	for sets*ways < keys {
		sets *= 2
	}
	t := &table[K]{born: time.Now(), seed: maphash.MakeSeed(), shards: make([]shard[K], min(sets, maxShards))}
	for i := range t.shards {
		t.shards[i].sets = make([]*set[K], sets/len(t.shards))
		t.shards[i].stats.Places = sets / len(t.shards) * ways
	}
	return t
}

// take decides about one event of a key. p is the pace of l.
func (t *table[K]) take(key K, l Limit, p pace, cost int) Decision {
	hash := maphash.Comparable(t.seed, key)
	sh := &t.shards[hash&uint64(len(t.shards)-1)]     //nolint:gosec // at least one
	slot := &sh.sets[hash>>32&uint64(len(sh.sets)-1)] //nolint:gosec // at least one
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var wait time.Duration
	if l.Limited() {
		// The clock is read under the lock, so that no set sees it go back.
		wait = sh.take(slot, key, int64(time.Since(t.born)), p, cost)
	}
	d := l.Decide(wait)
	sh.stats.count(d)
	return d
}

// take decides about one event of a key. A key that is new, or whose bucket was
// full, gets a place only if the event takes something. The shard is locked.
func (sh *shard[K]) take(slot **set[K], key K, now int64, p pace, cost int) time.Duration {
	s := *slot
	place, known := s.find(key)
	var arrival int64 // a full bucket's
	if known {
		arrival = s.arrivals[place]
	}
	next, wait := p.take(arrival, now, cost)
	sh.stats.UsedHigh = max(sh.stats.UsedHigh, p.used(next, now))
	switch {
	case arrival > now:
		s.arrivals[place] = next
	case next > now:
		if s == nil {
			s = new(set[K])
			*slot = s
		}
		sh.enter(s, place, key, next, now)
	}
	return wait
}

// enter gives a place to a key, whoever had it before. The shard is locked.
func (sh *shard[K]) enter(s *set[K], place int, key K, arrival, now int64) {
	if s.arrivals[place] > now {
		sh.stats.Evicted++
	}
	s.keys[place], s.arrivals[place] = key, arrival
	sh.stats.Keys += s.count(now)
	sh.stats.KeysHigh = max(sh.stats.KeysHigh, sh.stats.Keys)
}

// stats adds up the shards. Sets whose buckets are all full are given back on
// the way: a herd's memory lasts until somebody looks.
func (t *table[K]) stats() (sum Stats) {
	for i := range t.shards {
		sum = sum.Plus(t.shards[i].tidy(t.born))
	}
	return sum
}

func (sh *shard[K]) tidy(born time.Time) Stats {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := int64(time.Since(born))
	for i, s := range sh.sets {
		if s == nil {
			continue
		}
		sh.stats.Keys += s.count(now)
		if s.live == 0 {
			sh.sets[i] = nil
		}
	}
	return sh.stats
}
