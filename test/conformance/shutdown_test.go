package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
)

// naming gives every connection the socket id that it asks for.
func naming(c *roost.Config) {
	c.Connect = func(_ context.Context, c *roost.Connect) error {
		c.ID = c.Params.String("id")
		return nil
	}
}

// shuttingDown begins a shutdown and returns what waits for its end.
func (s *server) shuttingDown(t *testing.T) (wait func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	done := make(chan error, 1)
	go func() { done <- s.Endpoint.Shutdown(ctx) }() // ends with ctx at the latest
	return func() {
		defer cancel()
		must(t, receive(t, done, "end of the shutdown"))
	}
}

func TestShutdown(t *testing.T) {
	clause(t, 95, "closes with 1012", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		wait := s.shuttingDown(t)
		c.ExpectClose(t, 1012)
		c.ExpectEOF(t)
		wait()
		if err := s.expectEnd(t, "room:1"); !errors.Is(err, roost.ErrClosed) || !errors.Is(err, transport.ErrShutdown) {
			t.Fatalf("the channel was told %v, want ErrClosed by a shutdown", err)
		}
	})
	clause(t, 273, "closes every connection that has channels", func(t *testing.T, s *server) {
		clients := s.crowd(t, 20, "room:1", "room:2")
		wait := s.shuttingDown(t)
		for _, c := range clients {
			c.ExpectClose(t, 1012) // 277: it is the first frame
			c.ExpectEOF(t)
		}
		wait()
	})
	clause(t, 277, "says nothing to the channels", func(t *testing.T, s *server) {
		c := s.crowd(t, 1, "room:1", "room:2", "room:3")[0]
		wait := s.shuttingDown(t)
		c.ExpectClose(t, 1012)
		c.ExpectEOF(t)
		wait()
	})
	clause(t, 278, "closes connections without channels likewise", func(t *testing.T, s *server) {
		clients := append(s.crowd(t, 2), s.openV1(t))
		wait := s.shuttingDown(t)
		for _, c := range clients {
			c.ExpectClose(t, 1012)
			c.ExpectEOF(t)
		}
		wait()
	})
	clause(t, 278, "closes connections that have only just come likewise", func(t *testing.T, s *server) {
		const n = 64
		connected, ended := make(chan struct{}, n), make(chan error, n)
		var dialling sync.WaitGroup
		for range n {
			dialling.Go(func() { ended <- s.firstFrame(t.Context(), connected) })
		}
		receive(t, connected, "client") // others are still on their way
		s.shuttingDown(t)()
		dialling.Wait()
		for range n {
			must(t, <-ended)
		}
	})
	clauseWith(t, 95, "even when the client does not answer", func(c *roost.Config) {
		c.WebSocket.CloseTimeout = 100 * time.Millisecond
	}, func(t *testing.T, s *server) {
		c := s.open(t)
		wait := s.shuttingDown(t)
		if m := c.Next(t); m.Opcode != frame.Close || m.CloseCode != 1012 {
			t.Fatalf("got %v, want close 1012", m)
		}
		c.ExpectEOF(t) // and no close frame was sent
		wait()
	})
}

// firstFrame connects; the error says that it was neither refused with 503, nor closed with 1012 before anything else.
func (s *server) firstFrame(ctx context.Context, connected chan<- struct{}) error {
	c, resp, err := client.Dial(ctx, s.URL+"?vsn=2.0.0", client.Options{})
	if err != nil {
		if resp != nil && resp.StatusCode == http.StatusServiceUnavailable {
			return nil
		}
		return err
	}
	defer c.Drop()
	connected <- struct{}{}
	m, err := c.Read(patience)
	if err == nil && m.Opcode == frame.Close && m.CloseCode == 1012 {
		return nil
	}
	return fmt.Errorf("got %v, error %w, want close 1012", m, err)
}

func TestDisconnectCode(t *testing.T) {
	clauseWith(t, 96, "disconnect closes with 1001", naming, func(t *testing.T, s *server) {
		c, other := s.dial(t, "vsn=2.0.0&id=users:1"), s.dial(t, "vsn=2.0.0&id=users:2")
		c.Join(t, "room:1", "1", "")
		must(t, s.Endpoint.Disconnect(t.Context(), "users:1"))
		c.ExpectClose(t, 1001)
		c.ExpectEOF(t)
		other.ExpectQuiet(t)
		if err := s.expectEnd(t, "room:1"); !errors.Is(err, roost.ErrClosed) {
			t.Fatalf("the channel was told %v, want ErrClosed", err)
		}
	})
}

func TestNeverNormal(t *testing.T) {
	clauseWith(t, 97, "when the client is silent or wrong", func(c *roost.Config) {
		c.WebSocket.MaxFrame, c.WebSocket.Timeout = 4096, 500*time.Millisecond
	}, func(t *testing.T, s *server) {
		idle := s.open(t)
		for _, b := range breaches {
			c := s.open(t)
			must(t, b.send(c))
			c.ExpectClose(t, b.code) // none of them is 1000
		}
		idle.ExpectClose(t, 1002)
	})
	clauseWith(t, 97, "when the server goes away, or has enough of a client", naming, func(t *testing.T, s *server) {
		ended := s.dial(t, "vsn=2.0.0&id=users:1")
		must(t, s.Endpoint.Disconnect(t.Context(), "users:1"))
		ended.ExpectClose(t, 1001)
		clients := append(s.crowd(t, 1, "room:1"), s.crowd(t, 1)...)
		wait := s.shuttingDown(t)
		for _, c := range clients {
			c.ExpectClose(t, 1012)
		}
		wait()
	})
}
