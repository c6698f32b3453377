package websocket

import (
	"net"
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
	waiting, lost := c.writer.queue(f, t)
	c.engine.count.lost(c.engine.ctx, c.engine.config.Telemetry, c.session, lost)
	if bound := c.engine.config.Outbox; waiting > bound {
		c.state = dying
		c.engine.count.slowConsumers.Add(1)
		c.engine.config.Telemetry.Emit(c.engine.ctx, telemetry.SlowConsumer{
			Socket: about(c.session), Queued: waiting, Bound: bound,
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
