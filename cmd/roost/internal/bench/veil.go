//go:build linux

package bench

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// veil is the TLS of one connection, which waits in epoll like others: what it
// reads is what has arrived, what it writes is handed to the worker.
type veil struct {
	*tls.Conn

	wire  *wire
	plain []byte // opened, not complete
}

func (w *worker) veil(i int) *veil {
	if len(w.veils) == 0 {
		return nil
	}
	return w.veils[int32(i)]
}

// drape does the handshake of connection i; the worker waits for it.
func (w *worker) drape(i int) error {
	v := &veil{wire: &wire{fd: w.conns[i].fd, within: w.set.Timeout, waits: true}}
	v.Conn = tls.Client(v.wire, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}) //nolint:gosec // a load tool: any server will do
	if err := v.Handshake(); err != nil {                                                            //nolint:noctx // within has it end
		return err
	}
	v.wire.waits = false
	w.veils[int32(i)] = v
	return nil
}

// seal returns what to send instead of b; it is good until the next call.
func (v *veil) seal(b []byte) []byte {
	v.wire.out = v.wire.out[:0]
	_, _ = v.Write(b) // to memory; after an error of the connection, the next read has it too
	return v.wire.out
}

// readVeiled is read for a connection in TLS.
func (w *worker) readVeiled(i int, v *veil) {
	for w.conns[i].state != closed {
		n, err := v.Read(w.in)
		v.plain = append(v.plain, w.in[:n]...)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			w.fail(i, "eof")
		case err != nil:
			w.fail(i, "tls")
		default:
			v.plain = append(v.plain[:0], w.consume(i, v.plain)...)
		}
	}
}

// wire is a nonblocking descriptor below a tls.Conn.
type wire struct {
	net.Conn // nil: of the rest, nothing is needed

	fd     int32
	within int64 // ns, how long it waits
	waits  bool  // for the peer, during the handshake
	out    []byte
}

// Read takes what has arrived. When that is nothing, the time to wait for more
// is over at once, which to a tls.Conn is no end.
func (c *wire) Read(b []byte) (int, error) {
	for {
		n, err := read(c.fd, b)
		switch {
		case errors.Is(err, unix.EAGAIN) && !c.waits:
			return 0, os.ErrDeadlineExceeded
		case errors.Is(err, unix.EAGAIN):
			if err := await(c.fd, unix.POLLIN, c.within); err != nil {
				return 0, err
			}
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Write sends during the handshake, and collects afterwards.
func (c *wire) Write(b []byte) (int, error) {
	if !c.waits {
		c.out = append(c.out, b...)
		return len(b), nil
	}
	for rest := b; len(rest) > 0; {
		n, err := write(c.fd, rest)
		if errors.Is(err, unix.EAGAIN) {
			err = await(c.fd, unix.POLLOUT, c.within)
		}
		if err != nil {
			return len(b) - len(rest), err
		}
		rest = rest[n:]
	}
	return len(b), nil
}

// Close leaves the descriptor to the worker.
func (c *wire) Close() error { return nil }
