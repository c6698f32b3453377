// Package secure accepts TLS connections that event loops can carry.
//
// A Listener does the handshakes before it hands connections out, so that what
// does not get through them costs no HTTP server anything. What it hands out is a
// connection in TLS 1.3 that lets itself be parked without a goroutine
// (docs/adr/0010-own-record-layer.md), or a *tls.Conn where that cannot be, as
// with TLS 1.2.
package secure

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/internal/tlsrecord"
)

// Config configures a Listener. TLS is needed.
type Config struct {
	// TLS is as for tls.NewListener. It must not be changed afterwards, but for
	// its session ticket keys. Without NextProtos it negotiates HTTP/1.1, which
	// is what WebSocket needs; HTTP/2 is not for these connections.
	TLS *tls.Config

	// Handshakes is how many may be under way at once. For one more, that is cut
	// which has waited longest for its client, but not within a tenth of Timeout,
	// so that clients who stall keep nobody out for long; those after it wait in
	// the kernel's queue. Default: DefaultHandshakes.
	Handshakes int

	// Computing is how many handshakes compute at once, each half a millisecond
	// of a processor that established connections need as well, and then as many
	// rest for as long; the others wait. Default: half of GOMAXPROCS, at least 1,
	// which makes a quarter of the processors' time. Callbacks of TLS do not count;
	// a private key that signs elsewhere does.
	Computing int

	// Timeout is how long a handshake may take. Then its client is cut; a callback
	// of TLS keeps its place until it returns, and should look at the context of
	// its ClientHelloInfo. Default: 10 s.
	Timeout time.Duration

	// Failed is told of handshakes that did not succeed; of one of whose
	// callbacks panicked with a *PanicError. It must not block. Default: panics
	// are logged, with slog.Default.
	Failed func(client net.Addr, err error)
}

// DefaultHandshakes is how many may be under way at once if Config does not say.
const DefaultHandshakes = 1000

func (c Config) withDefaults() Config {
	c.Handshakes = cmp.Or(c.Handshakes, DefaultHandshakes)
	c.Computing = cmp.Or(c.Computing, max(1, runtime.GOMAXPROCS(0)/2))
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	if c.Failed == nil {
		c.Failed = logPanic
	}
	return c
}

// Listener is a net.Listener whose connections have their handshake behind them.
// It is safe for concurrent use. It works from the first Accept until Close.
type Listener struct {
	// Immutable.
	inner  net.Listener
	shut   func() error // closes inner, once
	config Config
	server *tlsrecord.Server
	places chan struct{} // one for each handshake
	found  chan accepted
	slow   *lingering
	ctx    context.Context // until Close
	cancel context.CancelFunc

	begin sync.Once
	done  atomic.Bool // nobody more is accepted
	wait  sync.WaitGroup
	ended chan struct{} // closed when nobody is waited for
	count counters
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

// Listen returns a listener for the connections of another, which it closes.
// Those should be TCP or Unix sockets: what wraps them is carried by a goroutine.
func Listen(inner net.Listener, c Config) *Listener {
	c = c.withDefaults()
	l := &Listener{
		inner: inner, shut: sync.OnceValue(inner.Close), config: c, server: tlsrecord.NewServer(c.TLS, c.Computing),
		places: make(chan struct{}, c.Handshakes), found: make(chan accepted),
		slow: &lingering{patience: c.Timeout / 10}, ended: make(chan struct{}),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	l.begin.Do(l.start)
	select {
	case a := <-l.found:
		return a.conn, a.err
	case <-l.ctx.Done():
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// callbackGrace is how long Close waits for callbacks of TLS: those that never
// return cannot be ended.
const callbackGrace = time.Second

// Close implements net.Listener. It cuts the handshakes that are under way and
// waits for their end, but for callbacks of TLS no longer than a second; the
// context of their ClientHelloInfo is done. Connections that were accepted stay.
func (l *Listener) Close() error {
	l.cancel()
	err := l.retire()
	select {
	case <-l.ended:
	case <-time.After(callbackGrace):
	}
	return err
}

// Shutdown accepts nobody more, and has Accept return who was accepted already
// when their handshakes are over, until ctx is done. Then it is Close.
func (l *Listener) Shutdown(ctx context.Context) error {
	err := l.retire()
	select {
	case <-l.ended:
	case <-ctx.Done():
	}
	_ = l.Close()
	return err
}

// retire closes what connections come from.
func (l *Listener) retire() error {
	l.begin.Do(func() { close(l.ended) })
	l.done.Store(true)
	return l.shut()
}

// start begins to accept.
func (l *Listener) start() {
	go func() { // ends with the last handshake after Close, which waits for it
		l.acceptAll()
		l.wait.Wait()
		close(l.ended)
	}()
}

// acceptAll starts a handshake for every connection. An error waits until Accept
// takes it, which is as often as the server that calls it wants to try again.
func (l *Listener) acceptAll() {
	for l.ctx.Err() == nil {
		nc, err := l.inner.Accept()
		switch {
		case err != nil && l.done.Load():
			return
		case err != nil:
			l.hand(accepted{err: err})
		case !l.take():
			_ = nc.Close()
		default:
			l.wait.Go(func() { // ends after Config.Timeout or with Close, but for callbacks
				defer func() { <-l.places }()
				l.shake(nc)
			})
		}
	}
}

// take gets a place for a handshake, that of another if it must. It reports false
// after Close.
func (l *Listener) take() bool {
	for {
		select {
		case l.places <- struct{}{}:
			return true
		default:
		}
		did, again := l.slow.displace()
		if did {
			l.count.displaced.Add(1)
		}
		timer := time.NewTimer(again)
		select {
		case l.places <- struct{}{}:
			timer.Stop()
			return true
		case <-timer.C:
		case <-l.ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// hand gives Accept what it returns. It reports false after Close.
func (l *Listener) hand(a accepted) bool {
	select {
	case l.found <- a:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// shake does one handshake.
func (l *Listener) shake(nc net.Conn) {
	timed, cancel := context.WithTimeout(l.ctx, l.config.Timeout)
	defer cancel()
	ctx, cut := context.WithCancelCause(timed)
	defer cut(nil)
	h := l.slow.add(cut)
	l.count.begun()
	c, err := l.survive(ctx, nc, h)
	h.end()
	if err != nil {
		err = cmp.Or(displaced(ctx), err)
	}
	l.count.ended(c, err)
	if err != nil {
		l.refuse(nc, err)
		return
	}
	if !l.hand(accepted{conn: c}) {
		_ = nc.Close()
	}
}

// survive does the handshake; if a callback of the user's panics, it has failed.
func (l *Listener) survive(ctx context.Context, nc net.Conn, h *handshake) (c net.Conn, err error) {
	defer func() {
		if v := recover(); v != nil {
			c, err = nil, &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return l.server.Handshake(ctx, nc, h.turn)
}

// plainHTTP is what a client is told that speaks HTTP without TLS.
const plainHTTP = "HTTP/1.0 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n" +
	"This server speaks HTTPS here: ask for https:// or wss://.\n"

// refuse ends a connection without TLS.
func (l *Listener) refuse(nc net.Conn, err error) {
	if header, ok := errors.AsType[tls.RecordHeaderError](err); ok && header.Conn != nil && isHTTP(header.RecordHeader[:]) {
		_ = nc.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(nc, plainHTTP)
	}
	_ = nc.Close()
	l.config.Failed(nc.RemoteAddr(), err)
}

// isHTTP reports whether a connection begins like a request.
func isHTTP(start []byte) bool {
	switch string(start) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}
