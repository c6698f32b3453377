package tlsrecord

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/testcert"
)

const patience = 20 * time.Second

// certificate makes one for localhost, and who trusts it.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	pair := testcert.New(t, "localhost")
	return pair.TLS, testcert.Pool(pair)
}

// stage is a server whose connections echo.
type stage struct {
	t       *testing.T
	address string
	server  *Server
	client  *tls.Config // of clients that trust the server
	carried chan net.Conn
	failed  chan error
}

// newStage starts it; it ends with the test.
func newStage(t *testing.T, change func(server, client *tls.Config)) *stage {
	t.Helper()
	cert, pool := certificate(t)
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	s := &stage{
		t: t, client: &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12},
		carried: make(chan net.Conn, 100), failed: make(chan error, 100),
	}
	if change != nil {
		change(config, s.client)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address, s.server = l.Addr().String(), NewServer(config, 2)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { // ends with the listener
		defer close(done)
		s.accept(ctx, l)
	}()
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		<-done
	})
	return s
}

func (s *stage) accept(ctx context.Context, l net.Listener) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		go func() { // ends with the client's connection, or with ctx
			defer nc.Close()
			defer context.AfterFunc(ctx, func() { _ = nc.Close() })()
			c, err := s.server.Handshake(ctx, nc, nobody)
			if err != nil {
				s.failed <- err
				return
			}
			s.carried <- c
			_, _ = io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c})
			_ = c.Close()
		}()
	}
}

// dial connects a client, on a connection that wrap may have made another.
func (s *stage) dial(config *tls.Config, wrap func(net.Conn) net.Conn) (*tls.Conn, net.Conn) {
	s.t.Helper()
	nc, err := net.Dial("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	if wrap != nil {
		nc = wrap(nc)
	}
	c := tls.Client(nc, config)
	if err := c.Handshake(); err != nil {
		s.t.Fatal(err)
	}
	return c, s.next()
}

// next is what carries the next connection.
func (s *stage) next() net.Conn {
	s.t.Helper()
	select {
	case c := <-s.carried:
		return c
	case err := <-s.failed:
		s.t.Fatal(err)
	case <-time.After(patience):
		s.t.Fatal("no connection came")
	}
	return nil
}

// echoes has a client hear what it says.
func (s *stage) echoes(c io.ReadWriter, message []byte) {
	s.t.Helper()
	sent := make(chan error, 1)
	go func() { // ends when the echo has been read, or with the connection
		_, err := c.Write(message)
		sent <- err
	}()
	got := make([]byte, len(message))
	if _, err := io.ReadFull(c, got); err != nil {
		s.t.Fatal(err)
	}
	if string(got) != string(message) {
		s.t.Fatal("the echo is another")
	}
	if err := <-sent; err != nil {
		s.t.Fatal(err)
	}
}
