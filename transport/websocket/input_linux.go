package websocket

import (
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/internal/poll"
	"github.com/roostgo/roost/transport"
)

// How a loop reads: from what is ready to the messages that sessions receive.

func (l *loop) readable(c *conn, ready uint32) {
	switch {
	case c.is(held):
		l.pause(c, ready)
	case poll.Ended(ready) || poll.Broken(ready):
		l.leave(c)
	default:
		l.read(c)
	}
}

// read takes what has come, once, and reports whether there was something.
func (l *loop) read(c *conn) bool {
	n, err := read(c.fd, l.in)
	switch {
	case n > 0:
		c.seen = l.now
		l.received(c, l.in[:n])
	case !again(err):
		l.destroy(c, transport.ErrClientGone)
	}
	return n > 0
}

// received takes what was read.
func (l *loop) received(c *conn, b []byte) {
	if c.is(secured) {
		l.unseal(c, b)
	} else {
		l.count.bytesIn.Add(uint64(len(b)))
		l.deliver(c, b)
	}
	l.account(c)
}

// account has what is kept of a connection's input counted.
func (l *loop) account(c *conn) {
	if in := c.inbound(); in != nil {
		in.share.owner = c
		l.engine.hoard.set(&in.share, in.size())
	}
}

// drop lets go of what is kept of a connection's input.
func (l *loop) drop(c *conn) {
	if in := c.inbound(); in != nil {
		l.engine.hoard.set(&in.share, 0)
		c.busy.in = nil
	}
}

// pause stops watching the input of a connection whose session holds it, and
// tells the session when the client has closed its half. One that is broken
// cannot be stopped from saying so, and ends.
func (l *loop) pause(c *conn, ready uint32) {
	if poll.Broken(ready) {
		l.destroy(c, transport.ErrClientGone)
		return
	}
	c.flags |= paused
	if poll.Ended(ready) && !c.is(abandoned) {
		c.flags |= abandoned
		hangUpOn(c.session)
	}
	l.watch(c)
}

// deliver hands the messages in b to the session and keeps what is incomplete.
func (l *loop) deliver(c *conn, b []byte) {
	if c.is(deaf) {
		return
	}
	a := &l.assembler
	if c.busy != nil && c.busy.in != nil {
		a = &c.busy.in.assembler
	}
	limits := l.limits[0]
	if c.is(deflate) {
		limits = l.limits[1]
	}
	whole := false
	for len(b) > 0 && c.state != closed && !c.is(held) {
		ev, n, err := a.Next(b, limits)
		b = b[n:]
		if err != nil {
			l.offend(c, err)
			return
		}
		if ev.Opcode != frame.None {
			whole = whole || carries(ev)
			l.event(c, ev)
		}
	}
	l.keep(c, a, b)
	if in := c.inbound(); in != nil && whole {
		in.since = l.now
	}
	l.hurry(c)
}

// hurry ends a connection whose message takes too long. It is asked when
// something has come; who sends nothing is silent.
func (l *loop) hurry(c *conn) {
	in, limit := c.inbound(), milliseconds(l.config.MessageTimeout)
	if in == nil || limit == 0 || c.is(held) || l.now-in.since < limit {
		return
	}
	l.offend(c, errLate)
}

// offend ends a connection that broke a rule.
func (l *loop) offend(c *conn, err error) {
	if c.state == open {
		l.count.breached(l.ctx, l.config, err)
	}
	violate(c, err)
	l.deafen(c)
}

// deafen ignores from now on what comes in, because nobody knows where a frame
// begins.
func (l *loop) deafen(c *conn) {
	c.flags |= deaf
	l.drop(c)
	if c.state != closed {
		l.dirty(c, transport.Direct) // flush ends our half
	}
}

// event takes one event from the client.
func (l *loop) event(c *conn, ev frame.Event) {
	if c.state != open && ev.Opcode != frame.Close {
		return // we said goodbye already
	}
	l.count.received(len(ev.Payload))
	if receive(c, c.session, ev) == transport.Hold && c.state == open {
		c.flags |= held
	}
}

// keep stores what of a connection's input cannot be delivered yet, and lets go
// of the place where it was otherwise.
func (l *loop) keep(c *conn, a *frame.Assembler, rest []byte) {
	wanted := c.state != closed && !c.is(deaf) && (len(rest) > 0 || !a.Idle())
	if wanted {
		in := c.work().in
		if in == nil {
			in = &inbound{assembler: *a, since: l.now}
			c.busy.in = in
		}
		if len(rest) > 0 {
			in.backlog = append([]byte(nil), rest...)
		}
	} else if c.busy != nil {
		l.drop(c)
		c.rest()
	}
	if a == &l.assembler {
		*a = frame.Assembler{}
	}
}
