package websocket

import (
	"errors"
	"syscall"

	"github.com/roostgo/roost/internal/tlsrecord"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
)

// conn is a connection on an event loop. It is 48 bytes, and an idle one has
// nothing else: busy is nil.
//
// Everything but the first three fields is owned by the loop.
type conn struct {
	// Immutable.
	loop *loop
	fd   int32
	gen  uint32 // tells this use of the descriptor from others

	session transport.Session
	busy    *busy  // what is received but not delivered, or to be sent
	seen    uint32 // when bytes last came, in the loop's milliseconds
	state   state
	window  uint8 // of compression; 0 is none
	flags   flags
}

type flags uint16

const (
	held      flags = 1 << iota // the session wants nothing more until Resume
	paused                      // input is not watched, because it is held
	blocked                     // output is watched: the kernel's buffer is full
	queued                      // in one of the loop's lists of connections with output
	urgent                      // in the list of those that go first
	deflate                     // permessage-deflate was negotiated
	last                        // cut the connection when the outbox is empty
	deaf                        // what comes in can no longer be understood
	abandoned                   // the client has closed its half while held
	secured                     // in TLS: the engine has its secrets
	parted                      // our half has ended, in TLS
	leaving                     // the client has gone; what it sent last may still be unread
)

func (c *conn) is(f flags) bool { return c.flags&f != 0 }

func (c *conn) token() uint64 { return uint64(c.gen)<<32 | uint64(c.fd) } //nolint:gosec // descriptors are not negative

// Lane implements transport.Conn.
func (c *conn) Lane() *transport.Lane { return c.loop.lane }

// Send implements transport.Conn.
func (c *conn) Send(f *transport.Frame) { c.loop.lane.Send(c, f) }

// arrival is posted once for a new connection.
type arrival struct {
	buffered []byte           // what net/http had read already
	secrets  *tlsrecord.State // of TLS; nil without
	sealed   []byte           // what was received and not opened, in TLS
}

// Run does what was posted for this connection.
func (c *conn) Run(arg any) {
	switch arg := arg.(type) {
	case *transport.Frame:
		c.Enqueue(arg, transport.Direct)
	case arrival:
		c.loop.open(c, arg)
	case crowded:
		if in := c.inbound(); in != nil && in.share.evicted.Load() { // else its message is complete meanwhile
			c.loop.offend(c, errCrowded)
		}
	}
}

// crowded is posted to a connection that has to go.
type crowded struct{}

// evict implements evictable.
func (c *conn) evict() { c.loop.lane.Post(c, crowded{}) }

// bytes is a frame as this connection writes it.
func (c *conn) bytes(f *transport.Frame) []byte {
	if c.is(deflate) {
		return f.Deflated(c.window)
	}
	return f.WebSocket()
}

func (c *conn) size(f *transport.Frame) int { return len(c.bytes(f)) }

// Enqueue implements transport.Conn.
func (c *conn) Enqueue(f *transport.Frame, class transport.Class) {
	if c.state != open {
		return
	}
	c.queue(f, class)
	if c.busy.out.weight() > c.loop.config.Outbox {
		c.overflow()
	}
}

// Offer implements transport.Conn. A client for which the kernel took all that
// it was sent is not behind, whatever waits for the end of the turn.
func (c *conn) Offer(f *transport.Frame, t *transport.Thinning) {
	if t == nil || c.state != open {
		c.Enqueue(f, transport.Bulk)
		return
	}
	out := &c.work().out
	out.offer(f, t, c.size(f))
	c.loop.dirty(c, transport.Bulk)
	if c.is(blocked) {
		c.lost(out.thin(c.size))
	}
	c.loop.count.queued(out.bytes)
	if out.weight() > c.loop.config.Outbox {
		c.overflow()
	}
}

func (c *conn) lost(l loss) { c.loop.count.lost(c.loop.ctx, c.loop.config.Telemetry, c.session, l) }

func (c *conn) queue(f *transport.Frame, class transport.Class) {
	out := &c.work().out
	out.add(f, c.size(f))
	c.loop.count.queued(out.bytes)
	c.loop.dirty(c, class)
}

