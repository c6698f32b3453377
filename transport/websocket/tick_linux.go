package websocket

import (
	"math"
	"time"

	"github.com/roostgo/roost/transport"
)

// A loop looks after time-outs a few times per Timeout, all connections at
// once: no connection has a timer.

const (
	shortestSweep = 20 * time.Millisecond
	longestSweep  = 5 * time.Second
)

// sweepEvery is how often a loop looks for connections that are silent or
// stuck: an eighth of the shorter time-out is how late it may be.
func (c *Config) sweepEvery() time.Duration {
	every := longestSweep
	for _, d := range []time.Duration{c.Timeout, c.WriteTimeout} {
		if d > 0 {
			every = min(every, max(d/8, shortestSweep))
		}
	}
	return every
}

// wakeAt is when the loop has something to do even if nothing is ready. The zero
// time is never.
func (l *loop) wakeAt() time.Time {
	at := l.dueAt()
	if l.leavers.len() > 0 && (at.IsZero() || l.leavers.next.Before(at)) {
		return l.leavers.next
	}
	return at
}

// dueAt is when a time-out has to be looked after. With no connection there is
// none.
func (l *loop) dueAt() time.Time {
	first := l.firstExpected()
	if first == nil && l.count.connections.Load() == 0 && !l.engine.herd.pending() {
		return time.Time{}
	}
	if l.sweepAt.IsZero() {
		l.sweepAt = time.Now().Add(l.config.sweepEvery())
	}
	if first != nil && first.until.Before(l.sweepAt) {
		return first.until
	}
	return l.sweepAt
}

// expect gives a closing handshake its deadline.
func (l *loop) expect(c *conn) {
	l.expected = append(l.expected, expectation{c, time.Now().Add(l.config.CloseTimeout)})
}

// tick does what is due.
func (l *loop) tick() {
	if l.sweepAt.IsZero() && len(l.expected) == 0 {
		return
	}
	now := time.Now()
	l.impatient(now)
	if l.sweepAt.IsZero() || now.Before(l.sweepAt) {
		return
	}
	if !l.sweep() {
		l.sweepAt = now.Add(leaveGap)
		return
	}
	l.sweepAt = time.Time{}
	if l.count.connections.Load() > 0 { // wakeAt is not asked while there is much to do
		l.sweepAt = now.Add(l.config.sweepEvery())
	}
	l.lent.trim()
	l.sealer.trim()
	l.engine.herd.tidy(now)
}

// impatient cuts connections whose closing handshake took too long, some in each
// turn.
func (l *loop) impatient(now time.Time) {
	for range leaveTurn {
		e := l.firstExpected()
		if e == nil || now.Before(e.until) {
			return
		}
		l.count.abrupt(l.ctx, l.config)
		l.destroy(e.conn, transport.ErrServerClosed)
	}
}

// firstExpected is the oldest closing handshake that is still under way, or
// nil. It forgets those that are over.
func (l *loop) firstExpected() *expectation {
	for len(l.expected) > 0 && l.expected[0].conn.state == closed {
		l.expected[0] = expectation{}
		l.expected = l.expected[1:]
	}
	if len(l.expected) == 0 {
		l.expected = nil
		return nil
	}
	return &l.expected[0]
}

// sweepTurn is how many connections a sweep looks at before the loop goes on
// with its other work.
const sweepTurn = 8192

// sweep ends connections that were silent or stuck for too long, and reports
// whether it has seen all. When a network fails they are very many: the next
// turn goes on where this one stopped.
func (l *loop) sweep() (done bool) {
	l.now = l.engine.clock()
	looked, ended := 0, 0
	for c := range l.engine.table.between(l.sweepFrom, tableSize) {
		if looked == sweepTurn || ended == leaveTurn {
			l.sweepFrom = c.fd
			return false
		}
		looked++
		if c.loop == l && c.state == open && l.expire(c) {
			ended++
		}
	}
	l.sweepFrom = 0
	return true
}

// expire ends a connection that was silent or stuck for too long.
func (l *loop) expire(c *conn) bool {
	switch {
	case l.silent(c):
		l.count.idle(l.ctx, l.config)
		c.finish(transport.CloseProtocol, transport.ErrIdle)
	case l.stalled(c):
		l.count.stalled(l.ctx, l.config, c.session, c.busy.out.bytes)
		l.destroy(c, transport.ErrSlowConsumer)
	default:
		return false
	}
	return true
}

// silent reports whether a connection is to be closed [§5.6]: with 1002, after
// which phoenix.js comes back.
func (l *loop) silent(c *conn) bool {
	limit := milliseconds(l.config.Timeout)
	return limit > 0 && !c.is(held) && l.now-c.seen >= limit
}

// stalled reports whether a connection takes nothing of what waits for it.
func (l *loop) stalled(c *conn) bool {
	limit := milliseconds(l.config.WriteTimeout)
	return limit > 0 && c.is(blocked) && c.sending() && c.busy.out.pace.stalled(l.now, limit)
}

// longest is the longest time-out of the loops' clock, which wraps after 49 days: a
// minute less, in which sweeps find out.
const longest = math.MaxUint32 - 60_000

// milliseconds is a time-out for the loops' clock.
func milliseconds(d time.Duration) uint32 {
	return uint32(min(d.Milliseconds(), longest)) //nolint:gosec // not negative
}
