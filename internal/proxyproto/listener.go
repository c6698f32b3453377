package proxyproto

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Timeout is how long a header may take.
const Timeout = 5 * time.Second

// Listener takes connections that begin with a header from some peers, and plain
// ones from all others.
type Listener struct {
	net.Listener

	// Trusts says whose connections begin with a header. From others it would be
	// a lie, and is read as what it is: no HTTP.
	Trusts func(netip.Addr) bool

	// Refused is told, on the goroutine that uses the connection, of one that was
	// closed because of its header. nil is nobody.
	Refused func(peer net.Addr, err error)

	// Admit is asked, on that goroutine, whether the client that a header names may
	// come in; c is the connection as it was accepted. If it may not, the
	// connection is closed. nil lets all in.
	Admit func(c net.Conn, client netip.Addr) bool
}

// Accept waits for a connection, and not for its header: that is read when
// somebody first asks the connection for something.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	peer, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok || !l.Trusts(peer.AddrPort().Addr().Unmap()) {
		return c, nil
	}
	return &Conn{Conn: c, refused: l.Refused, admit: l.Admit}, nil
}

// Conn is a connection that begins with a header.
//
// The first Read, or the first question for RemoteAddr, waits for the header, at
// most for Timeout, and clears the read deadline. net/http asks for RemoteAddr on
// the connection's own goroutine, before it sets deadlines of its own.
type Conn struct {
	net.Conn
	refused func(net.Addr, error)
	admit   func(net.Conn, netip.Addr) bool

	once   sync.Once
	client net.Addr // whom the header names; nil: the peer itself
	failed bool     // the connection is closed
}

// Read reads what follows the header. After a bad one the connection is closed.
func (c *Conn) Read(p []byte) (int, error) {
	c.once.Do(c.begin)
	return c.Conn.Read(p)
}

// CloseWrite is what net/http says goodbye with to a client that still sends.
func (c *Conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// RemoteAddr is the address of the client.
func (c *Conn) RemoteAddr() net.Addr {
	c.once.Do(c.begin)
	if c.client != nil {
		return c.client
	}
	return c.Conn.RemoteAddr()
}

// BareConn is the connection below, when this one does nothing more for it; nil
// after a bad header. It makes a transport.Bare of a Conn.
func (c *Conn) BareConn() net.Conn {
	c.once.Do(c.begin)
	if c.failed {
		return nil
	}
	return c.Conn
}

// begin reads the header.
func (c *Conn) begin() {
	_ = c.SetReadDeadline(time.Now().Add(Timeout)) // fails on a closed connection, as reading does
	client, err := Read(c.Conn)
	if err != nil {
		c.failed = true
		if c.refused != nil { // before the client can know
			c.refused(c.Conn.RemoteAddr(), fmt.Errorf("proxyproto: read the header: %w", err))
		}
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	if client.IsValid() && c.admit != nil && !c.admit(c.Conn, client.Addr().Unmap()) {
		c.failed = true
		_ = c.Close()
		return
	}
	if client.IsValid() {
		c.client = net.TCPAddrFromAddrPort(client)
	}
}
