package front_test

import (
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/internal/front"
	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/transport"
)

// queue is a listener at which connections always wait.
type queue struct {
	accepted atomic.Int64
	closed   atomic.Bool
	from     func() netip.Addr // who comes next; nil: peers without an address
	says     func() string     // what comes with it; nil: nothing
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
	p := piped{Conn: a, peer: net.TCPAddrFromAddrPort(netip.AddrPortFrom(q.from(), 7)), said: strings.NewReader("")}
	if q.says != nil {
		p.said = strings.NewReader(q.says())
	}
	return p, nil
}

// piped is a connection in memory with an address. What was said is read also from
// one that is closed.
type piped struct {
	net.Conn
	peer net.Addr
	said io.Reader
}

func (p piped) Read(b []byte) (int, error) { return p.said.Read(b) }

func (p piped) RemoteAddr() net.Addr { return p.peer }

// doorOf is a door for these connections.
func doorOf(t *testing.T, l net.Listener, c front.DoorConfig) *front.Door {
	t.Helper()
	d, err := front.Open(l, c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (q *queue) Close() error   { q.closed.Store(true); return nil }
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }

// admitted is how many connections pass a door within d.
func admitted(d *front.Door, within time.Duration) (n int) {
	for end := time.Now().Add(within); ; n++ {
		c, err := d.Accept()
		if err != nil || !time.Now().Before(end) {
			return n
		}
		_ = c.Close()
	}
}

// atOnce is how many come in without a pause.
const atOnce = 4

func TestAHerdPassesTheDoorAtItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := doorOf(t, new(queue), front.DoorConfig{Rate: 100})
		if n := admitted(d, 10*time.Second); n < 1000 || n > 1000+atOnce+1 {
			t.Errorf("%d connections came in 10 s", n)
		}
		<-time.After(time.Hour)
		before := d.Stats().Paced
		for range atOnce {
			_, _ = d.Accept()
		}
		if n := d.Stats().Paced - before; n > 1 {
			t.Errorf("%d of a few waited after a quiet hour", n)
		}
		if n := admitted(d, time.Second); n > 100+1 {
			t.Errorf("an hour was caught up with: %d in a second", n)
		}
	})
}

func TestADoorWithoutAPaceLetsAllIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := doorOf(t, new(queue), front.DoorConfig{Rate: -1})
		for range 10_000 {
			_, _ = d.Accept()
		}
		if d.Stats().Paced != 0 {
			t.Errorf("%d waited", d.Stats().Paced)
		}
	})
}

func TestADoorThatClosesLetsNobodyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := doorOf(t, new(queue), front.DoorConfig{Rate: 1})
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
	d := doorOf(t, new(queue), front.DoorConfig{Rate: -1, Places: ratelimit.GaugeConfig{Max: 2}})
	first, _ := d.Accept()
	second, _ := d.Accept()
	passed := make(chan net.Conn, 1)
	go func() { // ends when there is room again
		c, _ := d.Accept()
		passed <- c
	}()
	for d.Stats().Places.Full < 3 {
		select {
		case <-passed:
			t.Fatal("one came in over the bound")
		default:
		}
	}
	d.State(first, http.StateHijacked)
	_ = first.Close() // gives back nothing more
	third := <-passed
	if s := d.Stats().Places; third == nil || s.Held != 2 || s.HeldHigh != 2 {
		t.Errorf("got %+v", s)
	}
	_, _ = second.Close(), third.Close()
	if s := d.Stats().Places; s.Held != 0 {
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
func comingIn(t *testing.T, d *front.Door, q *queue, n int64) map[string]int {
	t.Helper()
	in := make(map[string]int)
	for end := q.accepted.Load() + n; q.accepted.Load() < end; {
		c, err := d.Accept()
		if err != nil {
			t.Fatal(err)
		}
		in[addressOf(c)]++
	}
	return in
}

func addressOf(c net.Conn) string { return c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().String() }

func TestOneAddressCannotTakeAllPlaces(t *testing.T) {
	q := arriving("192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2", "192.0.2.2", "10.0.0.1", "10.0.1.1", "127.0.0.1")
	d := doorOf(t, q, front.DoorConfig{
		Rate: -1, Places: ratelimit.GaugeConfig{PerKey: 2},
		Announced: transport.Proxies{netip.MustParsePrefix("10.0.0.0/24")}, Proxies: transport.Proxies{netip.MustParsePrefix("10.0.1.0/24")},
	})
	in := comingIn(t, d, q, 4*8)
	want := map[string]int{
		"192.0.2.1": 2, "192.0.2.2": 2, "2001:db8::1": 1, "2001:db8::2": 1, // these two are one client
		"127.0.0.1": 4, "10.0.0.1": 4, "10.0.1.1": 4,
	}
	if !maps.Equal(in, want) {
		t.Errorf("%v came in, want %v", in, want)
	}
	if s := d.Stats().Places; s.KeyFull != 14 || s.KeyHigh != 2 {
		t.Errorf("got %+v", s)
	}
}

func TestAnAddressThatComesTooOftenTakesNothingOfTheOthersPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := arriving(append(slices.Repeat([]string{"192.0.2.1"}, 99), "192.0.2.2")...)
		d := doorOf(t, q, front.DoorConfig{Rate: 5000, Addresses: ratelimit.Config{Limit: ratelimit.Limit{Rate: 1, Burst: 5}}}) // ten at once
		began := time.Now()
		in := comingIn(t, d, q, 100*5)
		if in["192.0.2.1"] != 5 || in["192.0.2.2"] != 5 || time.Since(began) > 0 {
			t.Errorf("%v came in, after %v", in, time.Since(began))
		}
		<-time.After(3 * time.Second)
		if in = comingIn(t, d, q, 100); in["192.0.2.1"] != 3 || in["192.0.2.2"] != 1 {
			t.Errorf("%v came in after 3 s", in)
		}
		if s := d.Stats().Addresses; s.Refused != 99*6-8 || s.Allowed != 8+6 {
			t.Errorf("got %+v", s)
		}
	})
}

// hit is what a door tells of.
type hit struct {
	bound  front.Bound
	from   netip.Addr
	shadow bool
}

func TestADoorTellsOfEachBoundThatIsHit(t *testing.T) {
	often, nobody := netip.MustParseAddr("192.0.2.1"), netip.Addr{}
	for shadow, want := range map[bool][]hit{
		false: {{front.AddressPlaces, often, false}, {front.AddressRate, often, false}, {front.AllPlaces, nobody, false}},
		true:  {{front.AddressPlaces, often, true}, {front.AddressRate, often, true}, {front.AddressPlaces, often, true}, {front.AllPlaces, nobody, true}},
	} {
		var told []hit
		q := arriving("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3")
		d := doorOf(t, q, front.DoorConfig{
			Rate: -1, Places: ratelimit.GaugeConfig{Max: 2, PerKey: 1, Shadow: shadow},
			Addresses: ratelimit.Config{Limit: ratelimit.Limit{Rate: 1e-3, Burst: 2, Shadow: shadow}},
			Hit: func(b front.Bound, from netip.Addr, shadow bool) {
				if told = append(told, hit{b, from, shadow}); b == front.AllPlaces {
					_ = q.Close() // there is no place for those who follow
				}
			},
		})
		for _, err := d.Accept(); err == nil; _, err = d.Accept() {
		}
		if !slices.Equal(told, want) {
			t.Errorf("shadow %v: told %v, want %v", shadow, told, want)
		}
	}
}
