package roost

import (
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// door is where connections come in, before the first byte of them is read. A
// herd passes it at the pace at which it disturbs nobody who is inside: the
// others wait in the kernel's queue (net.core.somaxconn), and when that is full
// their systems try again after a second.
//
// One goroutine accepts.
type door struct {
	net.Listener
	every time.Duration // between two connections; 0: no pace
	burst time.Duration // how much of that may be caught up with
	bound int64         // of connections that are not upgraded yet; 0: none

	next time.Time // when the next connection may come, by the pace

	closing chan struct{}
	once    sync.Once // of closing

	handshakes atomic.Int64 // connections that net/http has
	high       atomic.Int64 // the most of them there were
	paced      atomic.Uint64
	refused    atomic.Uint64
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

// newDoor paces a listener; a rate of 0 is the default, a negative one none. The
// same goes for the bound.
func newDoor(l net.Listener, rate, bound int) *door {
	d := &door{Listener: l, bound: int64(max(bound, 0)), closing: make(chan struct{})}
	if bound == 0 {
		d.bound = handshakeBound
	}
	if rate == 0 {
		rate = acceptRate * runtime.GOMAXPROCS(0)
	}
	if rate > 0 {
		d.every = time.Second / time.Duration(rate)
		d.burst = max(acceptBurst*d.every, acceptSlack)
	}
	return d
}

// handshakeBound is how many connections may be on their way to an upgrade, or
// in a plain HTTP request, by default.
const handshakeBound = 4096

// Accept waits for the next connection and for its time.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		d.wait(time.Now())
		if d.bound == 0 || d.handshakes.Load() < d.bound {
			return c, nil
		}
		d.refused.Add(1)
		slam(c)
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

// state counts connections while net/http has them. It is an
// http.Server.ConnState.
func (d *door) state(_ net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		n := d.handshakes.Add(1)
		for high := d.high.Load(); n > high && !d.high.CompareAndSwap(high, n); high = d.high.Load() {
		}
	case http.StateHijacked, http.StateClosed:
		d.handshakes.Add(-1)
	case http.StateActive, http.StateIdle:
	}
}
