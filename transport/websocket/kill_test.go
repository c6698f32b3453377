package websocket_test

import (
	"context"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/internal/testleak"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// deaths are the ways in which a client ends. What they send before is in
// their way of life.
var deaths = map[string]func(r *rand.Rand, c *client.Conn){
	"reset":       func(_ *rand.Rand, c *client.Conn) { c.Abort() },
	"hang up":     func(_ *rand.Rand, c *client.Conn) { c.Drop() },
	"close frame": func(_ *rand.Rand, c *client.Conn) { _ = c.Close(1000); c.Drop() },
	"half close": func(_ *rand.Rand, c *client.Conn) {
		_ = c.NetConn().(interface{ CloseWrite() error }).CloseWrite()
		for m, err := c.Read(patience); err == nil; m, err = c.Read(patience) {
			_ = m
		}
		c.Drop()
	},
	"in the middle of a frame": func(r *rand.Rand, c *client.Conn) {
		b := text(strings.Repeat("x", 1+r.IntN(200_000)))
		_ = c.SendRaw(b[:1+r.IntN(len(b)-1)])
		c.Abort()
	},
	"in the middle of a message": func(_ *rand.Rand, c *client.Conn) {
		_ = c.SendFrame(false, 0, frame.Text, []byte("one"))
		c.Drop()
	},
	"after a violation": func(_ *rand.Rand, c *client.Conn) {
		_ = c.SendRaw([]byte{0x83, 0x80, 0, 0, 0, 0})
		c.Abort()
	},
	"while held": func(_ *rand.Rand, c *client.Conn) {
		_ = c.SendRaw(texts("hold", "behind", "behind"))
		c.Abort()
	},
	"while it is closed": func(_ *rand.Rand, c *client.Conn) {
		_ = c.SendText("close")
		c.Abort()
	},
	"without reading": func(_ *rand.Rand, c *client.Conn) {
		_ = c.SendRaw([]byte(strings.Repeat(string(text(strings.Repeat("x", 100))), 3000)))
		c.Abort()
	},
}

// mortal is a session for clients that die: it echoes, holds for a while, or
// closes, as it is told.
func mortal(v *visit, data []byte, binary bool) transport.Verdict {
	switch {
	case string(data) == "hold":
		go v.conn.Lane().Post(task(v.conn.Resume), nil)
		return transport.Hold
	case string(data) == "close":
		v.conn.Close(transport.CloseGoingAway)
		return transport.Continue
	}
	return echo(v, data, binary)
}

func TestNothingIsLeftOfClientsThatDie(t *testing.T) {
	const workers, each = 8, 60
	c := websocket.Config{Loops: 2, Outbox: 32 << 10, CloseTimeout: 50 * time.Millisecond}
	onEachEngine(t, c, func(t *testing.T, s *stage) {
		s.plays(func() *visit {
			v := newVisit()
			v.quiet, v.onReceive = true, mortal
			return v
		})
		keeper, _ := s.dial(client.Options{Timeout: patience})
		send(t, keeper, text("x"))
		expectText(t, keeper, "x")
		open, running := testleak.Descriptors(), runtime.NumGoroutine()

		stop := make(chan struct{})
		var others, dying sync.WaitGroup
		others.Go(func() { s.broadcast(stop) })
		for i := range workers {
			dying.Go(func() { s.die(rand.New(rand.NewPCG(uint64(i), 9)), each) })
		}
		dying.Wait()
		close(stop)
		others.Wait()

		eventually(t, "only the keeper is left", func() bool { return s.handler.Stats().Connections == 1 })
		eventually(t, "no descriptor is left", func() bool { return testleak.Descriptors() <= open })
		eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= running })
		send(t, keeper, text("still there?"))
		for m := keeper.Next(t); string(m.Payload) != "still there?"; m = keeper.Next(t) {
		}
		keeper.Drop()
		s.awaitNone()
	})
}

// broadcast sends to everybody who is there until it is stopped.
func (s *stage) broadcast(stop chan struct{}) {
	f := frameOf(strings.Repeat("news ", 50))
	for {
		s.mu.Lock()
		all := s.all[max(0, len(s.all)-30):]
		s.mu.Unlock()
		for _, v := range all {
			if es := v.entries(); len(es) > 0 && es[0].what == opened {
				v.conn.Send(f)
			}
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// die connects clients that live a little and end, each in its own way.
func (s *stage) die(r *rand.Rand, times int) {
	var ways []string
	for way := range deaths {
		ways = append(ways, way)
	}
	for range times {
		if r.IntN(6) == 0 {
			s.dieInTheHandshake(r)
			continue
		}
		c, _, err := client.Dial(context.Background(), s.url(), client.Options{Timeout: patience, TLS: s.tls})
		if err != nil {
			s.t.Errorf("dial: %v", err)
			return
		}
		for range r.IntN(4) {
			_ = c.SendRaw(texts("a", "b"))
			if r.IntN(2) == 0 {
				_, _ = c.Read(patience)
			}
		}
		deaths[ways[r.IntN(len(ways))]](r, c)
	}
}

const handshake = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// dieInTheHandshake sends some or all of a request, and perhaps a frame, and
// goes without having read the answer.
func (s *stage) dieInTheHandshake(r *rand.Rand) {
	nc, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		s.t.Errorf("dial: %v", err)
		return
	}
	all := handshake + string(texts("early", "hold", "close"))
	_, _ = nc.Write([]byte(all[:r.IntN(len(all)+1)]))
	if r.IntN(2) == 0 {
		_ = nc.(*net.TCPConn).SetLinger(0)
	}
	_ = nc.Close()
}
