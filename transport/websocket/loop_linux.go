package websocket

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/internal/poll"
	"github.com/roostgo/roost/internal/tlsrecord"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
)

// loop owns many connections and runs on one goroutine.
//
// Its turn: take what is ready, read it and hand it to the sessions; run what
// was posted to the lane; write what that queued; part with some whose clients
// have gone; cut what is doomed. Frames queued for one connection within a turn
// leave in one write.
type loop struct {
	// Immutable.
	config *Config
	engine *loops
	lane   *lane.Lane
	poller *poll.Poller
	limits [2]*frame.Limits // without and with compression
	ctx    context.Context  // of events
	done   chan struct{}    // closed when the loop has ended

	count counters

	busy atomic.Uint32 // the clock when this turn began, and 1; 0 while the loop waits

	// Owned by the loop's goroutine.
	now       uint32  // milliseconds since the engine was made; wraps
	direct    []*conn // with output that goes first
	bulk      queue   // with output that may wait
	doomed    []*conn
	leavers   leavers
	expected  []expectation // connections whose closing handshake has a deadline
	sweepAt   time.Time
	sweepFrom int32           // the descriptor at which the sweep goes on
	assembler frame.Assembler // of whichever connection is at rest
	lent      lender
	sealer    sealer
	in        []byte
	gathered  []byte
	draining  bool
	quit      bool
	cutOff    int // connections that were there when it had to quit; anybody's after done
}

type expectation struct {
	conn  *conn
	until time.Time
}

const (
	readSize = 64 << 10 // one read; what is ready beyond it waits for the next turn

	// bulkTurn is how many connections with bulk output are written to before
	// the loop looks again for what is ready: it bounds the time that a
	// message waits behind a large broadcast.
	bulkTurn = 256

	// littleHanded is how few tasks for workers make the loop yield to them.
	littleHanded = 4

	// gatherSize is how many bytes of small frames leave in one write. Larger
	// frames are written from where they are.
	gatherSize = 64 << 10
	gatherFrom = 16 << 10
)

func newLoop(e *loops) (*loop, error) {
	poller, err := poll.Open()
	if err != nil {
		return nil, fmt.Errorf("websocket: start an event loop: %w", err)
	}
	return &loop{
		config: e.config, engine: e, poller: poller, lane: lane.New(poller.Wake, e.config.LaneBound),
		limits: [2]*frame.Limits{e.config.limits(false), e.config.limits(true)},
		ctx:    context.Background(), done: make(chan struct{}),
		in: make([]byte, readSize), gathered: make([]byte, 0, gatherSize),
	}, nil
}

func (l *loop) run() {
	defer close(l.done)
	for !l.over() {
		for _, ev := range l.wait() {
			l.ready(ev)
		}
		l.lane.Drain()
		l.write()
		l.part()
		l.reap()
		l.tick()
		l.yield()
	}
	l.lane.Close()
	l.lane.Drain()
	l.write() // what arrived last is told to come back, too
	l.engine.table.each(func(c *conn) {
		if c.loop != l {
			return
		}
		if l.quit {
			l.cutOff++
		}
		l.destroy(c, transport.ErrShutdown)
	})
	_ = l.poller.Close()
}

// turn is how long the turn under way takes already. Any goroutine may ask.
func (l *loop) turn() time.Duration {
	began := l.busy.Load()
	if began == 0 {
		return 0
	}
	return time.Duration(l.engine.clock()-(began-1)) * time.Millisecond
}

// yield lets workers run that were just given something to do, when it is
// little: their answers are then there before the loop would fall asleep, and
// nobody needs to wake it. With much to do the loop goes on.
func (l *loop) yield() {
	if n := l.lane.Handed(); 0 < n && n <= littleHanded {
		runtime.Gosched()
	}
}

// over reports whether the loop has nothing left to do for ever.
func (l *loop) over() bool {
	return l.quit || l.draining && l.count.connections.Load() == 0
}

// wait returns what is ready. It parks while there is nothing to do at all.
func (l *loop) wait() []poll.Event {
	var events []poll.Event
	if l.bulk.len() > 0 || len(l.direct) > 0 || len(l.doomed) > 0 {
		events = l.poller.Poll()
	} else {
		l.busy.Store(0)
		events, _ = l.poller.Wait(l.wakeAt(), l.lane.Rest) // an error is a deadline that could not be set
	}
	l.now = l.engine.clock()
	l.busy.Store(l.now + 1)
	return events
}

