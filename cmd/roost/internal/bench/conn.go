//go:build linux

package bench

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

type state uint8

const (
	closed state = iota
	connecting
	upgrading
	joining
	joined
)

func (s state) String() string {
	return [...]string{"closed", "connect", "upgrade", "join", "joined"}[s]
}

// conn is all that a connection at rest costs the tool, besides the kernel's:
// 32 bytes.
type conn struct {
	// at is when connect(2) was called; in the closed loop, when the request
	// that is in flight was meant to leave.
	at    int64
	fd    int32
	topic uint32
	// seq is the last publication that arrived; on a raw connection, how many
	// messages did.
	seq uint32
	// ref is the low half of the request's number that is in flight.
	ref   uint32
	rest  uint32 // raw: bytes of a message that is not complete
	state state
	tries uint8
	// missed says whether a publication did not arrive.
	missed bool
}

// open begins connection i; its end comes with an event.
func (w *worker) open(i int) {
	c := &w.conns[i]
	c.at, c.seq, c.ref, c.rest = w.clock.now(), 0, 0, 0
	c.tries++
	fd, err := unix.Socket(w.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		c.state, c.fd = connecting, -1
		w.fail(i, errnoCause(err))
		return
	}
	c.fd, c.state = int32(fd), connecting
	if err := w.connect(i, fd); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		w.fail(i, errnoCause(err))
	}
}

func (w *worker) connect(i, fd int) error {
	// A request must leave at once, and so must what it is compared with.
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	if w.set.Sources > 0 {
		if err := bindSource(fd, w.set.Source+i%w.set.Sources); err != nil {
			return err
		}
	}
	ev := unix.EpollEvent{Fd: int32(i), Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET}
	if err := unix.EpollCtl(w.epfd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return err
	}
	return unix.Connect(fd, w.peer)
}

// bindSource chooses 127.0.x.y; the port is chosen at connect, so that it only
// has to be free towards this peer.
func bindSource(fd, xy int) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return err
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, byte(xy >> 8), byte(xy)}})
}

// event handles what epoll says of connection i.
func (w *worker) event(i int, events uint32) {
	c := &w.conns[i]
	if c.state == connecting && events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		w.connected(i)
	} else if events&unix.EPOLLOUT != 0 {
		w.flush(i)
	}
	if w.stalled && c.state == joined {
		return
	}
	if c.state > connecting && events&^unix.EPOLLOUT != 0 {
		w.read(i, events&^(unix.EPOLLIN|unix.EPOLLOUT) != 0)
	}
}

func (w *worker) connected(i int) {
	c := &w.conns[i]
	errno, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	if err != nil {
		w.fail(i, errnoCause(err))
		return
	}
	w.dialer.toTCP.add(w.clock.now() - c.at)
	if w.set.Raw > 0 {
		w.entered(i)
		return
	}
	c.state = upgrading
	if w.set.TLS {
		if err := w.drape(i); err != nil {
			w.fail(i, "tls")
			return
		}
	}
	w.send(i, w.upgrade)
}

// entered is the end of connection i's way in.
func (w *worker) entered(i int) {
	w.conns[i].state = joined
	w.joined++
	w.dialer.joined(w, i)
}

// read takes what has arrived on connection i, up to its end if it has ended.
// Events are edge-triggered: a read that fills the buffer is followed by
// another, a shorter one has drained the socket.
func (w *worker) read(i int, ended bool) {
	c := &w.conns[i]
	if v := w.veil(i); v != nil {
		w.readVeiled(i, v)
		return
	}
	for {
		kept := copy(w.in, w.kept(i))
		n, err := read(c.fd, w.in[kept:])
		switch {
		case errors.Is(err, unix.EAGAIN):
			return
		case err != nil:
			w.fail(i, errnoCause(err))
			return
		case n == 0:
			w.fail(i, "eof")
			return
		}
		w.keep(i, w.consume(i, w.in[:kept+n]))
		if c.state == closed || kept+n < len(w.in) && !ended {
			return
		}
	}
}

// kept is the beginning of a frame that has not ended yet.
func (w *worker) kept(i int) []byte {
	if len(w.partial) == 0 {
		return nil
	}
	return w.partial[int32(i)]
}

