package websocket

import (
	"errors"
	"syscall"

	"github.com/roostgo/roost/transport"
)

func again(err error) bool { return errors.Is(err, syscall.EAGAIN) }

// flush writes what is queued for a connection until it is gone or the kernel
// takes no more.
func (l *loop) flush(c *conn) {
	if c.state == closed || c.is(blocked) {
		return
	}
	if c.sending() && !l.send(c) {
		return
	}
	c.rest()
	switch {
	case c.is(last):
		l.destroy(c, transport.ErrClientClosed)
	case c.is(deaf): // RFC 6455 §7.1.7: its close frame would not be read, so do not have it wait for us
		l.fallSilent(c)
	}
}

// send writes what is queued until it is gone, and reports false when the
// kernel takes no more.
func (l *loop) send(c *conn) bool {
	if c.is(secured) {
		return l.flushSealed(c)
	}
	for c.sending() {
		b := l.gather(c)
		n, err := write(c.fd, b)
		l.wrote(c, n)
		if n < len(b) {
			l.stuck(c, err)
			return false
		}
	}
	return true
}

// wrote takes n written bytes off the outbox.
func (l *loop) wrote(c *conn, n int) {
	out := &c.busy.out
	frames := out.written(n, c.size)
	l.count.writes.Add(1)
	l.count.bytesOut.Add(uint64(n))       //nolint:gosec // not negative
	l.count.framesOut.Add(uint64(frames)) //nolint:gosec // not negative
}

// gather returns the next bytes to write: a large frame where it is, or small
// ones one behind the other.
func (l *loop) gather(c *conn) []byte {
	o := &c.busy.out
	b := c.bytes(o.frames[o.head].frame)[o.offset:]
	if len(b) >= gatherFrom || o.head == len(o.frames)-1 {
		return b
	}
	l.gathered = append(l.gathered[:0], b...)
	for _, q := range o.frames[o.head+1:] {
		b = c.bytes(q.frame)
		if len(l.gathered)+len(b) > gatherSize {
			break
		}
		l.gathered = append(l.gathered, b...)
	}
	return l.gathered
}

// stuck waits for room in the kernel's buffer, or ends a connection that is
// broken.
func (l *loop) stuck(c *conn, err error) {
	if err != nil && !again(err) {
		l.doom(c)
		return
	}
	l.block(c)
}

func (l *loop) block(c *conn) {
	if !c.is(blocked) {
		c.flags |= blocked
		l.watch(c)
	}
}

// unblock goes on writing when there is room again.
func (l *loop) unblock(c *conn) {
	if !c.is(blocked) {
		return
	}
	c.flags &^= blocked
	l.flush(c)
	if c.state != closed && !c.is(blocked) {
		l.watch(c)
	}
}

// watch tells the poller what is wanted of a connection now.
func (l *loop) watch(c *conn) {
	if c.state == closed || c.is(leaving) {
		return
	}
	if err := l.poller.Watch(int(c.fd), c.token(), !c.is(paused), c.is(blocked), !c.is(abandoned)); err != nil {
		l.doom(c)
	}
}
