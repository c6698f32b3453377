package roost

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
)

// queue is a listener at which connections always wait.
type queue struct {
	accepted atomic.Int64
	closed   atomic.Bool
	from     func() netip.Addr // who comes next; nil: peers without an address
}

func (q *queue) Accept() (net.Conn, error) {
	if q.closed.Load() {
		return nil, net.ErrClosed
	}
	q.accepted.Add(1)
	a, b := net.Pipe()
	_ = b.Close()
	if q.from == nil {
		return a, nil
	}
	return piped{a, net.TCPAddrFromAddrPort(netip.AddrPortFrom(q.from(), 7))}, nil
}

// piped is a connection in memory with an address.
type piped struct {
	net.Conn
	peer net.Addr
}

func (p piped) RemoteAddr() net.Addr { return p.peer }

// doorOf is a door for these connections.
func doorOf(t *testing.T, l net.Listener, c doorConfig) *door {
	t.Helper()
	if c.stream == nil {
		c.stream = telemetry.NewStream()
	}
	d, err := newDoor(l, c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (q *queue) Close() error   { q.closed.Store(true); return nil }
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }

// admitted is how many connections pass a door within d.
func admitted(d *door, within time.Duration) (n int) {
	for end := time.Now().Add(within); ; n++ {
		c, err := d.Accept()
		if err != nil || !time.Now().Before(end) {
			return n
		}
		_ = c.Close()
	}
}

func TestAHerdPassesTheDoorAtItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := doorOf(t, new(queue), doorConfig{rate: 100})
		if n := admitted(d, 10*time.Second); n < 1000 || n > 1000+acceptBurst+1 {
			t.Errorf("%d connections came in 10 s", n)
		}
		<-time.After(time.Hour)
		before := d.paced.Load()
		for range acceptBurst {
			_, _ = d.Accept()
		}
		if n := d.paced.Load() - before; n > 1 {
			t.Errorf("%d of a few waited after a quiet hour", n)
		}
		if n := admitted(d, time.Second); n > 100+1 {
			t.Errorf("an hour was caught up with: %d in a second", n)
		}
	})
}

func TestADoorWithoutAPaceLetsAllIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := doorOf(t, new(queue), doorConfig{rate: -1})
		for range 10_000 {
			_, _ = d.Accept()
		}
		if d.paced.Load() != 0 {
			t.Errorf("%d waited", d.paced.Load())
		}
	})
}

func TestADoorThatClosesLetsNobodyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := doorOf(t, new(queue), doorConfig{rate: 1})
		ended := make(chan error, 1)
		go func() { // ends with the door
			for {
				if _, err := d.Accept(); err != nil {
					ended <- err
					return
				}
			}
		}()
		synctest.Wait()
		began := time.Now()
		_ = d.Close()
		_ = d.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) || time.Since(began) > 0 {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

func TestConnectionsOverTheBoundOfHandshakesAreCut(t *testing.T) {
	d := doorOf(t, new(queue), doorConfig{rate: -1, places: ratelimit.GaugeConfig{Max: 2}})
	first, _ := d.Accept()
	second, _ := d.Accept()
	passed := make(chan net.Conn, 1)
	go func() { // ends when there is room again
		c, _ := d.Accept()
		passed <- c
	}()
	for d.places.Stats().Full < 3 {
		select {
		case <-passed:
			t.Fatal("one came in over the bound")
		default:
		}
	}
	d.state(first, http.StateHijacked)
	_ = first.Close() // gives back nothing more
	third := <-passed
	if s := d.places.Stats(); third == nil || s.Held != 2 || s.HeldHigh != 2 {
		t.Errorf("got %+v", s)
	}
	_, _ = second.Close(), third.Close()
	if s := d.places.Stats(); s.Held != 0 {
		t.Errorf("%d places are taken when nobody is there", s.Held)
	}
}

// arriving are connections from addresses, one after the other, and then again.
func arriving(addresses ...string) *queue {
	next := 0
	return &queue{from: func() netip.Addr {
		next++
		return netip.MustParseAddr(addresses[(next-1)%len(addresses)])
	}}
}

// comingIn counts who comes in, by address, of n connections that arrive, the
// last of which does.
func comingIn(t *testing.T, d *door, q *queue, n int64) map[string]int {
	t.Helper()
	in := make(map[string]int)
	for end := q.accepted.Load() + n; q.accepted.Load() < end; {
		c, err := d.Accept()
		if err != nil {
			t.Fatal(err)
		}
		in[peerOf(c).String()]++
	}
	return in
}

func TestOneAddressCannotTakeAllPlaces(t *testing.T) {
	q := arriving("192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2", "192.0.2.2", "10.0.0.1", "10.0.1.1", "127.0.0.1")
	d := doorOf(t, q, doorConfig{
		rate: -1, places: ratelimit.GaugeConfig{PerKey: 2},
		announced: transport.Proxies{netip.MustParsePrefix("10.0.0.0/24")}, proxies: transport.Proxies{netip.MustParsePrefix("10.0.1.0/24")},
	})
	in := comingIn(t, d, q, 4*8)
	want := map[string]int{
		"192.0.2.1": 2, "192.0.2.2": 2, "2001:db8::1": 1, "2001:db8::2": 1, // these two are one client
		"127.0.0.1": 4, "10.0.0.1": 4, "10.0.1.1": 4,
	}
	if !maps.Equal(in, want) {
		t.Errorf("%v came in, want %v", in, want)
	}
	if s := d.places.Stats(); s.KeyFull != 14 || s.KeyHigh != 2 {
		t.Errorf("got %+v", s)
	}
}

func TestAnAddressThatComesTooOftenTakesNothingOfTheOthersPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := arriving(append(slices.Repeat([]string{"192.0.2.1"}, 99), "192.0.2.2")...)
		d := doorOf(t, q, doorConfig{rate: 5000, addresses: ratelimit.Config{Limit: ratelimit.Limit{Rate: 1, Burst: 5}}}) // ten at once
		began := time.Now()
		in := comingIn(t, d, q, 100*5)
		if in["192.0.2.1"] != 5 || in["192.0.2.2"] != 5 || time.Since(began) > 0 {
			t.Errorf("%v came in, after %v", in, time.Since(began))
		}
		<-time.After(3 * time.Second)
		if in = comingIn(t, d, q, 100); in["192.0.2.1"] != 3 || in["192.0.2.2"] != 1 {
			t.Errorf("%v came in after 3 s", in)
		}
		if s := d.rates.Stats(); s.Refused != 99*6-8 || s.Allowed != 8+6 {
			t.Errorf("got %+v", s)
		}
	})
}

