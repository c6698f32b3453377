package websocket_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

const short = 150 * time.Millisecond

func TestASilentConnectionIsClosed(t *testing.T) {
	onEachEngine(t, websocket.Config{Timeout: short, CloseTimeout: time.Minute}, func(t *testing.T, s *stage) {
		began := time.Now()
		c, v := s.dial(client.Options{})
		c.ExpectClose(t, 1002)
		if took := time.Since(began); took < short {
			t.Errorf("closed after %v", took)
		}
		c.ExpectEOF(t) // the answer was read
		v.awaitClosed(t, transport.ErrIdle)
		if n := s.handler.Stats().IdleTimeouts; n != 1 {
			t.Errorf("%d idle timeouts", n)
		}
	})
}

// whileFor does something again and again for some time.
func whileFor(d time.Duration, do func()) {
	tick := time.NewTicker(short / 5)
	defer tick.Stop()
	for over := time.After(d); ; {
		select {
		case <-tick.C:
			do()
		case <-over:
			return
		}
	}
}

// unlessStalled tries what must be done within a time that a machine with other
// things to do may not have, a few times: it fails when that never works.
func unlessStalled(t *testing.T, try func() error) {
	t.Helper()
	var err error
	for range 8 {
		if err = try(); err == nil {
			return
		}
		t.Logf("once more: %v", err)
	}
	t.Error(err)
}

func TestAnyBytesOfTheClientBreakTheSilence(t *testing.T) {
	ping := masked(true, 0, frame.Ping, "")
	drip := text("one byte after the other, and never the whole of the frame, it seems")
	var dripped int
	for name, next := range map[string]func() []byte{
		"messages":      func() []byte { return text("x") },
		"pings":         func() []byte { return ping },
		"pongs":         func() []byte { return masked(true, 0, frame.Pong, "") },
		"partial frame": func() []byte { dripped++; return drip[dripped-1 : dripped] },
	} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, websocket.Config{Timeout: short}, func(t *testing.T, s *stage) {
				unlessStalled(t, func() error {
					c, v := s.dial(client.Options{})
					v.onLane(t, func() {})
					dripped = 0
					whileFor(3*short, func() { _ = c.SendRaw(next()) })
					es := v.entries()
					if v.awaitClosed(t, transport.ErrIdle); es[len(es)-1].what == ended {
						return fmt.Errorf("closed in spite of it: %v", es[len(es)-1])
					}
					return nil
				})
			})
		})
	}
}

func TestOutputDoesNotBreakTheSilence(t *testing.T) {
	onEachEngine(t, websocket.Config{Timeout: short}, func(t *testing.T, s *stage) {
		began := time.Now()
		c, v := s.dial(client.Options{})
		v.await(t, "open", func(es []entry) bool { return len(es) > 0 })
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for tick := time.NewTicker(short / 10); ; {
				select {
				case <-tick.C:
					v.conn.Send(frameOf("news"))
				case <-stop:
					tick.Stop()
					return
				}
			}
		}()
		m := c.Next(t)
		for m.Opcode == frame.Text && time.Since(began) < patience {
			m = c.Next(t)
		}
		if m.CloseCode != 1002 {
			t.Errorf("got %v after %v", m, time.Since(began))
		}
	})
}

func TestWithoutATimeoutSilenceIsFine(t *testing.T) {
	onEachEngine(t, websocket.Config{Timeout: -1}, func(t *testing.T, s *stage) {
		c, _ := s.dial(client.Options{})
		whileFor(short, func() {})
		send(t, c, text("still here"))
		expectText(t, c, "still here")
	})
}

// A connection that is adopted while a sweep is due has not been silent.
func TestANewConnectionHasNotBeenSilent(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, Timeout: short}, func(t *testing.T, s *stage) {
		s.visits = make(chan *visit, 1<<16)
		keeper, _ := s.dial(client.Options{})
		whileFor(3*short, func() { _ = keeper.SendRaw(text("x")) }) // the clock is past Timeout, sweeps go on
		for over := time.After(2 * short); ; {
			select {
			case <-over:
				return
			default:
			}
			_ = keeper.SendRaw(text("x"))
			began := time.Now()
			c, _ := s.dial(client.Options{Early: text("hello")})
			if m := c.Next(t); string(m.Payload) != "hello" && time.Since(began) < short {
				t.Fatalf("got %v", m)
			}
			c.Drop()
		}
	})
}
