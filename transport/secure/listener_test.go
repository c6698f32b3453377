package secure_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roostgo/roost/transport/secure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// listening is a listener on loopback, and a client's configuration for it.
func listening(t *testing.T, c secure.Config) (*secure.Listener, *tls.Config) {
	t.Helper()
	certified := httptest.NewUnstartedServer(nil) // has a certificate
	certified.StartTLS()
	defer certified.Close()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if c.TLS == nil {
		c.TLS = new(tls.Config)
	}
	c.TLS.Certificates, c.TLS.MinVersion = certified.TLS.Certificates, tls.VersionTLS12
	l := secure.Listen(inner, c)
	t.Cleanup(func() { _ = l.Close() })
	pool := x509.NewCertPool()
	pool.AddCert(certified.Certificate())
	return l, &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12}
}

// knock connects without TLS.
func knock(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

func TestConnectionsAreAcceptedAfterTheirHandshake(t *testing.T) {
	l, config := listening(t, secure.Config{})
	const clients = 20
	var wait sync.WaitGroup
	for range clients {
		silent := knock(t, l) // has not begun
		defer silent.Close()
		wait.Go(func() {
			c, err := tls.Dial("tcp", l.Addr().String(), config)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if _, err := io.WriteString(c, "hello"); err != nil {
				t.Error(err)
			}
			_, _ = io.Copy(io.Discard, c)
		})
	}
	for range clients {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if facts := c.(interface{ ConnectionState() tls.ConnectionState }).ConnectionState(); !facts.HandshakeComplete || facts.Version != tls.VersionTLS13 {
			t.Errorf("%+v", facts)
		}
		got := make([]byte, 5)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
			t.Errorf("%q, %v", got, err)
		}
		_ = c.Close()
	}
	wait.Wait()
	if s := l.Stats(); s.Done != clients || s.High < 1 {
		t.Errorf("%+v", s)
	}
}

func TestAHandshakeThatTakesTooLongIsCut(t *testing.T) {
	failed := make(chan error, 1)
	l, _ := listening(t, secure.Config{Timeout: 50 * time.Millisecond, Failed: func(_ net.Addr, err error) { failed <- err }})
	go func() { _, _ = l.Accept() }() // ends with the listener
	c := knock(t, l)
	if _, err := io.WriteString(c, "\x16\x03\x01\x02\x00half a ClientHello"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the client saw %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("it did not fail")
	}
	if s := l.Stats(); s.Failed != 1 || s.UnderWay != 0 {
		t.Errorf("%+v", s)
	}
}

func TestACallbackThatPanicsEndsOneConnection(t *testing.T) {
	failed := make(chan error, 1)
	mistake := errors.New("a mistake of the application")
	l, config := listening(t, secure.Config{
		TLS:    &tls.Config{VerifyConnection: func(tls.ConnectionState) error { panic(mistake) }},
		Failed: func(_ net.Addr, err error) { failed <- err },
	})
	go func() { _, _ = l.Accept() }() // ends with the listener
	c := knock(t, l)
	go func() { _ = tls.Client(c, config).Handshake() }() // ends with the connection
	p, ok := errors.AsType[*secure.PanicError](<-failed)
	if !ok || !errors.Is(p, mistake) || !strings.Contains(string(p.Stack), "TestACallbackThatPanics") {
		t.Errorf("told of %v", p)
	}
	if s := l.Stats(); s.Failed != 1 || s.UnderWay != 0 {
		t.Errorf("%+v", s)
	}
}

func TestClientsWhoStallKeepNobodyOut(t *testing.T) {
	const places, stalled = 2, 6
	failed := make(chan error, stalled)
	l, config := listening(t, secure.Config{Handshakes: places, Timeout: patience / 4, Failed: func(_ net.Addr, err error) { failed <- err }})
	for i := range stalled {
		c := knock(t, l)
		if _, err := io.WriteString(c, "\x16\x03\x01\x02\x00half a ClientHello"[:i*4]); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error, 1)
	go func() { // ends with the handshake
		c, err := tls.Dial("tcp", l.Addr().String(), config)
		if err == nil {
			_ = c.Close()
		}
		done <- err
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	const displaced = stalled + 1 - places
	for range displaced {
		if err := <-failed; !errors.Is(err, secure.ErrDisplaced) {
			t.Error(err)
		}
	}
	if s := l.Stats(); s.High > places || s.Displaced != displaced || s.Failed < displaced || s.Done != 1 {
		t.Errorf("%+v", s)
	}
}

func TestSessionsThatAreCarriedOnAreCounted(t *testing.T) {
	l, config := listening(t, secure.Config{})
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for range 3 {
		call(t, l, config)
	}
	if s := l.Stats(); s.Done != 3 || s.Resumed != 2 {
		t.Errorf("%+v", s)
	}
}

// call has a client connect and take a ticket.
func call(t *testing.T, l *secure.Listener, config *tls.Config) {
	t.Helper()
	done := make(chan error, 1)
	go func() { // ends with the connection
		c, err := tls.Dial("tcp", l.Addr().String(), config)
		if err == nil {
			_, err = c.Read(make([]byte, 1)) // takes the ticket
			_ = c.Close()
		}
		done <- err
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if err := <-done; !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestATicketIsGoodForNothingWhenItsKeyIsGone(t *testing.T) {
	server := new(tls.Config)
	l, config := listening(t, secure.Config{TLS: server})
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for key, resumed := range []uint64{0, 1, 2} {
		server.SetSessionTicketKeys([][32]byte{{byte(key)}})
		call(t, l, config) // with a ticket of the key before
		call(t, l, config)
		if s := l.Stats(); s.Resumed != resumed+1 {
			t.Errorf("after %d changes: %+v", key, s)
		}
	}
}

func TestAClientThatSpeaksHTTPIsToldSo(t *testing.T) {
	l, _ := listening(t, secure.Config{})
	go func() { _, _ = l.Accept() }() // ends with the listener
	c := knock(t, l)
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if !strings.Contains(string(got), "400 Bad Request") || !strings.Contains(string(got), "wss://") {
		t.Errorf("%q, %v", got, err)
	}
}