// work returns the connection's busy, borrowed from the loop if need be.
func (c *conn) work() *busy {
	if c.busy == nil {
		c.busy = c.loop.lent.take()
	}
	return c.busy
}

// rest gives the connection's busy back when there is nothing in it.
func (c *conn) rest() {
	if c.busy != nil && c.busy.idle() {
		c.loop.lent.give(c.busy)
		c.busy = nil
	}
}

// sending reports whether frames wait.
func (c *conn) sending() bool { return c.busy != nil && !c.busy.out.empty() }

// overflow finds out whether a client is slow, or merely was sent much in one
// turn. A slow one is cut, unless what may be dropped makes room enough.
func (c *conn) overflow() {
	if !c.is(blocked) {
		c.loop.flush(c)
	}
	if c.state != open || !c.sending() {
		return
	}
	c.lost(c.busy.out.relieve(c.loop.config.Outbox, c.size))
	if c.busy.out.weight() <= c.loop.config.Outbox {
		return
	}
	c.loop.count.slowConsumers.Add(1)
	c.loop.config.Telemetry.Emit(c.loop.ctx, telemetry.SlowConsumer{
		Socket: about(c.session), Queued: c.busy.out.weight(), Bound: c.loop.config.Outbox,
	})
	c.loop.doom(c)
}

// Write implements transport.Conn.
func (c *conn) Write(buf []byte, binary bool) {
	if c.state != open {
		return
	}
	if c.sending() || c.is(deflate|secured) {
		c.Enqueue(transport.SealCopy(buf, binary), transport.Direct)
		return
	}
	wire := transport.SealInPlace(buf, binary)
	n, err := write(c.fd, wire)
	switch {
	case err == nil && n == len(wire):
		c.loop.count.framesOut.Add(1)
		c.loop.count.writes.Add(1)
		c.loop.count.bytesOut.Add(uint64(n)) //nolint:gosec // not negative
	case err == nil || errors.Is(err, syscall.EAGAIN):
		out := &c.work().out
		out.add(transport.SealCopy(buf, binary), len(wire))
		out.offset, out.bytes = n, len(wire)-n
		c.loop.count.queued(out.bytes)
		c.loop.count.bytesOut.Add(uint64(n)) //nolint:gosec // not negative
		c.loop.block(c)
	default:
		c.loop.doom(c)
	}
}

// Close implements transport.Conn.
func (c *conn) Close(code transport.CloseCode) { c.finish(code, transport.ErrServerClosed) }

// finish queues a close frame and tells the session that it is over. The
// connection stays until the client has answered, or CloseTimeout.
func (c *conn) finish(code transport.CloseCode, reason error) {
	if c.state != open {
		return
	}
	c.part(code, reason)
}

// answer implements peer.
func (c *conn) answer(code transport.CloseCode) {
	if c.state != open {
		c.loop.cut(c)
		return
	}
	c.flags |= last
	c.part(code, transport.ErrClientClosed)
}

// part queues the close frame, which is the last, and tells the session.
func (c *conn) part(code transport.CloseCode, reason error) {
	c.queue(closeFrame(code), transport.Direct)
	c.state = closing
	c.loop.expect(c)
	c.session.Closed(reason)
	if c.is(held) {
		c.Resume()
	}
}

// Resume implements transport.Conn.
func (c *conn) Resume() {
	if !c.is(held) {
		return
	}
	c.flags &^= held
	c.seen = c.loop.now // nobody listened
	if c.is(paused) {
		c.flags &^= paused
		c.loop.watch(c)
	}
	in := c.inbound()
	if in == nil {
		return
	}
	in.since = c.loop.now
	b, sealed := in.backlog, in.sealed // of a connection that was closed meanwhile, the client's close frame may be in it
	in.backlog, in.sealed = nil, nil
	c.loop.deliver(c, b)
	if len(sealed) > 0 {
		c.loop.unseal(c, sealed)
	}
	c.loop.account(c)
}

// inbound is what is kept of a connection's input, or nil.
func (c *conn) inbound() *inbound {
	if c.busy == nil {
		return nil
	}
	return c.busy.in
}