// record keeps what limits were hit.
type record []telemetry.LimitHit

func (r *record) Handle(_ context.Context, e telemetry.Event) {
	*r = append(*r, e.(telemetry.LimitHit))
}
func (*record) Enabled(slog.Level) bool { return true }

func TestADoorInShadowLetsAllInAndTellsOnceOfEachLimit(t *testing.T) {
	told := new(record)
	q := arriving("192.0.2.1")
	d := doorOf(t, q, doorConfig{
		rate: -1, places: ratelimit.GaugeConfig{Max: 3, PerKey: 2, Shadow: true}, stream: telemetry.NewStream(told),
		addresses: ratelimit.Config{Limit: ratelimit.Limit{Rate: 1e-3, Burst: 1, Shadow: true}},
	})
	if in := comingIn(t, d, q, 10); in["192.0.2.1"] != 10 {
		t.Errorf("%v came in", in)
	}
	q.from = func() netip.Addr { return netip.MustParseAddr("192.0.2.2") }
	comingIn(t, d, q, 1)
	want := record{
		{Limit: "too many new connections from this address", Key: "192.0.2.1", Shadow: true},
		{Limit: "too many connections in the handshake from this address", Key: "192.0.2.1", Shadow: true},
		{Limit: "too many connections in the handshake", Shadow: true},
	}
	if !slices.Equal(*told, want) {
		t.Errorf("told %+v", *told)
	}
	if p, r := d.places.Stats(), d.rates.Stats(); p.Shadowed != 9 || p.HeldHigh != 11 || r.Shadowed != 9 {
		t.Errorf("got %+v and %+v", p, r)
	}
}

func TestWhomAProxyAnnouncesCountsItself(t *testing.T) {
	q := arriving("10.0.0.1")
	d := doorOf(t, q, doorConfig{
		rate: -1, places: ratelimit.GaugeConfig{PerKey: 1},
		announced: transport.Proxies{netip.MustParsePrefix("10.0.0.0/24")}, proxies: transport.Proxies{netip.MustParsePrefix("10.0.1.0/24")},
	})
	announce := func(client string, want bool) *guest {
		t.Helper()
		c, err := d.Accept()
		if err != nil {
			t.Fatal(err)
		}
		g := guestOf(c)
		if got := g.announce(netip.MustParseAddr(client)); got != want {
			t.Errorf("%s: got in: %v", client, got)
		}
		return g
	}
	first := announce("192.0.2.1", true)
	announce("192.0.2.1", false)
	announce("192.0.2.2", true)
	announce("10.0.1.1", true) // another proxy, before this one
	announce("10.0.1.1", true)
	first.leave()
	announce("192.0.2.1", true)
	if s := d.places.Stats(); s.Held != 4 || s.Keys != 2 || s.KeyFull != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestAGuestThatIsClosedWhileItIsAnnouncedKeepsNoPlace(t *testing.T) {
	q := arriving("10.0.0.1")
	d := doorOf(t, q, doorConfig{rate: -1, announced: transport.Proxies{netip.MustParsePrefix("10.0.0.0/24")}})
	for range 1000 {
		c, _ := d.Accept()
		var both sync.WaitGroup
		both.Go(func() { _ = c.Close() })
		both.Go(func() { guestOf(c).announce(netip.MustParseAddr("192.0.2.1")) })
		both.Wait()
	}
	if s := d.places.Stats(); s.Held != 0 || s.Keys != 0 {
		t.Errorf("places are taken when nobody is there: %+v", s)
	}
}

func TestAServersPlacesHaveDefaults(t *testing.T) {
	for _, c := range []struct {
		server       *Server
		all, address int
	}{
		{&Server{}, 4096, 1024},
		{&Server{MaxHandshakes: 10}, 10, 3},
		{&Server{TLS: &TLS{}}, 4096, 250},
		{&Server{MaxHandshakes: 8, TLS: &TLS{Handshakes: 100}}, 8, 2},
		{&Server{MaxHandshakes: -1, TLS: &TLS{Handshakes: 100}}, 0, 25},
		{&Server{MaxHandshakes: 1}, 1, 1},
		{&Server{MaxHandshakes: -1}, 0, 0},
		{&Server{MaxHandshakesPerAddress: -1}, 4096, 0},
		{&Server{MaxHandshakes: -1, MaxHandshakesPerAddress: 7}, 0, 7},
	} {
		if got := c.server.places(); got.Max != c.all || got.PerKey != c.address {
			t.Errorf("%d and %d: got %+v", c.server.MaxHandshakes, c.server.MaxHandshakesPerAddress, got)
		}
	}
}
