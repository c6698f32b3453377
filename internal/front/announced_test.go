package front_test

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/roostgo/roost/internal/front"
	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/transport"
)

// proxy is a queue of connections that come from 10.0.0.1, of whose network each
// begins with a header.
type proxy struct {
	queue
	client string // whom the next header names; "" is nobody
}

func newProxy() *proxy {
	p := new(proxy)
	p.from = func() netip.Addr { return netip.MustParseAddr("10.0.0.1") }
	p.says = func() string {
		switch {
		case p.client == "":
			return "PROXY UNKNOWN\r\n"
		case strings.Contains(p.client, ":"):
			return "PROXY TCP6 " + p.client + " 2001:db8:ff::1 12345 4000\r\n"
		default:
			return "PROXY TCP4 " + p.client + " 10.0.0.2 12345 4000\r\n"
		}
	}
	return p
}

// trusting is a door that believes them; 10.0.1.0/24 are proxies that send no
// header.
func trusting(t *testing.T, p *proxy, c front.DoorConfig) *front.Door {
	c.Rate = -1
	c.Announced = transport.Proxies{netip.MustParsePrefix("10.0.0.0/24")}
	c.Proxies = transport.Proxies{netip.MustParsePrefix("10.0.1.0/24")}
	return doorOf(t, p, c)
}

// pass lets a connection for a client come in, and reports whether the client did.
func (p *proxy) pass(t *testing.T, d *front.Door, client string) (c net.Conn, in bool) {
	t.Helper()
	p.client = client
	c, err := d.Announced().Accept()
	if err != nil {
		t.Fatal(err)
	}
	who := addressOf(c)
	return c, who != "10.0.0.1"
}

func TestWhomAProxyAnnouncesCountsItself(t *testing.T) {
	p := newProxy()
	d := trusting(t, p, front.DoorConfig{Places: ratelimit.GaugeConfig{PerKey: 1}})
	var first net.Conn
	for i, step := range []struct {
		client string
		in     bool
	}{
		{"192.0.2.1", true}, {"192.0.2.1", false}, {"192.0.2.2", true},
		{"::ffff:192.0.2.2", false},                                            // the same
		{"2001:db8::1", true}, {"2001:db8::2", false}, {"2001:db8:1::1", true}, // by prefix
		{"10.0.1.1", true}, {"10.0.1.1", true}, // another proxy, before this one
		{"127.0.0.1", true}, {"127.0.0.1", true}, // left alone
	} {
		c, in := p.pass(t, d, step.client)
		if in != step.in {
			t.Errorf("%d, %s: got in: %v", i, step.client, in)
		}
		if i == 0 {
			first = c
		}
	}
	p.pass(t, d, "") // for itself
	if s := d.Stats().Places; s.Held != 9 || s.Keys != 4 || s.KeyHigh != 1 || s.KeyFull != 3 || s.Allowed != 12 {
		t.Errorf("got %+v", s)
	}
	d.State(first, http.StateHijacked)
	if _, in := p.pass(t, d, "192.0.2.1"); !in {
		t.Error("the first one keeps its place though it was upgraded")
	}
}

func TestAnAnnouncedConnectionKeepsThePlaceThatItHas(t *testing.T) {
	p := newProxy()
	var d *front.Door
	judged := 0
	d = trusting(t, p, front.DoorConfig{
		Places:    ratelimit.GaugeConfig{Max: 1, PerKey: 1}, // all are taken, by itself
		Addresses: ratelimit.Config{Limit: ratelimit.Limit{Rate: 1e-3, Burst: 1, Shadow: true}},
		Hit: func(b front.Bound, _ netip.Addr, _ bool) {
			if judged++; b != front.AddressRate || d.Stats().Places.Held != 1 {
				t.Errorf("bound %d was hit when %d places were taken", b, d.Stats().Places.Held)
			}
		},
	})
	for range 3 {
		c, in := p.pass(t, d, "192.0.2.1")
		if !in {
			t.Error("it lost its place")
		}
		_ = c.Close()
	}
	if s := d.Stats().Places; judged != 2 || s.Held != 0 || s.Keys != 0 || s.HeldHigh != 1 || s.Full != 0 {
		t.Errorf("judged %d times: %+v", judged, s)
	}
}

func TestAClientThatIsRefusedWhenItIsAnnouncedGivesItsPlaceBack(t *testing.T) {
	p := newProxy()
	d := trusting(t, p, front.DoorConfig{
		Places:    ratelimit.GaugeConfig{Max: 2, PerKey: 1},
		Addresses: ratelimit.Config{Limit: ratelimit.Limit{Rate: 1e-3, Burst: 2}},
	})
	first, in := p.pass(t, d, "192.0.2.1")
	if !in {
		t.Error("the first is refused")
	}
	for range 3 { // for its places, and then for its rate
		if _, in := p.pass(t, d, "192.0.2.1"); in {
			t.Error("one more came in")
		}
		if s := d.Stats().Places; s.Held != 1 || s.Keys != 1 {
			t.Errorf("got %+v", s)
		}
	}
	_ = first.Close()
	if s := d.Stats(); s.Places.Held != 0 || s.Places.Keys != 0 || s.Places.KeyFull != 1 || s.Addresses.Refused != 2 {
		t.Errorf("got %+v", s)
	}
}

func TestAConnectionThatIsClosedWhileItIsAnnouncedKeepsNoPlace(t *testing.T) {
	p := newProxy()
	p.client = "192.0.2.1"
	d := trusting(t, p, front.DoorConfig{})
	l := d.Announced()
	for range 1000 {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		both.Go(func() { _ = c.Close() })
		both.Go(func() { _ = c.RemoteAddr() })
		both.Wait()
	}
	if s := d.Stats().Places; s.Held != 0 || s.Keys != 0 {
		t.Errorf("places are taken when nobody is there: %+v", s)
	}
}
