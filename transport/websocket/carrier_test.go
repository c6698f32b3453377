package websocket_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// carrier is the type of the engine's connection.
func (v *visit) carrier(t *testing.T) string {
	t.Helper()
	v.await(t, "open", func(es []entry) bool { return len(es) > 0 })
	return fmt.Sprintf("%T", v.conn)
}

const onLoop, onGoroutine = "*websocket.conn", "*websocket.link"

// preferred is where a socket goes when nobody says.
func preferred() string {
	if websocket.HaveLoops {
		return onLoop
	}
	return onGoroutine
}

// converse has a client say and hear something, large and small, and go.
func converse(t *testing.T, c *client.Conn, v *visit) {
	t.Helper()
	for _, m := range []string{"hello", strings.Repeat("large ", 100_000)} {
		sent := make(chan error, 1)
		go func() { sent <- c.SendText(m) }()
		expectText(t, c, m)
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(1000); err != nil {
		t.Fatal(err)
	}
	c.ExpectClose(t, 1000)
	c.ExpectEOF(t)
	v.awaitClosed(t, transport.ErrClientClosed)
}

func TestASocketGoesToTheEngineThatWasAskedFor(t *testing.T) {
	for engine, want := range map[websocket.Engine]string{websocket.Auto: preferred(), websocket.Goroutines: onGoroutine} {
		s := newStage(t, websocket.Config{Engine: engine})
		c, v := s.dial(client.Options{})
		if got := v.carrier(t); got != want {
			t.Errorf("engine %q: carried by %s", engine, got)
		}
		converse(t, c, v)
	}
}

// trusting is a client's TLS configuration for the server.
func trusting(s *httptest.Server) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func TestTLSIsCarriedByGoroutines(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			s := newStageOn(t, websocket.Config{CloseTimeout: time.Minute}, (*httptest.Server).StartTLS)
			config := trusting(s.server)
			config.MaxVersion = version
			c, v := s.dial(client.Options{TLS: config, Timeout: patience})
			if got := v.carrier(t); got != onGoroutine {
				t.Errorf("carried by %s", got)
			}
			converse(t, c, v)

			c, v = s.dial(client.Options{TLS: config})
			send(t, c, violations["opcode 3"].bytes)
			c.ExpectClose(t, 1002)
			c.ExpectEOF(t)
			v.awaitClosed(t, transport.ErrBadFrame)
			c.Drop()

			c, v = s.dial(client.Options{TLS: config})
			c.Abort()
			v.awaitClosed(t, transport.ErrClientGone)
			s.awaitNone()
		})
	}
}

// A TLS connection says goodbye before it hangs up, which may wait for a
// client that does not read: not on the lane.
func TestASlowTLSConsumerDelaysNobody(t *testing.T) {
	s := newStageOn(t, websocket.Config{Loops: 1, Outbox: smallOutbox, SendBuffer: 16 << 10, CloseTimeout: time.Minute}, (*httptest.Server).StartTLS)
	o := client.Options{TLS: trusting(s.server), Timeout: patience}
	other, _ := s.dial(o)
	for i := range 10 {
		c, v := s.dial(o)
		defer c.Abort()
		v.onLane(t, func() {})
		if i%2 == 0 {
			v.flood(t, 1000)
		} else {
			v.onLane(t, func() { v.conn.Enqueue(frameOf(strings.Repeat("x", 4<<20)), transport.Direct) })
			send(t, c, closing(nil))
		}
		send(t, other, text("still there?"))
		expectText(t, other, "still there?") // long before CloseTimeout
	}
}

func TestASlowTLSConsumerIsGoneAfterTheCloseTimeout(t *testing.T) {
	s := newStageOn(t, websocket.Config{Loops: 1, Outbox: smallOutbox, SendBuffer: 16 << 10, CloseTimeout: short}, (*httptest.Server).StartTLS)
	c, v := s.dial(client.Options{TLS: trusting(s.server), Timeout: patience})
	v.onLane(t, func() { v.conn.Enqueue(frameOf(strings.Repeat("x", 4<<20)), transport.Direct) })
	send(t, c, closing(nil))
	s.awaitNone()
}

// disguised is a connection that is more than its descriptor: it shifts all
// bytes by one.
type disguised struct{ net.Conn }

func (d disguised) Read(b []byte) (int, error) {
	n, err := d.Conn.Read(b)
	for i := range b[:n] {
		b[i]--
	}
	return n, err
}

func (d disguised) Write(b []byte) (int, error) {
	c := slices.Clone(b)
	for i := range c {
		c[i]++
	}
	return d.Conn.Write(c)
}

type disguise struct{ net.Listener }

func (d disguise) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return disguised{c}, nil
}

func TestAWrappedConnectionIsCarriedByGoroutines(t *testing.T) {
	s := newStageOn(t, websocket.Config{CloseTimeout: time.Minute}, func(h *httptest.Server) {
		h.Listener = disguise{h.Listener}
		h.Start()
	})
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return disguised{c}, err
	}
	c, v := s.dial(client.Options{Dial: dial, Early: text("early"), Timeout: patience})
	if got := v.carrier(t); got != onGoroutine {
		t.Errorf("carried by %s", got)
	}
	expectText(t, c, "early")
	converse(t, c, v)
}

func TestUnixSocketsAreCarried(t *testing.T) {
	for _, e := range engines() {
		t.Run("engine="+string(e), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			s := newStageOn(t, websocket.Config{Engine: e, CloseTimeout: time.Minute}, func(h *httptest.Server) {
				_ = h.Listener.Close()
				var err error
				if h.Listener, err = net.Listen("unix", path); err != nil {
					t.Fatal(err)
				}
				h.Start()
			})
			s.server.URL = "http://unix.example"
			dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", path)
			}
			c, v := s.dial(client.Options{Dial: dial, Early: text("early"), Timeout: patience})
			expectText(t, c, "early")
			converse(t, c, v)
			c, v = s.dial(client.Options{Dial: dial})
			c.Drop()
			v.awaitClosed(t, transport.ErrClientGone)
			_, v = s.dial(client.Options{Dial: dial})
			v.onLane(t, func() {})
			v.flood(t, 10_000)
		})
	}
}
