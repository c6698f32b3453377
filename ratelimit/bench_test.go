package ratelimit_test

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/roostgo/roost/ratelimit"
)

// clients are addresses of so many.
func clients(n int) []netip.Addr {
	all := make([]netip.Addr, n)
	for i := range all {
		all[i] = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
	}
	return all
}

func BenchmarkKeyed(b *testing.B) {
	for _, n := range []int{1, 1000, 1_000_000} { // the last are too many: each evicts another
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			k, err := ratelimit.NewKeyed[netip.Addr](ratelimit.Config{Limit: ratelimit.Limit{Rate: 10, Burst: 10}})
			if err != nil {
				b.Fatal(err)
			}
			all, i := clients(n), 0
			b.ReportAllocs()
			for b.Loop() {
				k.Take(all[i], 1)
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

func BenchmarkKeyedByAllCores(b *testing.B) {
	k, err := ratelimit.NewKeyed[netip.Addr](ratelimit.Config{Limit: ratelimit.Limit{Rate: 10, Burst: 10}})
	if err != nil {
		b.Fatal(err)
	}
	all := clients(1 << 10)
	var start atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for i := start.Add(97); pb.Next(); i++ {
			k.Take(all[i&(1<<10-1)], 1)
		}
	})
}

func BenchmarkLimiter(b *testing.B) {
	for _, text := range []string{"off", "1000/s"} {
		b.Run("limit="+text, func(b *testing.B) {
			limit, err := ratelimit.ParseLimit(text)
			if err != nil {
				b.Fatal(err)
			}
			l, err := ratelimit.NewLimiter(limit)
			if err != nil {
				b.Fatal(err)
			}
			var bucket ratelimit.Bucket
			b.ReportAllocs()
			for b.Loop() {
				l.Take(&bucket, 1)
			}
		})
	}
}

func BenchmarkGauge(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			g, err := ratelimit.NewGauge[netip.Addr](ratelimit.GaugeConfig{PerKey: 10})
			if err != nil {
				b.Fatal(err)
			}
			all, i := clients(n), 0
			b.ReportAllocs()
			for b.Loop() {
				if err := g.Acquire(all[i]); err != nil {
					b.Fatal(err)
				}
				g.Release(all[i])
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}
