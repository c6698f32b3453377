package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// within is a context for a shutdown, and how long it took must be judged by.
func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func (s *stage) shutdown(ctx context.Context) {
	s.t.Helper()
	if err := s.handler.Shutdown(ctx); err != nil {
		s.t.Errorf("shutdown: %v", err)
	}
	if n := s.handler.Stats().Connections; n != 0 {
		s.t.Errorf("%d connections are left", n)
	}
}

// shuttingDown begins a shutdown and returns what waits for its end.
func (s *stage) shuttingDown() (wait func()) {
	ctx, done := within(s.t, patience), make(chan struct{})
	go func() { defer close(done); s.shutdown(ctx) }() // ends with ctx at the latest
	return func() { <-done }
}

// shutdownCuts shuts down and expects so many connections to be cut.
func (s *stage) shutdownCuts(ctx context.Context, n int) {
	s.t.Helper()
	err := s.handler.Shutdown(ctx)
	if !errors.Is(err, ctx.Err()) || !strings.Contains(err.Error(), fmt.Sprintf("%d connections were still there", n)) {
		s.t.Errorf("shutdown: got %v, want %d connections cut", err, n)
	}
	if n := s.handler.Stats().Connections; n != 0 {
		s.t.Errorf("%d connections are left", n)
	}
}

// shuttingDownUntil begins a shutdown whose deadline is when the result is called,
// which expects so many connections to be cut then.
func (s *stage) shuttingDownUntil(n int) (cut func()) {
	ctx, now := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.t.Cleanup(now)
	go func() { defer close(done); s.shutdownCuts(ctx, n) }() // ends with ctx at the latest
	return func() {
		s.t.Helper()
		eventually(s.t, "the others have gone", func() bool { return s.handler.Stats().Connections == int64(n) })
		now()
		<-done
	}
}

func TestShutdownTellsClientsToComeBackAndWaitsForThem(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		var wait sync.WaitGroup
		for range 50 {
			c, _ := s.dial(client.Options{Timeout: patience})
			wait.Go(func() {
				if m, err := c.Read(patience); err != nil || m.CloseCode != 1012 {
					t.Errorf("got %v, %v", m, err)
				}
				_ = c.Close(1012)
				if _, err := c.Read(patience); err == nil {
					t.Error("the connection goes on")
				}
			})
		}
		s.shutdown(within(t, patience))
		wait.Wait()
		for _, v := range s.all {
			v.awaitClosed(t, transport.ErrShutdown)
		}
	})
}

func TestShutdownCutsClientsThatDoNotAnswerByTheDeadline(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		var clients []*client.Conn
		for range 20 {
			c, v := s.dial(client.Options{})
			v.onLane(t, func() {})
			clients = append(clients, c)
		}
		cut := s.shuttingDownUntil(20)
		for _, c := range clients {
			if m := c.Next(t); m.CloseCode != 1012 {
				t.Errorf("got %v", m)
			}
		}
		cut()
		for _, c := range clients {
			c.ExpectEOF(t)
		}
	})
}

func TestShutdownWithoutADeadlineEndsWithCloseTimeout(t *testing.T) {
	onEachEngine(t, websocket.Config{CloseTimeout: 100 * time.Millisecond}, func(t *testing.T, s *stage) {
		_, v := s.dial(client.Options{})
		s.shutdown(context.Background())
		v.awaitClosed(t, transport.ErrShutdown)
	})
}

func TestShutdownWithADeadlineThatHasPassedCutsAtOnce(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		_, v := s.dial(client.Options{})
		v.onLane(t, func() {})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.shutdownCuts(ctx, 1)
		v.awaitClosed(t, transport.ErrShutdown)
	})
}

