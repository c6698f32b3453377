package conformance

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// timingOut makes configurations whose connections may be silent for this long.
func timingOut(d time.Duration) func(*roost.Config) {
	return func(c *roost.Config) { c.WebSocket.Timeout = d }
}

func TestIdleTimeout(t *testing.T) {
	short := timingOut(200 * time.Millisecond)
	clauseWith(t, 85, "the first frame of a silent connection is its close", short, func(t *testing.T, s *server) {
		c := s.open(t)
		c.ExpectClose(t, 1002) // no ping came before
		c.ExpectEOF(t)
	})
	clauseWith(t, 86, "what is sent to the client does not count", short, func(t *testing.T, s *server) {
		stop := s.chatter(t, "room:1")
		defer stop()
		join := textFrames(v2(`"1"`, `"1"`, "room:1", "phx_join", "{}")) // there from the beginning, however busy the machine
		c := s.dialWith(t, "vsn=2.0.0", client.Options{Early: join})
		c.Expect(t, v2ok(`"1"`, `"1"`, "room:1", "{}"))
		broadcasts := 0
		for {
			m := c.Next(t)
			if m.Opcode == frame.Close {
				if m.CloseCode != 1002 || broadcasts == 0 {
					t.Fatalf("got %v after %d broadcasts, want 1002 after some", m, broadcasts)
				}
				return
			}
			broadcasts++
		}
	})
	clauseWith(t, 87, "a ping starts it anew", short, func(t *testing.T, s *server) {
		s.expectKeptAlive(t, 200*time.Millisecond, func(c *client.Conn) error { return c.Ping("") })
	})
	clauseWith(t, 87, "a message starts it anew", short, func(t *testing.T, s *server) {
		s.expectKeptAlive(t, 200*time.Millisecond, func(c *client.Conn) error { return c.SendText(heartbeat(`"1"`)) })
	})
	clauseWith(t, 87, "a single byte starts it anew", short, func(t *testing.T, s *server) {
		frames, sent := textFrames(heartbeat(`"1"`)), map[*client.Conn]int{} // each connection begins at the beginning
		s.expectKeptAlive(t, 200*time.Millisecond, func(c *client.Conn) error {
			next := sent[c] % len(frames)
			sent[c]++
			return c.SendRaw(frames[next : next+1])
		})
	})
}

// chatter broadcasts to a topic all the time, until stop is called.
func (s *server) chatter(t *testing.T, topic string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		every := time.NewTicker(10 * time.Millisecond)
		defer every.Stop()
		for ctx.Err() == nil {
			if err := s.Endpoint.Broadcast(ctx, topic, "noise", nil); err != nil {
				t.Errorf("broadcast: %v", err)
			}
			<-every.C
		}
	})
	return func() {
		cancel()
		wait.Wait()
	}
}

// expectKeptAlive fails the test unless a client that sends something now and then outlives the time-out, and is closed
// when it stops. A machine that is so busy that the client comes too late, or the server reads too late, proves nothing:
// then it tries again.
func (s *server) expectKeptAlive(t *testing.T, timeout time.Duration, send func(*client.Conn) error) {
	t.Helper()
	for range 10 {
		c := s.open(t)
		if keepAlive(c, timeout, send) {
			awaitClose(t, c)
			return
		}
	}
	t.Fatalf("the connection was closed each time, although the client sent something every %v", timeout/4)
}

// keepAlive sends for three time-outs, or until the connection is closed.
func keepAlive(c *client.Conn, timeout time.Duration, send func(*client.Conn) error) (alive bool) {
	for began := time.Now(); time.Since(began) < 3*timeout; {
		if send(c) != nil {
			return false
		}
		for last := time.Now(); time.Since(last) < timeout/4; { // reads what is answered meanwhile
			if m, err := c.Read(timeout/4 - time.Since(last)); err == nil && m.Opcode == frame.Close {
				return false
			}
		}
	}
	return true
}

// awaitClose reads until the server closes, which must be with 1002.
func awaitClose(t *testing.T, c *client.Conn) {
	t.Helper()
	for {
		m := c.Next(t)
		if m.Opcode != frame.Close {
			continue
		}
		if m.CloseCode != 1002 {
			t.Fatalf("got %v, want 1002", m)
		}
		return
	}
}

// The default is tried on a clock of the test's own, over connections in memory. Both engines get it from the same Config.
func TestDefaultIdleTimeout(t *testing.T) {
	clauseOnly(t, 88, "is 60 s", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(websocket.Goroutines, nil)
			dial := s.listenInMemory(t)
			began := time.Now()
			c := client.Open(t, "ws://memory/socket/websocket?vsn=2.0.0", client.Options{Dial: dial, Timeout: time.Hour})
			if m, err := c.Read(59 * time.Second); err == nil {
				t.Fatalf("got %v in the first 59 s", m)
			}
			c.ExpectClose(t, 1002)
			if took := time.Since(began).Round(time.Second); took != 60*time.Second {
				t.Fatalf("closed after %v, want 60 s", took)
			}
		})
	})
	clauseOnly(t, 85, "in 59 s of silence there is no ping", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(websocket.Goroutines, nil)
			c := client.Open(t, "ws://memory/socket/websocket?vsn=2.0.0", client.Options{Dial: s.listenInMemory(t), Timeout: time.Hour})
			for range 10 { // with a message now and then
				if m, err := c.Read(59 * time.Second); err == nil {
					t.Fatalf("got %v, want nothing", m)
				}
				c.ExpectQuiet(t)
			}
		})
	})
}

// listenInMemory serves the endpoint over pipes; dial is for client.Options.
func (s *server) listenInMemory(t *testing.T) (dial func(context.Context, string, string) (net.Conn, error)) {
	t.Helper()
	l := &memory{conns: make(chan net.Conn), closed: make(chan struct{})}
	hs := &http.Server{Handler: s.Endpoint, ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- hs.Serve(l) }() // ends with hs.Close, and is waited for
	t.Cleanup(func() {
		s.shutdown(t)
		_ = hs.Close()
		_ = <-done // http.ErrServerClosed
	})
	return l.dial
}

// memory is a listener for connections in memory.
type memory struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *memory) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memory) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memory) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "memory"} }
