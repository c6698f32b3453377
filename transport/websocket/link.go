package websocket

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
)

// link is a connection of the goroutine engine. Its reader takes frames apart
// and waits while the lane handles each event; what it sends goes through a
// linkWriter.
type link struct {
	// Immutable.
	engine   *goroutines
	lane     *lane.Lane
	nc       net.Conn
	session  transport.Session
	verdicts chan transport.Verdict // lane to reader: that is dealt with
	resumed  chan struct{}          // lane to reader: go on
	gone     chan struct{}          // closed by the lane at the end

	writer linkWriter

	told bool // of the restart; guarded by engine.mu

	// Owned by the reader.
	assembler frame.Assembler
	ahead     []byte    // read while the session held the connection
	began     time.Time // when the message that is incomplete did; zero if none is
	share     share     // of what it keeps: after the message is complete, too, until the lane has dealt with it

	// Owned by the lane.
	state state
	held  bool
}

// What is posted to a link's lane, besides frames. The reader waits for the
// first three.
type (
	arrived  struct{}
	happened struct{ event *frame.Event }
	violated struct{ err error }
	silent   struct{}
	restart  struct{} // close with 1012
	ended    struct{ reason error }
	hungUp   struct{}              // by the writer
	stalled  struct{ waiting int } // by the writer, too
	left     struct{}              // by the client, while it is held
)

// Run does what was posted for this connection. Once it is closed the reader
// waits for nothing more.
func (c *link) Run(arg any) {
	if c.state == closed {
		return
	}
	switch arg := arg.(type) {
	case *transport.Frame:
		c.Enqueue(arg, transport.Direct)
	case happened:
		c.verdicts <- c.event(*arg.event)
	case arrived:
		c.session.Open(c)
		c.verdicts <- transport.Continue
	case violated:
		if c.state == open {
			c.engine.count.breached(c.engine.ctx, c.engine.config, arg.err)
		}
		violate(c, arg.err)
		c.writer.end(fallSilent) // RFC 6455 §7.1.7: its close frame would not be read, so do not have it wait for us
		c.verdicts <- transport.Continue
	case silent:
		c.idle()
	case restart:
		c.finish(transport.CloseRestart, transport.ErrShutdown)
	case ended:
		c.leave(arg.reason)
	case left:
		if c.held {
			hangUpOn(c.session)
		}
	case hungUp:
		c.end(transport.ErrClientGone)
	case stalled:
		c.engine.count.stalled(c.engine.ctx, c.engine.config, c.session, arg.waiting)
		c.end(transport.ErrSlowConsumer)
	}
}

func (c *link) event(ev frame.Event) transport.Verdict {
	if c.state != open && ev.Opcode != frame.Close {
		return transport.Continue // we said goodbye already
	}
	c.engine.count.received(len(ev.Payload))
	verdict := receive(c, c.session, ev)
	if c.state != open {
		return transport.Continue
	}
	c.held = verdict == transport.Hold
	return verdict
}

func (c *link) idle() {
	if c.state == open {
		c.engine.count.idle(c.engine.ctx, c.engine.config)
	}
	c.finish(transport.CloseProtocol, transport.ErrIdle)
}

// leave ends a connection that nobody reads from any more. The close frame,
// and what is queued before it, leaves first.
func (c *link) leave(reason error) {
	if c.state == closing {
		c.writer.end(hangUp)
		return
	}
	c.end(reason)
}

// end is the end.
func (c *link) end(reason error) {
	told := c.state == closing
	c.state = closed
	c.sever()
	close(c.gone)
	if !told {
		c.session.Closed(reason)
	} else if c.writer.late(time.Now()) {
		c.engine.count.abrupt(c.engine.ctx, c.engine.config)
	}
	release(c.session)
	c.engine.forget(c)
}