func TestShutdownBeforeAnythingStarted(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		before := runtime.NumGoroutine()
		s.shutdown(context.Background())
		client.Refused(t, s.url(), client.Options{TLS: s.tls}, 503)
		if err := s.handler.Start(); !errors.Is(err, websocket.ErrStopped) {
			t.Errorf("started after its shutdown: %v", err)
		}
		eventually(t, "no goroutine was started", func() bool { return runtime.NumGoroutine() <= before+1 })
	})
}

func TestShutdownOfAnIdleHandlerIsQuickAndFinal(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		if err := s.handler.Start(); err != nil {
			t.Fatal(err)
		}
		s.shutdown(context.Background())
		client.Refused(t, s.url(), client.Options{TLS: s.tls}, 503)
	})
}

func TestShutdownTwiceAndAtTheSameTime(t *testing.T) {
	onEachEngine(t, websocket.Config{CloseTimeout: 100 * time.Millisecond}, func(t *testing.T, s *stage) {
		_, v := s.dial(client.Options{})
		v.onLane(t, func() {})
		var wait sync.WaitGroup
		for range 5 {
			wait.Go(func() { s.shutdown(context.Background()) })
		}
		wait.Wait()
		s.shutdown(context.Background())
	})
}

func TestShutdownOfAHeldConnection(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		s.reacts(holds)
		c, v := s.dial(client.Options{})
		send(t, c, texts("hold", "behind"))
		v.awaitMessages(t, 1)
		wait := s.shuttingDown()
		c.ExpectClose(t, 1012)
		c.ExpectEOF(t)
		wait()
		v.awaitClosed(t, transport.ErrShutdown)
	})
}

func TestShutdownOfAClientThatDoesNotRead(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		_, v := s.narrow()
		v.onLane(t, func() { v.conn.Enqueue(frameOf(string(make([]byte, 9<<20))), transport.Direct) })
		s.shutdownCuts(within(t, 100*time.Millisecond), 1)
		v.awaitClosed(t, transport.ErrShutdown)
	})
}

// Those who come while the server goes are refused, or told to come back, or
// cut; whatever it is, their sessions end (the stage checks it).
func TestConnectionsThatComeDuringTheShutdown(t *testing.T) {
	onEachEngine(t, websocket.Config{CloseTimeout: 50 * time.Millisecond}, func(t *testing.T, s *stage) {
		var wait sync.WaitGroup
		var stop sync.Once
		begin := make(chan struct{})
		for range 8 {
			wait.Go(func() {
				for range 40 {
					c, resp, err := client.Dial(context.Background(), s.url(), client.Options{Timeout: patience, TLS: s.tls})
					if err != nil {
						if resp == nil || resp.StatusCode != 503 {
							t.Errorf("dial: %v", err)
						}
						return
					}
					if s.handler.Stats().Accepted > 40 {
						stop.Do(func() { close(begin) })
					}
					_ = c.SendText("hello")
					if m, err := c.Read(patience); err == nil && m.Opcode == frame.Close && m.CloseCode != 1012 {
						t.Errorf("got %v", m)
					}
					defer c.Drop()
				}
			})
		}
		<-begin
		s.shutdown(within(t, patience))
		wait.Wait()
	})
}

// Both engines share the time there is.
func TestShutdownOfBothEnginesAtOnce(t *testing.T) {
	s := newStage(t, patientClose)
	secure := httptest.NewTLSServer(s.handler)
	t.Cleanup(secure.Close)
	silent, sv := s.dial(client.Options{}) // never answers
	tls := client.Open(t, "wss"+secure.URL[len("https"):], client.Options{TLS: trusting(secure)})
	tv := <-s.visits
	if websocket.HaveLoops && (sv.carrier(t) != onLoop || tv.carrier(t) != onGoroutine) {
		t.Fatal("the engines are not two")
	}
	cut := s.shuttingDownUntil(1)
	tls.ExpectClose(t, 1012)
	tls.ExpectEOF(t) // the second engine does not wait for the first
	if m := silent.Next(t); m.CloseCode != 1012 {
		t.Errorf("got %v", m)
	}
	cut()
}
