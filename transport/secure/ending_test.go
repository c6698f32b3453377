package secure_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/transport/secure"
)

func TestCloseCutsHandshakesAndEndsAccept(t *testing.T) {
	l, _ := listening(t, secure.Config{})
	ended := make(chan error, 1)
	go func() { _, err := l.Accept(); ended <- err }() // ends with the listener
	c := knock(t, l)
	if _, err := io.WriteString(c, "\x16"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a handshake is under way", func() bool { return l.Stats().UnderWay > 0 })
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the client saw %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept again: %v", err)
	}
}

// hung is a listener to which one client comes.
type hung struct {
	clients chan net.Conn
	closed  chan struct{}
}

func (h hung) Accept() (net.Conn, error) {
	select {
	case c := <-h.clients:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h hung) Close() error   { close(h.closed); return nil }
func (h hung) Addr() net.Addr { return &net.TCPAddr{} }

func TestCloseDoesNotWaitForACallbackForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered, let := make(chan struct{}), make(chan struct{})
		inner := hung{make(chan net.Conn), make(chan struct{})}
		l := secure.Listen(inner, secure.Config{TLS: &tls.Config{
			GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				close(entered)
				<-hello.Context().Done() // and does not mind
				<-let
				return nil, errors.New("none")
			},
		}})
		go func() { _, _ = l.Accept() }() // ends with the listener
		ours, theirs := net.Pipe()
		inner.clients <- ours
		go func() { _ = tls.Client(theirs, &tls.Config{ServerName: "a.example"}).Handshake() }() // ends when it is cut
		<-entered
		began := time.Now()
		_ = l.Close()
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v", took)
		}
		if s := l.Stats(); s.UnderWay != 1 {
			t.Errorf("the callback is over: %+v", s)
		}
		close(let)
		synctest.Wait()
		if s := l.Stats(); s.UnderWay != 0 || s.Failed != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestWhoIsInItsHandshakeAtTheEndIsAccepted(t *testing.T) {
	l, config := listening(t, secure.Config{})
	got := make(chan error, 2)
	go func() { // ends with the listener
		for range 2 {
			c, err := l.Accept()
			got <- err
			if err == nil {
				defer c.Close()
			}
		}
	}()
	late, stuck := knock(t, l), knock(t, l)
	eventually(t, "both are under way", func() bool { return l.Stats().UnderWay == 2 })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Shutdown(ctx) }() // ends with ctx
	eventually(t, "nobody comes in", func() bool {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	if err := tls.Client(late, config).Handshake(); err != nil {
		t.Error(err)
	}
	if err := <-got; err != nil {
		t.Errorf("accepted: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := <-got; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	if _, err := stuck.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the other client saw %v", err)
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !so(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it never came to be that %s", what)
		}
	}
}

func TestAListenerThatNeverAcceptedCloses(t *testing.T) {
	l, _ := listening(t, secure.Config{})
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
