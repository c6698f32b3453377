package ratelimit_test

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/roostgo/roost/ratelimit"
)

// New connections are limited per address; IPv6 addresses of one network are
// one client.
func Example() {
	limit, err := ratelimit.ParseLimit("10/m burst 2")
	if err != nil {
		panic(err)
	}
	connects, err := ratelimit.NewKeyed[netip.Addr](ratelimit.Config{Limit: limit})
	if err != nil {
		panic(err)
	}
	var per ratelimit.PerAddress
	for _, peer := range []string{"2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "::1"} {
		key, limited := per.Key(netip.MustParseAddr(peer))
		if !limited {
			fmt.Println(peer, "is this machine")
			continue
		}
		if d := connects.Take(key, 1); d.Allowed {
			fmt.Println(peer, "may connect")
		} else {
			fmt.Printf("%s is refused for some %.0f s\n", peer, d.RetryAfter.Seconds())
		}
	}
	// Output:
	// 2001:db8::1 may connect
	// 2001:db8::2 may connect
	// 2001:db8::3 is refused for some 6 s
	// 192.0.2.1 may connect
	// ::1 is this machine
}

// A socket keeps its own bucket; what an event costs are its bytes.
func ExampleLimiter() {
	bytes, err := ratelimit.NewLimiter(ratelimit.Limit{Rate: 1024, Burst: 4096})
	if err != nil {
		panic(err)
	}
	var socket struct {
		bucket ratelimit.Bucket
	}
	for _, size := range []int{3000, 3000, 5000} {
		d := bytes.Take(&socket.bucket, size)
		fmt.Println(size, d.Allowed, d.RetryAfter == ratelimit.Never)
	}
	// Output:
	// 3000 true false
	// 3000 false false
	// 5000 false true
}

func ExampleGauge() {
	connections, err := ratelimit.NewGauge[string](ratelimit.GaugeConfig{Max: 1000, PerKey: 1})
	if err != nil {
		panic(err)
	}
	fmt.Println(connections.Acquire("user:7"))
	fmt.Println(errors.Is(connections.Acquire("user:7"), ratelimit.ErrKeyFull))
	connections.Release("user:7")
	fmt.Println(connections.Acquire("user:7"))
	// Output:
	// <nil>
	// true
	// <nil>
}

func ExampleParseLimit() {
	for _, text := range []string{"100/s", "300/m", "1000/h burst 50 shadow", "off", "fast"} {
		limit, err := ratelimit.ParseLimit(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(limit)
	}
	// Output:
	// 100/s
	// 5/s burst 300
	// 1000/h burst 50 shadow
	// off
	// limit "fast": ratelimit: not a limit: "fast" does not say per what time: write a rate such as "100/s", "5/m burst 20" or "1000/h burst 50 shadow", or "off"
}