// sever closes the connection: with a reset when frames wait, of which the
// kernel would keep what it has for a client that does not read. Anybody may
// call it.
func (c *link) sever() {
	nc := bare(c.nc) // TLS would wait to say goodbye
	if reset, ok := nc.(interface{ SetLinger(sec int) error }); ok && c.writer.waits() {
		_ = reset.SetLinger(0)
	}
	hurryConn(nc, c.engine.config.CloseTimeout)
	_ = nc.Close()
}

// run reads until the connection ends. It is the reader. arrived has been
// posted already.
func (c *link) run(buffered []byte) {
	c.settled()
	reason := c.read(buffered)
	c.assembler, c.ahead = frame.Assembler{}, nil
	c.keep(0)
	c.lane.Post(c, ended{reason})
}

// await posts something to the lane and waits until it is dealt with. It
// reports whether the connection goes on.
func (c *link) await(arg any) bool { return c.lane.Post(c, arg) && c.settled() }

// settled waits until what was posted is dealt with.
func (c *link) settled() bool {
	select {
	case v := <-c.verdicts:
		return v != transport.Hold || c.hold()
	case <-c.gone:
		return false
	}
}

// aheadBound is how many bytes are read of a client whose session holds it: more
// tells nothing new.
const aheadBound = 64 << 10