func (l *loop) ready(ev poll.Event) {
	c := l.engine.table.at(int32(uint32(ev.Token))) //nolint:gosec // the low half is the descriptor
	if c == nil || c.loop != l || c.token() != ev.Token {
		return // the connection ended earlier in this batch
	}
	if ev.Ready&poll.Writable != 0 {
		l.unblock(c)
	}
	if ev.Ready&poll.Readable != 0 && c.state != closed {
		l.readable(c, ev.Ready)
	}
}

// open makes an adopted descriptor one of the loop's connections.
func (l *loop) open(c *conn, a arrival) {
	l.count.connections.Add(1)
	l.count.accepted.Add(1)
	l.engine.table.put(c.fd, c)
	if a.secrets != nil {
		l.engine.secrets.put(c.fd, a.secrets)
		c.flags |= secured
	}
	c.seen = l.engine.clock()
	if err := l.poller.Add(int(c.fd), c.token()); err != nil {
		l.refuse(c, err)
		return
	}
	c.session.Open(c)
	if l.draining {
		c.finish(transport.CloseRestart, transport.ErrShutdown)
	}
	if len(a.buffered) > 0 {
		l.deliver(c, a.buffered)
	}
	if len(a.sealed) > 0 {
		l.unseal(c, a.sealed)
	}
	l.account(c)
}

// refuse ends a connection that the system does not let us watch, such as one
// more than fs.epoll.max_user_watches.
func (l *loop) refuse(c *conn, err error) {
	l.config.Telemetry.Emit(l.ctx, telemetry.ConnectRefused{
		Socket: telemetry.Socket{Transport: Name}, Check: "watch", Err: err,
	})
	_, _ = write(c.fd, sealedFrame(l.engine.secrets.at(c.fd), closeFrame(transport.CloseRestart)))
	c.flags |= parted
	l.destroy(c, err)
}

// dirty remembers that a connection has output.
func (l *loop) dirty(c *conn, class transport.Class) {
	switch {
	case c.is(blocked) || c.is(urgent):
	case class == transport.Direct:
		c.flags |= urgent
		l.direct = append(l.direct, c)
	case !c.is(queued):
		c.flags |= queued
		l.bulk.push(c)
	}
}

// write writes what is meant for single clients, and some of what is meant for
// many.
func (l *loop) write() {
	for i, c := range l.direct {
		l.direct[i] = nil
		c.flags &^= urgent
		l.flush(c)
	}
	l.direct = shrink(l.direct)
	for range min(bulkTurn, l.bulk.len()) {
		c := l.bulk.pop()
		c.flags &^= queued
		l.flush(c)
	}
}

// shrink empties a list; the memory of a herd goes back.
func shrink(list []*conn) []*conn {
	if cap(list) > 1<<14 {
		return nil
	}
	return list[:0]
}

// doom cuts a connection at the end of the turn, when nobody is in the middle
// of walking over it.
func (l *loop) doom(c *conn) {
	if c.state == open || c.state == closing {
		l.doomed = append(l.doomed, c)
	}
	if c.state == open {
		c.state = dying
	}
}

func (l *loop) reap() {
	for i := 0; i < len(l.doomed); i++ { //nolint:intrange // destroying one may doom others
		c := l.doomed[i]
		reason := transport.ErrClientGone
		if c.sending() && c.busy.out.weight() > l.config.Outbox {
			reason = transport.ErrSlowConsumer
		}
		l.destroy(c, reason)
	}
	clear(l.doomed)
	l.doomed = l.doomed[:0]
}

// destroy ends a connection at once.
func (l *loop) destroy(c *conn, reason error) {
	if c.state == closed {
		return
	}
	if !c.sending() {
		l.alert(c, tlsrecord.CloseNotify)
	}
	told := c.state == closing
	c.state = closed
	l.forget(c)
	l.engine.table.drop(c.fd)
	l.sever(c)
	l.drop(c)
	if c.busy != nil {
		l.lent.give(c.busy)
		c.busy = nil
	}
	l.count.connections.Add(-1)
	if !told {
		c.session.Closed(reason)
	}
	release(c.session)
}

// cut ends a connection once everything queued for it has left.
func (l *loop) cut(c *conn) {
	c.flags |= last
	if !c.sending() {
		l.destroy(c, transport.ErrClientClosed)
	}
}
