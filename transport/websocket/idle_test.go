package websocket_test

import (
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
		if took := time.Since(began); took < short || took > patience/2 {
			t.Errorf("closed after %v", took)
		}
		c.ExpectEOF(t) // the answer was read
		v.awaitClosed(t, transport.ErrIdle)
		if n := s.handler.Stats().IdleTimeouts; n != 1 {
			t.Errorf("%d idle timeouts", n)
		}
	})
}

// whileFor does something again and again for some time. It returns the
// longest pause: on a machine that has other things to do it may be long.
func whileFor(d time.Duration, do func()) (pause time.Duration) {
	tick := time.NewTicker(short / 5)
	defer tick.Stop()
	last := time.Now()
	for over := time.After(d); ; {
		select {
		case <-tick.C:
			do()
		case <-over:
			return pause
		}
		pause, last = max(pause, time.Since(last)), time.Now()
	}
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
				c, v := s.dial(client.Options{})
				dripped = 0
				pause := whileFor(3*short, func() { _ = c.SendRaw(next()) })
				if es := v.entries(); es[len(es)-1].what == ended && pause < short/2 {
					t.Errorf("closed in spite of it: %v", es[len(es)-1])
				}
				v.awaitClosed(t, transport.ErrIdle)
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
		for m.Opcode == frame.Text {
			m = c.Next(t)
		}
		if m.CloseCode != 1002 || time.Since(began) > patience/2 {
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
			c, _ := s.dial(client.Options{Early: text("hello")})
			expectText(t, c, "hello")
			c.Drop()
		}
	})
}