// hold waits until the session goes on. Meanwhile it reads ahead, which is how it
// notices that the client has gone.
func (c *link) hold() bool {
	c.writer.doze()
	for buf := make([]byte, 1024); len(c.ahead) < aheadBound; {
		n, err := c.nc.Read(buf)
		c.engine.count.bytesIn.Add(uint64(n)) //nolint:gosec // not negative
		c.ahead = append(c.ahead, buf[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			c.lane.Post(c, left{}) // what came before it is still received; then the next read finds the same
			break
		}
	}
	c.keep(0)
	select {
	case <-c.resumed:
		c.writer.rise()
		return true
	case <-c.gone:
		return false
	}
}

func (c *link) read(b []byte) error {
	buf := make([]byte, 4096)
	for {
		if err := c.deliver(b); err != nil {
			return c.offend(err)
		}
		if len(c.ahead) > 0 {
			b, c.ahead = c.ahead, nil
			continue
		}
		c.writer.patience(c.engine.config.Timeout)
		if c.share.evicted.Load() { // from here on evict ends the read
			return c.offend(errCrowded)
		}
		n, err := c.nc.Read(buf)
		if c.share.evicted.Load() {
			return c.offend(errCrowded)
		}
		c.engine.count.bytesIn.Add(uint64(n)) //nolint:gosec // not negative
		b = buf[:n]
		if n == 0 && err != nil && (!errors.Is(err, os.ErrDeadlineExceeded) || !c.saidNothing()) {
			return transport.ErrClientGone
		}
	}
}

// offend ends a connection that broke a rule.
func (c *link) offend(err error) error {
	c.assembler, c.ahead = frame.Assembler{}, nil
	c.keep(0)
	c.await(violated{err})
	_, _ = io.Copy(io.Discard, c.nc) // until the client hangs up, or CloseTimeout
	return transport.ErrBadFrame
}

// evict implements evictable: the reader finds out, when it has nothing else to
// do.
func (c *link) evict() { _ = c.nc.SetReadDeadline(time.Now()) }

// keep has what is kept of the input counted, and more with it.
func (c *link) keep(more int) {
	c.engine.hoard.set(&c.share, c.assembler.Kept()+cap(c.ahead)+more)
}

// next is the assembler's Next. Only as many take compressed messages apart as
// there are processors: what they become is in memory meanwhile, and not counted.
func (c *link) next(b []byte, limits *frame.Limits) (frame.Event, int, error) {
	if !limits.Deflate {
		return c.assembler.Next(b, limits)
	}
	c.engine.inflating <- struct{}{}
	defer func() { <-c.engine.inflating }()
	return c.assembler.Next(b, limits)
}

// saidNothing starts the end of a connection that was silent for too long. It
// reports false when it was the closing handshake that took too long.
func (c *link) saidNothing() bool {
	if c.writer.isParting() {
		return false
	}
	c.lane.Post(c, silent{})
	select {
	case <-c.writer.parting:
	case <-c.gone:
	}
	return true
}

func (c *link) deliver(b []byte) error {
	limits := c.engine.limits[0]
	if c.writer.window > 0 {
		limits = c.engine.limits[1]
	}
	for len(b) > 0 {
		ev, n, err := c.next(b, limits)
		if err != nil {
			return err
		}
		if len(ev.Payload) > len(b) { // it waits for the lane now
			c.keep(cap(ev.Payload))
		}
		if b = b[n:]; ev.Opcode != frame.None && !c.await(happened{&ev}) {
			return nil // the next read finds the end
		}
		if carries(ev) {
			c.began = time.Time{}
		}
	}
	c.keep(0)
	return c.hurry()
}

// hurry reports a message that takes too long. It is asked when something has
// come; who sends nothing is silent.
func (c *link) hurry() error {
	limit := c.engine.config.MessageTimeout
	switch {
	case c.assembler.Idle():
		c.began = time.Time{}
	case c.began.IsZero():
		c.began = time.Now()
	case limit > 0 && time.Since(c.began) >= limit:
		return errLate
	}
	return nil
}

// Lane implements transport.Conn.
func (c *link) Lane() *transport.Lane { return c.lane }

// Send implements transport.Conn.
func (c *link) Send(f *transport.Frame) { c.lane.Send(c, f) }

// Enqueue implements transport.Conn.
func (c *link) Enqueue(f *transport.Frame, _ transport.Class) { c.Offer(f, nil) }

// Offer implements transport.Conn.
func (c *link) Offer(f *transport.Frame, t *transport.Thinning) {
	if c.state != open {
		return
	}
	over, lost := c.writer.queue(f, t)
	c.engine.count.lost(c.engine.ctx, c.engine.config.Telemetry, c.session, lost)
	if over > 0 {
		c.state = dying
		c.engine.count.slowConsumers.Add(1)
		c.engine.config.Telemetry.Emit(c.engine.ctx, telemetry.SlowConsumer{
			Socket: about(c.session), Queued: over, Bound: c.engine.config.Outbox,
		})
		c.lane.Post(c, ended{transport.ErrSlowConsumer})
	}
}

// Write implements transport.Conn.
func (c *link) Write(buf []byte, binary bool) {
	c.Enqueue(transport.SealCopy(buf, binary), transport.Direct)
}

// Close implements transport.Conn.
func (c *link) Close(code transport.CloseCode) { c.finish(code, transport.ErrServerClosed) }

// finish implements peer. The connection stays until the client has answered,
// or CloseTimeout.
func (c *link) finish(code transport.CloseCode, reason error) {
	if c.state == open {
		c.part(code, reason)
	}
}

// answer implements peer.
func (c *link) answer(code transport.CloseCode) {
	if c.state == open {
		c.part(code, transport.ErrClientClosed)
	}
	c.writer.end(hangUp)
}

// part queues the close frame, which is the last, and tells the session.
func (c *link) part(code transport.CloseCode, reason error) {
	c.writer.queue(closeFrame(code), nil)
	c.state = closing
	c.writer.part(time.Now().Add(c.engine.config.CloseTimeout))
	c.session.Closed(reason)
	c.Resume()
}

// Resume implements transport.Conn.
func (c *link) Resume() {
	if c.held {
		c.held = false
		c.writer.wake()
		c.resumed <- struct{}{} // the reader comes for it before it is held again
	}
}

// isSealed reports whether a connection is in TLS.
func isSealed(nc net.Conn) bool {
	_, ok := nc.(interface{ NetConn() net.Conn })
	return ok
}

// bare is the connection below TLS.
func bare(nc net.Conn) net.Conn {
	for {
		t, ok := nc.(interface{ NetConn() net.Conn }) // *tls.Conn, and both kinds of package tlsrecord
		if !ok {
			return nc
		}
		nc = transport.Bare(t.NetConn())
	}
}
