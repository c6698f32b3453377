//go:build !race

package ratelimit_test

import (
	"net/netip"
	"runtime"
	"testing"
	"unsafe"

	"github.com/roostgo/roost/internal/testleak"
	"github.com/roostgo/roost/ratelimit"
)

// Not with the race detector, which allocates itself.

func TestDecidingDoesNotAllocate(t *testing.T) {
	limit := ratelimit.Limit{Rate: 1000, Burst: 10}
	addresses := keyed[netip.Addr](t, ratelimit.Config{Limit: limit})
	names := keyed[string](t, ratelimit.Config{Limit: limit})
	fresh := keyed[string](t, ratelimit.Config{Limit: limit})
	memory := ratelimit.NewMemory(0)
	held := gauge[netip.Addr](t, ratelimit.GaugeConfig{Max: 10, PerKey: 1})
	limiter, _ := ratelimit.NewLimiter(limit)
	var bucket ratelimit.Bucket
	client, ctx := netip.MustParseAddr("2001:db8::1"), t.Context()
	for name, decide := range map[string]func(){
		"an address": func() {
			key, _ := ratelimit.PerAddress{}.Key(client)
			addresses.Take(key, 1)
		},
		"a string":           func() { names.Take("room:lobby", 1) },
		"a string, refused":  func() { names.Take("room:lobby", 11) },
		"a new key, refused": func() { fresh.Take("room:lobby", 11) },
		"a store":            func() { _, _ = memory.Take(ctx, "room:lobby", limit, 1) },
		"a bucket":           func() { limiter.Take(&bucket, 1) },
		"a gauge": func() {
			_ = held.Acquire(client)
			_ = held.Acquire(client)
			held.Release(client)
		},
	} {
		decide() // the key is known from now on
		if n := testing.AllocsPerRun(100, decide); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestABucketIsEightBytes(t *testing.T) {
	if n := unsafe.Sizeof(ratelimit.Bucket{}); n != 8 {
		t.Errorf("%d bytes", n)
	}
}

func TestATableIsNoLargerThanItsPlacesAndGivesThemBack(t *testing.T) {
	const keys = 1 << 16
	k := keyed[netip.Addr](t, ratelimit.Config{Limit: ratelimit.Limit{Rate: 1e9, Burst: 1}, Keys: keys})
	before := testleak.Heap()
	for i := range 10 * keys {
		k.Take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1)
	}
	full := testleak.Heap() - before
	if most := int64(keys * (24 + 10)); full > most+most/10 || full < most/2 { // a netip.Addr is 24 bytes
		t.Errorf("%d keys take %d bytes, at most %d", keys, full, most)
	}
	for k.Stats().Keys > 0 { // until the clock has moved
	}
	if left := testleak.Heap() - before; left > full/10 {
		t.Errorf("%d of %d bytes are left when all buckets are full again", left, full)
	}
	runtime.KeepAlive(k)
}

func TestAGaugeGivesAHerdsMemoryBack(t *testing.T) {
	const keys = 1 << 16
	g := gauge[int](t, ratelimit.GaugeConfig{})
	before := testleak.Heap()
	for key := range keys {
		acquire(t, g, key, nil)
	}
	full := testleak.Heap() - before
	for key := range keys {
		if key%100 > 0 { // a server that is in use is never empty
			g.Release(key)
		}
	}
	if left := testleak.Heap() - before; full < keys*16 || left > full/10 {
		t.Errorf("%d of %d bytes are left for one key in a hundred", left, full)
	}
	runtime.KeepAlive(g)
}
