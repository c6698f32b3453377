package websocket

import (
	"errors"
	"io"
	"syscall"

	"github.com/roostgo/roost/internal/tlsrecord"
	"github.com/roostgo/roost/transport"
)

// A connection in TLS 1.3 has its secrets in a table of their own, so that
// others do not pay for them; the flag secured says that it has some. Its outbox
// holds frames as they are, shared with others. They are sealed when they are
// about to be written, and what the kernel does not take of that is kept as it
// is: a record cannot be sealed twice.

const (
	// sealTurn is how many bytes are sealed for one write, and with that how
	// many sealed ones a client that does not read makes us keep.
	sealTurn = 2 * tlsrecord.MaxPlaintext

	// cipherSlots is how many connections of a loop have ciphers at hand. They
	// are made anew for the others: 0.9 µs, where keeping them costs 1.3 KB, in
	// each direction.
	cipherSlots = 256
)

// sealer is what a loop has for its connections in TLS.
type sealer struct {
	ciphers *[cipherSlots]tlsrecord.Cipher // nil when unused since the last sweep
	pieces  [][]byte
	sealed  []byte
}

// cipher is a place for the ciphers of a connection; those of another may be
// in it, which they find out by themselves.
func (s *sealer) cipher(fd int32) *tlsrecord.Cipher {
	if s.ciphers == nil {
		s.ciphers = new([cipherSlots]tlsrecord.Cipher)
	}
	return &s.ciphers[fd%cipherSlots]
}

// trim lets go of all ciphers, and keys, that are at hand.
func (s *sealer) trim() { s.ciphers, s.sealed = nil, nil }

// unseal opens the records in b, hands what is in them on, and keeps what is
// incomplete, or comes while the session holds.
func (l *loop) unseal(c *conn, b []byte) {
	if in := c.inbound(); in != nil && len(in.sealed) > 0 {
		in.sealed = append(in.sealed, b...) // it has room for more than this: a record may come byte by byte
		b = in.sealed
	}
	for c.state != closed && !c.is(deaf) && !c.is(held) {
		data, n, err := l.sealer.cipher(c.fd).Open(l.engine.secrets.at(c.fd), b)
		switch {
		case err != nil:
			l.unsealed(c, err)
			return
		case n == 0:
			l.keepSealed(c, b)
			return
		}
		b = b[n:]
		if len(data) > 0 {
			l.count.bytesIn.Add(uint64(len(data)))
			l.deliver(c, data)
		}
	}
	l.keepSealed(c, b)
}

// keepSealed stores what cannot be opened yet, unless it is what was stored
// before.
func (l *loop) keepSealed(c *conn, b []byte) {
	if len(b) == 0 || c.state == closed || c.is(deaf) {
		if in := c.inbound(); in != nil {
			in.sealed = nil
		}
		return
	}
	in := c.work().in
	if in == nil {
		in = &inbound{since: l.now}
		c.busy.in = in
	}
	if len(in.sealed) != len(b) {
		in.sealed = append([]byte(nil), b...)
	}
	l.hurry(c)
}

// unsealed ends a connection whose client says goodbye, or does what it must
// not: then it is told. One that said so in a close frame, too, is answered: only
// its own half has ended (§6.1).
func (l *loop) unsealed(c *conn, err error) {
	if err == io.EOF && c.is(last) && c.sending() { //nolint:errorlint // close_notify is not wrapped
		l.keepSealed(c, nil)
		return
	}
	reason := transport.ErrClientGone
	if alert, ok := errors.AsType[tlsrecord.Alert](err); ok {
		l.alert(c, alert)
		reason = transport.ErrBadFrame
	}
	l.destroy(c, reason)
}

// alert sends an alert, if there is room for it, and nothing after it.
func (l *loop) alert(c *conn, a tlsrecord.Alert) {
	if !c.is(secured) || c.is(parted) {
		return
	}
	c.flags |= parted
	if c.busy != nil && len(c.busy.out.sealed) > 0 {
		return // it would be within a record
	}
	l.sealer.sealed = l.sealer.cipher(c.fd).SealAlert(l.engine.secrets.at(c.fd), l.sealer.sealed[:0], a)
	_, _ = write(c.fd, l.sealer.sealed) // a courtesy
}

// fallSilent ends our half of a connection.
func (l *loop) fallSilent(c *conn) {
	l.alert(c, tlsrecord.CloseNotify)
	_ = syscall.Shutdown(int(c.fd), syscall.SHUT_WR)
}

// forget drops the secrets of a connection.
func (l *loop) forget(c *conn) {
	if c.is(secured) {
		l.engine.secrets.at(c.fd).Wipe()
		l.engine.secrets.drop(c.fd)
	}
}

// flushSealed seals and writes what is queued until it is gone, and reports
// false when the kernel takes no more.
func (l *loop) flushSealed(c *conn) bool {
	out := &c.busy.out
	for c.sending() {
		b := out.sealed
		if len(b) == 0 {
			b = l.seal(c)
		}
		n, err := write(c.fd, b)
		out.pace.left += n
		if n < len(b) {
			out.sealed = append([]byte(nil), b[n:]...)
			l.stuck(c, err)
			return false
		}
		out.sealed = nil
	}
	return true
}

// seal seals the next frames that wait, as many as go into one write.
func (l *loop) seal(c *conn) []byte {
	s, n := &l.sealer, 0
	out := &c.busy.out
	for i, q := range out.frames[out.head:] {
		b := c.bytes(q.frame)
		if i == 0 {
			b = b[out.offset:]
		}
		b = b[:min(len(b), sealTurn-n)]
		s.pieces = append(s.pieces, b)
		if n += len(b); n == sealTurn {
			break
		}
	}
	s.sealed = s.cipher(c.fd).Seal(l.engine.secrets.at(c.fd), s.sealed[:0], s.pieces...)
	clear(s.pieces)
	s.pieces = s.pieces[:0]
	l.wrote(c, n)
	return s.sealed
}

// sealedFrame is a frame for a connection that no loop has: it is the only one.
func sealedFrame(s *tlsrecord.State, f *transport.Frame) []byte {
	if s == nil {
		return f.WebSocket()
	}
	var c tlsrecord.Cipher
	return c.SealAlert(s, c.Seal(s, nil, f.WebSocket()), tlsrecord.CloseNotify)
}