func (w *worker) keep(i int, rest []byte) {
	if len(rest) > 0 && w.conns[i].state != closed {
		if len(rest) == len(w.in) {
			w.fail(i, "frame-too-long")
			return
		}
		w.partial[int32(i)] = bytes.Clone(rest)
		return
	}
	if len(w.partial) > 0 {
		delete(w.partial, int32(i))
	}
}

// consume acts on what is complete in b and returns the rest.
func (w *worker) consume(i int, b []byte) []byte {
	c := &w.conns[i]
	now := w.clock.now()
	if w.set.Raw > 0 {
		w.raw(c, len(b))
		return nil
	}
	if c.state == upgrading {
		end := bytes.Index(b, []byte("\r\n\r\n"))
		if end < 0 {
			return b
		}
		w.upgraded(i, b[:end], now)
		b = b[end+4:]
	}
	for c.state != closed {
		f, err := parseFrame(b)
		if err != nil {
			w.fail(i, "bad-frame")
			break
		}
		if f.size == 0 {
			return b
		}
		w.frame(i, f, now)
		b = b[f.size:]
	}
	return nil
}

// raw counts messages by their size alone.
func (w *worker) raw(c *conn, n int) {
	total := int(c.rest) + n
	for ; total >= w.set.Raw; total -= w.set.Raw {
		c.seq++
		w.tally.arrived(c.topic, c.seq)
	}
	c.rest = uint32(total)
}

// The accept value goes with the key: both are RFC 6455 §1.3's.
const (
	upgradeKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	upgradeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

func upgradeRequest(path, host string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", path, host, upgradeKey)
}

func (w *worker) upgraded(i int, head []byte, now int64) {
	const status = len("HTTP/1.1 ")
	switch {
	case len(head) < status+3 || !bytes.HasPrefix(head, []byte("HTTP/1.1 ")):
		w.fail(i, "not-http")
	case string(head[status:status+3]) != "101":
		w.fail(i, "http-"+string(head[status:status+3]))
	case !bytes.Contains(head, []byte(upgradeAccept)):
		w.fail(i, "bad-accept-key")
	default:
		c := &w.conns[i]
		c.state = joining
		w.dialer.toUpgraded.add(now - c.at)
		w.text = appendMessage(w.text[:0], joinRef, w.set.Prefix, c.topic, "phx_join", []byte("{}"))
		w.sendFrame(i, opText, w.text)
	}
}

// frame acts on one frame of the server.
func (w *worker) frame(i int, f serverFrame, now int64) {
	switch f.opcode {
	case opText:
		if m, ok := parseMessage(f.payload); ok {
			w.message(i, m, now)
			return
		}
		w.fail(i, "bad-message")
	case opPing:
		w.text = append(w.text[:0], f.payload...)
		w.sendFrame(i, opPong, w.text)
	case opClose:
		w.fail(i, closeCause(f.payload))
	}
}

// message acts on one message of the server. What nobody waits for, such as
// the reply to a publication, is passed over.
func (w *worker) message(i int, m message, now int64) {
	c := &w.conns[i]
	switch {
	case is(m.event, broadcastEvent):
		w.delivered(c, m, now)
	case is(m.event, "phx_reply") && is(m.ref, heartbeatRef):
		w.heart.answered++
	case is(m.event, "phx_reply") && c.state == joining && is(m.ref, joinRef):
		if !m.replyOK() {
			w.fail(i, "join-error")
			return
		}
		w.entered(i)
	case is(m.event, "phx_reply"):
		w.pinger.reply(w, i, m, now)
	case is(m.event, "phx_error"), is(m.event, "phx_close"):
		w.fail(i, string(bytes.Trim(m.event, `"`)))
	}
}

// fail ends connection i. One that was not joined yet may try again.
func (w *worker) fail(i int, cause string) {
	c := &w.conns[i]
	was := c.state
	if was == closed {
		return
	}
	w.close(i, false)
	if was == joined {
		w.joined--
		w.drops[cause]++
		return
	}
	w.dialer.failed(w, i, cause)
}

// close gives the descriptor back, which takes it out of the epoll set.
func (w *worker) close(i int, rst bool) {
	c := &w.conns[i]
	if c.state == closed {
		return
	}
	if rst && c.fd >= 0 {
		// Without it the connection would end all the same.
		_ = unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	if c.fd >= 0 {
		_ = unix.Close(int(c.fd))
	}
	c.state, c.fd = closed, -1
	delete(w.partial, int32(i))
	delete(w.unsent, int32(i))
	delete(w.veils, int32(i))
}
