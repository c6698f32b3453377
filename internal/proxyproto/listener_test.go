package proxyproto_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/internal/proxyproto"
)

// piped is a connection in memory with an address.
type piped struct {
	net.Conn
	peer net.Addr
}

func (p piped) RemoteAddr() net.Addr { return p.peer }

// queue is a listener that hands out what is in it.
type queue chan net.Conn

func (q queue) Accept() (net.Conn, error) { return <-q, nil }
func (q queue) Close() error              { return nil }
func (q queue) Addr() net.Addr            { return &net.TCPAddr{} }

// accepted is a connection from a peer, of whom 10.0.0.1 is trusted, its other
// end, and what was told of it.
func accepted(t *testing.T, peer net.Addr) (server, client net.Conn, refused chan error) {
	t.Helper()
	near, far := net.Pipe()
	refused = make(chan error, 2)
	q := make(queue, 1)
	q <- piped{near, peer}
	l := &proxyproto.Listener{
		Listener: q,
		Trusts:   func(a netip.Addr) bool { return a == netip.MustParseAddr("10.0.0.1") },
		Refused:  func(_ net.Addr, err error) { refused <- err },
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = far.Close(), c.Close() })
	return c, far, refused
}

var proxy = &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 7}

func TestAConnectionHasTheClientsAddressAndNothingOfTheHeader(t *testing.T) {
	for _, first := range []string{"address", "read", "bare"} {
		synctest.Test(t, func(t *testing.T) {
			c, far, _ := accepted(t, proxy)
			go func() { // ends with what it writes
				_, _ = far.Write([]byte("PROXY TCP4 203.0.113.9 10.0.0.2 12345 4000\r\n"))
				_, _ = far.Write([]byte("hello"))
			}()
			var b [5]byte
			switch first {
			case "read":
				_, _ = io.ReadFull(c, b[:])
			case "bare":
				_, _ = io.ReadFull(c.(*proxyproto.Conn).BareConn(), b[:])
			}
			if got := c.RemoteAddr().String(); got != "203.0.113.9:12345" {
				t.Errorf("%s first: got the address %s", first, got)
			}
			if first == "address" {
				_, _ = io.ReadFull(c, b[:])
			}
			if string(b[:]) != "hello" {
				t.Errorf("%s first: read %q", first, b)
			}
			time.Sleep(2 * proxyproto.Timeout) //nolint:forbidigo // in a bubble: the header's deadline is over
			go func() { _, _ = far.Write([]byte("still")) }()
			if _, err := io.ReadFull(c, b[:]); err != nil {
				t.Errorf("%s first: later: %v", first, err)
			}
		})
	}
}

func TestAProxyThatSpeaksForItselfKeepsItsAddress(t *testing.T) {
	c, far, _ := accepted(t, proxy)
	go func() { _, _ = far.Write([]byte(block(0x20, 0, ""))) }()
	if got := c.RemoteAddr().String(); got != "10.0.0.1:7" {
		t.Errorf("got %s", got)
	}
}

func TestNobodyElseIsAskedForAHeader(t *testing.T) {
	for _, peer := range []net.Addr{&net.TCPAddr{IP: net.IPv4(203, 0, 113, 1), Port: 7}, &net.UnixAddr{Name: "@"}} {
		c, _, _ := accepted(t, peer)
		if _, ok := c.(piped); !ok || c.RemoteAddr() != peer {
			t.Errorf("%v: got a %T of %v", peer, c, c.RemoteAddr())
		}
	}
}

func TestAConnectionWithoutAHeaderIsClosed(t *testing.T) {
	c, far, refused := accepted(t, proxy)
	go func() { _, _ = far.Write([]byte("GET / HTTP/1.1\r\n")) }()
	if c.RemoteAddr() != net.Addr(proxy) || !errors.Is(<-refused, proxyproto.ErrBadHeader) {
		t.Error("it is not told who did it")
	}
	if n, err := c.Read(make([]byte, 9)); n > 0 || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("read %d bytes, %v", n, err)
	}
	if c.(*proxyproto.Conn).BareConn() != nil {
		t.Error("it can be taken over")
	}
}

func TestASilentProxyHoldsUpNobodyAndIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c, far, refused := accepted(t, proxy) // at once
		if time.Since(began) != 0 {
			t.Fatal("Accept waited for the header")
		}
		go func() { _, _ = far.Write([]byte("PROXY TCP4 203.0.")) }() // and no more
		_, _ = c.Read(make([]byte, 9))
		if err := <-refused; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != proxyproto.Timeout {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}
