package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

// drains answers Config.Drain.
func drains(d roost.Drain) func(*roost.Config) {
	return func(c *roost.Config) { c.Drain = func() roost.Drain { return d } }
}

// arrived connects clients without channels, and waits until the server has them.
func (s *server) arrived(t *testing.T, n int) []*client.Conn {
	t.Helper()
	clients := s.crowd(t, n)
	for _, c := range clients {
		c.ExpectQuiet(t)
	}
	return clients
}

// closings waits until all clients were closed with 1012, and returns when that was after began, in order.
func closings(t *testing.T, clients []*client.Conn, began time.Time) []time.Duration {
	t.Helper()
	took := make([]time.Duration, len(clients))
	var wait sync.WaitGroup
	for i, c := range clients {
		wait.Go(func() {
			if m, err := c.Read(patience); err != nil || m.CloseCode != 1012 {
				t.Errorf("got %v, %v, want close 1012", m, err)
			}
			took[i] = time.Since(began)
			_ = c.Close(1012)
		})
	}
	wait.Wait()
	slices.Sort(took)
	return took
}

func TestDrain(t *testing.T) {
	const total, size, interval = 20, 5, 100 * time.Millisecond
	clauseWith(t, 274, "batches are paced over all connections", drains(roost.Drain{BatchSize: size, BatchInterval: interval}), func(t *testing.T, s *server) {
		clients := s.crowd(t, total, "room:1", "room:2")
		began := time.Now()
		wait := s.shuttingDown(t)
		for i, took := range closings(t, clients, began) {
			if least := time.Duration(i/size) * interval; took < least {
				t.Errorf("client %d was closed after %v: the batches before its own take %v", i+1, took, least)
			}
		}
		wait()
	})
	clauseWith(t, 275, "each batch is an event", drains(roost.Drain{BatchSize: 8, BatchInterval: time.Millisecond}), func(t *testing.T, s *server) {
		clients := append(s.crowd(t, 10, "room:1", "room:2", "room:3"), s.arrived(t, 10)...) // connections count, not channels
		wait := s.shuttingDown(t)
		closings(t, clients, time.Now())
		wait()
		for i, count := range []string{"8", "8", "4"} {
			s.expectLogged(t, 1, "socket_drain", "count", count, "total", "20", "index", fmt.Sprint(i+1), "rounds", "3", "interval", "1ms")
		}
		s.expectLogged(t, 3, "socket_drain")
	})
	clauseWith(t, 276, "can be switched off", drains(roost.Drain{Off: true, BatchSize: 1, BatchInterval: time.Hour}), func(t *testing.T, s *server) {
		clients := s.crowd(t, 5, "room:1")
		wait := s.shuttingDown(t)
		closings(t, clients, time.Now())
		wait()
		s.expectLogged(t, 0, "socket_drain")
	})
	var asked atomic.Int32
	clauseWith(t, 276, "a function says how, when the time has come", func(c *roost.Config) {
		c.Drain = func() roost.Drain {
			asked.Add(1)
			return roost.Drain{BatchSize: 2, BatchInterval: time.Millisecond}
		}
	}, func(t *testing.T, s *server) {
		clients, before := s.arrived(t, 4), asked.Load()
		wait := s.shuttingDown(t)
		closings(t, clients, time.Now())
		wait()
		if asked.Load() == before {
			t.Error("it was not asked")
		}
		s.expectLogged(t, 1, "socket_drain", "count", "2", "index", "2", "rounds", "2")
	})
	clauseWith(t, 276, "a function that panics is an error, and no drain less", func(c *roost.Config) {
		c.Drain = func() roost.Drain { panic("no such file") }
	}, func(t *testing.T, s *server) {
		clients := s.arrived(t, 2)
		ended := make(chan error, 1)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		go func() { ended <- s.Endpoint.Shutdown(ctx) }() // ends with ctx at the latest
		closings(t, clients, time.Now())
		if err := receive(t, ended, "end of the shutdown"); err == nil || !strings.Contains(err.Error(), "Config.Drain") {
			t.Errorf("got %v", err)
		}
	})
}
