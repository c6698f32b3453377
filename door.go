package roost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/secure"
)

// door is where connections come in, before the first byte of them is read. A
// herd passes it at the pace at which it disturbs nobody who is inside: the
// others wait in the kernel's queue (net.core.somaxconn), and when that is full
// their systems try again after a second.
//
// An address that comes too often, or has too many on the way already, is turned
// away before that: it does not take the others' time.
//
// One goroutine accepts.
type door struct {
	net.Listener
	config doorConfig    // immutable
	every  time.Duration // between two connections; 0: no pace
	burst  time.Duration // how much of that may be caught up with

	next time.Time // when the next connection may come, by the pace

	closing chan struct{}
	once    sync.Once // of closing

	places *ratelimit.Gauge[netip.Addr] // of connections that are not upgraded yet
	rates  *ratelimit.Keyed[netip.Addr]
	rules  struct{ places, address, rate rule }
	paced  atomic.Uint64
}

// doorConfig is what a door is made of.
type doorConfig struct {
	rate      int // in connections a second; 0: acceptRate, negative: no pace
	places    ratelimit.GaugeConfig
	addresses ratelimit.Config // how often each may come
	address   ratelimit.PerAddress
	announced transport.Proxies // whose connections begin with a PROXY header
	proxies   transport.Proxies
	stream    *telemetry.Stream
}

// acceptRate is the default pace for each processor, in connections a second.
// What a herd's upgrades take of it leaves most of its time to others.
const acceptRate = 1000

// What comes at once: the fewest connections, and those of the time by which a
// timer may be late. Each is some hundred microseconds for a processor, during
// which those who are inside wait.
const (
	acceptBurst = 4
	acceptSlack = 2 * time.Millisecond
)

// handshakeBound is how many connections may be on their way to an upgrade, or
// in a plain HTTP request, by default.
const handshakeBound = 4096

// newDoor makes the server's.
func (s *Server) newDoor(l net.Listener, stream *telemetry.Stream) (*door, error) {
	limits := s.Endpoint.config.Limits
	return newDoor(l, doorConfig{
		rate: s.AcceptRate, places: s.places(), addresses: ratelimit.Config{Limit: s.AddressRate, Keys: limits.Keys},
		address: limits.Address, announced: s.ProxyProtocol, proxies: s.Endpoint.config.Proxies, stream: stream,
	})
}

// places are those for connections that are not upgraded yet: a bound of 0 is
// the default, a negative one none. An address has a quarter of them, and of those
// for handshakes of TLS, which are fewer.
func (s *Server) places() ratelimit.GaugeConfig {
	all := max(cmp.Or(s.MaxHandshakes, handshakeBound), 0)
	shared := all
	if s.TLS != nil {
		shared = cmp.Or(s.TLS.Handshakes, secure.DefaultHandshakes)
		if all > 0 {
			shared = min(shared, all)
		}
	}
	return ratelimit.GaugeConfig{Max: all, PerKey: max(cmp.Or(s.MaxHandshakesPerAddress, (shared+3)/4), 0), Shadow: s.HandshakesShadow}
}

// newDoor opens a door. The error says what is wrong with its limits.
func newDoor(l net.Listener, c doorConfig) (*door, error) {
	d := &door{Listener: l, config: c, closing: make(chan struct{})}
	var err error
	if d.places, err = ratelimit.NewGauge[netip.Addr](c.places); err != nil {
		return nil, err
	}
	if d.rates, err = ratelimit.NewKeyed[netip.Addr](c.addresses); err != nil {
		return nil, fmt.Errorf("roost: Server.AddressRate: %w", err)
	}
	d.rules.places.refusal, d.rules.address.refusal, d.rules.rate.refusal = resetPlaces, resetAddress, resetRate
	rate := c.rate
	if rate == 0 {
		rate = acceptRate * runtime.GOMAXPROCS(0)
	}
	if rate > 0 {
		d.every = time.Second / time.Duration(rate)
		d.burst = max(acceptBurst*d.every, acceptSlack)
	}
	return d, nil
}

// Accept waits for the next connection that may come in, and for its time.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := peerOf(c)
		p, err := d.enter(peer, d.config.announced.Contains(peer) || d.config.proxies.Contains(peer))
		if !errors.Is(err, errOften) && !errors.Is(err, ratelimit.ErrKeyFull) {
			d.wait(time.Now())
		}
		if err == nil {
			g := &guest{Conn: c, door: d}
			g.holds.Store(p)
			return g, nil
		}
		slam(c)
	}
}

// errOften refuses an address that comes too often.
var errOften = errors.New("roost: too many new connections from this address")

// enter asks for a place for a connection from an address. One that stands for
// many, a proxy's, has no limit of its own. The error is errOften, or that of a
// gauge.
func (d *door) enter(from netip.Addr, many bool) (*place, error) {
	ctx, p := context.Background(), new(place)
	if !many {
		p.key, p.limited = d.config.address.Key(from)
	}
	if p.limited {
		if no, _ := d.rules.rate.judge(ctx, d.config.stream, d.rates.Take(p.key, 1), from); no != nil {
			return nil, errOften
		}
	}
	taken, err := d.take(p)
	switch {
	case errors.Is(err, ratelimit.ErrKeyFull):
		d.rules.address.place(ctx, d.config.stream, taken, from.String())
	case err != nil:
		d.rules.places.place(ctx, d.config.stream, taken, "")
	}
	if !taken {
		return nil, err
	}
	return p, nil
}

func (d *door) take(p *place) (taken bool, err error) {
	if p.limited {
		return d.places.Judge(p.key)
	}
	return d.places.JudgeExempt()
}

// release gives a place back.
func (d *door) release(p *place) {
	if p.limited {
		d.places.Release(p.key)
	} else {
		d.places.ReleaseExempt()
	}
}

// wait lets the pace's time pass, unless the door closes: who has been accepted
// comes in.
func (d *door) wait(now time.Time) {
	if d.every == 0 {
		return
	}
	if earliest := now.Add(-d.burst); d.next.Before(earliest) {
		d.next = earliest
	}
	d.next = d.next.Add(d.every)
	ahead := d.next.Sub(now)
	if ahead <= 0 {
		return
	}
	d.paced.Add(1)
	timer := time.NewTimer(ahead)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.closing:
	}
}

// slam closes a connection without a goodbye that the kernel would have to
// remember.
func slam(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// Close ends Accept, also when it waits for its time.
func (d *door) Close() error {
	d.once.Do(func() { close(d.closing) })
	return d.Listener.Close()
}

// state gives the places of connections back that net/http has no more. It is an
// http.Server.ConnState.
func (d *door) state(c net.Conn, s http.ConnState) {
	switch s {
	case http.StateHijacked, http.StateClosed:
		if g := guestOf(c); g != nil {
			g.leave()
		}
	case http.StateNew, http.StateActive, http.StateIdle:
	}
}
