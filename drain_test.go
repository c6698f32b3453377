package roost_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// guests connects clients that have joined.
func guests(t *testing.T, r *running, n int) (clients []*client.Conn) {
	t.Helper()
	for range n {
		c := client.Open(t, r.url("/socket/websocket"), client.Options{})
		c.Join(t, "room:1", "1", "")
		clients = append(clients, c)
	}
	return clients
}

func TestWhoIsLeftAtTheDeadlineIsCutAndCounted(t *testing.T) {
	for name, drain := range map[string]roost.Drain{
		"all were told":   {},
		"waves too slow":  {BatchSize: 1, BatchInterval: time.Hour},
		"in no waves":     {Off: true},
		"a spread beyond": {Spread: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			e := roost.NewEndpoint(roost.Config{
				Drain: func() roost.Drain { return drain }, DrainTimeout: 150 * time.Millisecond,
				WebSocket: websocket.Config{CloseTimeout: time.Minute},
			})
			e.Channel("room:*", func() roost.Channel { return &guest{new(diary)} })
			r := start(t, &roost.Server{Endpoint: e})
			clients := guests(t, r, 3)
			r.stop()
			err := receive(t, r.ended, "end of the server")
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "3 connections were still there at the deadline") {
				t.Errorf("got %v", err)
			}
			for _, c := range clients {
				if m := c.Next(t); m.CloseCode != 1012 { // told, whatever else
					t.Errorf("got %v", m)
				}
				c.ExpectEOF(t)
			}
		})
	}
}

func TestStatsSayHowFarADrainIs(t *testing.T) {
	e := roost.NewEndpoint(roost.Config{
		Drain: func() roost.Drain { return roost.Drain{BatchSize: 2, BatchInterval: time.Hour} },
	})
	e.Channel("room:*", func() roost.Channel { return &guest{new(diary)} })
	r := start(t, &roost.Server{Endpoint: e})
	for _, c := range guests(t, r, 5) {
		go func() { // ends with its connection
			_, _ = c.Read(patience)
			_ = c.Close(1012)
		}()
	}
	if got := e.Stats().Drain; got != (roost.DrainStats{}) {
		t.Errorf("before: %+v", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Shutdown(ctx) }() // ends with ctx
	want := roost.DrainStats{Draining: true, Total: 5, Left: 3, Index: 1, Rounds: 3}
	awaitDrain(t, e, want)
	cancel()
	_ = receive(t, ended, "end of the shutdown") // who of the rest answers in time is chance
	want.Left = 0
	if got := e.Stats().Drain; got != want {
		t.Errorf("afterwards: got %+v, want %+v", got, want)
	}
}

// awaitDrain waits until a drain has come so far.
func awaitDrain(t *testing.T, e *roost.Endpoint, want roost.DrainStats) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); e.Stats().Drain != want; {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("got %+v, want %+v", e.Stats().Drain, want)
		}
	}
}

func TestASecondShutdownWaitsForTheFirstOrCutsIt(t *testing.T) {
	e := roost.NewEndpoint(roost.Config{
		Drain: func() roost.Drain { return roost.Drain{BatchSize: 1, BatchInterval: time.Hour} },
	})
	e.Channel("room:*", func() roost.Channel { return &guest{new(diary)} })
	clients := guests(t, start(t, &roost.Server{Endpoint: e}), 2)
	first := make(chan error, 1)
	go func() { first <- e.Shutdown(context.Background()) }() // ends when all are gone; read below
	awaitDrain(t, e, roost.DrainStats{Draining: true, Total: 2, Left: 2, Index: 1, Rounds: 2})
	hurried, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := e.Shutdown(hurried); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	for _, c := range clients {
		if m := c.Next(t); m.CloseCode != 1012 {
			t.Errorf("got %v", m)
		}
		c.ExpectEOF(t)
	}
	if err := receive(t, first, "end of the first"); err != nil { // nobody is left to wait for
		t.Errorf("got %v", err)
	}
}

func TestWhoWasAcceptedBeforeTheEndIsAnsweredAfterIt(t *testing.T) {
	r := start(t, &roost.Server{})
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		ask(t, r, "/") // came later and was answered: c is accepted
		r.stop()
		awaitRefusal(t, r)
		return c, err
	}
	c := client.Open(t, r.url("/socket/websocket"), client.Options{Dial: dial})
	c.ExpectClose(t, 1012)
	r.expectEnd(t)
}

// awaitRefusal waits until a server accepts nobody any more.
func awaitRefusal(t *testing.T, r *running) {
	t.Helper()
	for late := time.Now().Add(patience); time.Now().Before(late); {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			return
		}
		must(c.Close())
	}
	t.Fatal("it accepts still")
}

func TestASilentConnectionDelaysTheEndForAMomentOnly(t *testing.T) {
	r := start(t, &roost.Server{})
	silent, err := net.Dial("tcp", r.addr)
	must(err)
	defer silent.Close()
	c := client.Open(t, r.url("/socket/websocket"), client.Options{})
	r.stop()
	c.ExpectClose(t, 1012)
	r.expectEnd(t)
	must(silent.SetReadDeadline(time.Now().Add(patience)))
	if _, err := io.ReadAll(silent); err != nil { // the end, not the deadline
		t.Errorf("got %v", err)
	}
}
