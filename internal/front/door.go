package front

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/ratelimit"
)

// Door is where connections come in, before the first byte of them is read. A
// herd passes it at the pace at which it disturbs nobody who is inside: the
// others wait in the kernel's queue (net.core.somaxconn), and when that is full
// their systems try again after a second.
//
// An address that comes too often, or has too many on the way already, is turned
// away before that: it does not take the others' time.
//
// One goroutine accepts.
type Door struct {
	net.Listener
	config DoorConfig    // immutable
	every  time.Duration // between two connections; 0: no pace
	burst  time.Duration // how much of that may be caught up with

	next time.Time // when the next connection may come, by the pace

	closing chan struct{}
	once    sync.Once // of closing

	places *ratelimit.Gauge[netip.Addr] // of connections that are not upgraded yet
	rates  *ratelimit.Keyed[netip.Addr]

	idle idlers

	paced, badHeaders, dismissed atomic.Uint64
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

// Open opens a door for those who come to a listener. The error is that of
// DoorConfig.Places or of Addresses.
func Open(l net.Listener, c DoorConfig) (*Door, error) {
	places, err := ratelimit.NewGauge[netip.Addr](c.Places)
	if err != nil {
		return nil, err
	}
	rates, err := ratelimit.NewKeyed[netip.Addr](c.Addresses)
	if err != nil {
		return nil, err
	}
	d := &Door{Listener: l, config: c, closing: make(chan struct{}), places: places, rates: rates}
	rate := c.Rate
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
func (d *Door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := peerOf(c)
		p, err := d.enter(peer, d.config.Announced.Contains(peer) || d.config.Proxies.Contains(peer))
		if !errors.Is(err, errOften) && !errors.Is(err, ratelimit.ErrKeyFull) {
			d.wait(time.Now())
		}
		if err == nil {
			g := &guest{Conn: c, door: d}
			g.holds.Store(p)
			d.makeRoom()
			return g, nil
		}
		slam(c)
	}
}

// errOften refuses an address that comes too often.
var errOften = errors.New("front: too many new connections from this address")

// enter asks for a place for a connection from an address. One that stands for
// many, a proxy's, has no limit of its own. The error is errOften, or that of a
// gauge.
func (d *Door) enter(from netip.Addr, many bool) (*place, error) {
	p := new(place)
	if !many {
		p.key, p.limited = d.config.Address.Key(from)
	}
	if p.limited && !d.comes(p.key, from) {
		return nil, errOften
	}
	taken, err := d.take(p)
	switch {
	case errors.Is(err, ratelimit.ErrKeyFull):
		d.hit(AddressPlaces, from, taken)
	case err != nil:
		d.hit(AllPlaces, netip.Addr{}, taken)
	}
	if !taken {
		return nil, err
	}
	return p, nil
}

// comes counts that an address comes, and reports whether it may.
func (d *Door) comes(key, from netip.Addr) bool {
	judged := d.rates.Take(key, 1)
	if judged.Shadowed || !judged.Allowed {
		d.hit(AddressRate, from, judged.Shadowed)
	}
	return judged.Allowed
}

func (d *Door) hit(b Bound, from netip.Addr, shadow bool) {
	if d.config.Hit != nil {
		d.config.Hit(b, from, shadow)
	}
}

func (d *Door) take(p *place) (taken bool, err error) {
	if p.limited {
		d.makeRoomFor(p.key)
		return d.places.Judge(p.key)
	}
	return d.places.JudgeExempt()
}

// release gives a place back.
func (d *Door) release(p *place) {
	if p.limited {
		d.places.Release(p.key)
	} else {
		d.places.ReleaseExempt()
	}
}

// wait lets the pace's time pass, unless the door closes: who has been accepted
// comes in.
func (d *Door) wait(now time.Time) {
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
func (d *Door) Close() error {
	d.once.Do(func() { close(d.closing) })
	return d.Listener.Close()
}

// State gives the places of connections back that net/http has no more, and knows
// which are idle. It is an http.Server.ConnState.
func (d *Door) State(c net.Conn, s http.ConnState) {
	g := guestOf(c)
	if g == nil {
		return
	}
	switch s {
	case http.StateHijacked, http.StateClosed:
		g.leave()
	case http.StateIdle:
		d.idle.rest(g)
		d.makeRoom()
	case http.StateActive:
		d.idle.rise(g)
	case http.StateNew:
	}
}
