package tlsrecord

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Conn is a connection that was taken over, as a net.Conn. It is what net/http
// reads requests from, before the connection is parked, or for as long as it
// lives.
//
// Any number of goroutines may use it. Its locks are taken in the order in which
// they stand.
type Conn struct {
	// Immutable.
	nc    net.Conn
	facts tls.ConnectionState

	readMu  sync.Mutex
	raw     []byte // received, not opened; guarded by readMu, as what follows
	plain   []byte // opened, not read; the place before raw's
	readErr error

	writeMu  sync.Mutex // kept while bytes leave, so that they leave in order
	sealed   []byte     // room for them; guarded by writeMu, as what follows
	writeErr error

	mu     sync.Mutex // never kept while anything blocks
	state  State      // guarded by mu, as what follows
	cipher Cipher
}

// ErrDetached is what a Conn returns after Detach.
var ErrDetached = errors.New("tlsrecord: the connection was handed over")

// ConnectionState is what the handshake established. net/http makes it the
// Request's TLS.
func (c *Conn) ConnectionState() tls.ConnectionState { return c.facts }

// NetConn returns the connection underneath, whose bytes are records.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Detach hands the connection over: the one underneath, its state, what was read
// of the client's data and not delivered, and what was received and not opened.
// Nobody may use c at the same time, and afterwards it is of no use.
func (c *Conn) Detach() (nc net.Conn, s State, plain, raw []byte, err error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	if err := errors.Join(c.readErr, c.writeErr); err != nil {
		return nil, State{}, nil, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, plain, raw = c.state, c.plain, c.raw
	c.state.Wipe()
	c.cipher.Wipe()
	c.readErr, c.writeErr = ErrDetached, ErrDetached
	c.plain, c.raw, c.sealed = nil, nil, nil
	return c.nc, s, plain, raw, nil
}

// Read implements net.Conn. After an alert of the client, or a mistake of it,
// every Read returns that error; the mistake is answered with an alert first.
func (c *Conn) Read(p []byte) (int, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	for len(c.plain) == 0 {
		if c.readErr != nil {
			return 0, c.readErr
		}
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.plain)
	c.plain = c.plain[n:]
	return n, nil
}

// next opens the next record, or receives more of it.
func (c *Conn) next() error {
	plain, n, err := c.open()
	switch {
	case err != nil:
		c.readErr = err
		c.answer(err)
		return err
	case n == 0:
		return c.receive()
	}
	c.plain, c.raw = plain, c.raw[n:]
	return nil
}

func (c *Conn) open() ([]byte, int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cipher.Open(&c.state, c.raw)
}

// answer tells the client what it did wrong.
func (c *Conn) answer(err error) {
	if a, ok := errors.AsType[Alert](err); ok {
		_ = c.end(a, err)
	}
}

// receive reads more. An end within a record, or without close_notify, is
// nobody's to prove: it may have been cut by others (§6.1).
func (c *Conn) receive() error {
	if len(c.raw) == cap(c.raw) {
		c.raw = append(make([]byte, 0, max(firstRead, min(2*len(c.raw), MaxRecord))), c.raw...)
	}
	n, err := c.nc.Read(c.raw[len(c.raw):cap(c.raw)])
	c.raw = c.raw[:len(c.raw)+n]
	switch {
	case n > 0:
		return nil
	case err == io.EOF: //nolint:errorlint // a Reader's io.EOF is not wrapped
		err = io.ErrUnexpectedEOF
		c.readErr = err
	}
	return err
}

// Write implements net.Conn. After a Write that failed, also one that took too
// long, there is no other: part of a record may have left.
func (c *Conn) Write(p []byte) (n int, err error) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	if c.writeErr != nil {
		return 0, c.writeErr
	}
	for len(p) > 0 {
		piece := p[:min(len(p), MaxPlaintext)]
		if err := c.send(piece); err != nil {
			c.writeErr = err
			return n, err
		}
		n += len(piece)
		p = p[len(piece):]
	}
	return n, nil
}

// send seals and sends. The caller has writeMu.
func (c *Conn) send(p []byte) error {
	c.mu.Lock()
	c.sealed = c.cipher.Seal(&c.state, c.sealed[:0], p)
	c.mu.Unlock()
	_, err := c.nc.Write(c.sealed)
	return err
}

// end sends an alert, the last thing that is sent; later Writes return reason.
func (c *Conn) end(a Alert, reason error) error {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	if c.writeErr != nil {
		return nil
	}
	c.writeErr = reason
	c.mu.Lock()
	c.sealed = c.cipher.SealAlert(&c.state, c.sealed[:0], a)
	c.mu.Unlock()
	_, err := c.nc.Write(c.sealed)
	return err
}

// CloseWrite says close_notify; the client may still send.
func (c *Conn) CloseWrite() error { return c.end(CloseNotify, net.ErrClosed) }

// partingTime is how long Close lets close_notify wait for a client that does
// not read. It is that of crypto/tls.
const partingTime = 5 * time.Second

// Close says close_notify, unless a Write is under way, and closes.
func (c *Conn) Close() error {
	if c.writeMu.TryLock() {
		c.writeMu.Unlock()
		_ = c.nc.SetWriteDeadline(time.Now().Add(partingTime))
		_ = c.CloseWrite() // as a courtesy
	}
	return c.nc.Close()
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error { return c.nc.SetDeadline(t) }

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.nc.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.nc.SetWriteDeadline(t) }
