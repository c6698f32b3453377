package websocket_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

const smallOutbox = 64 << 10

// flood queues frames on the lane until the session is told that it is over,
// and returns how many bytes that were.
func (v *visit) flood(t *testing.T, size int) (bytes int) {
	t.Helper()
	f := frameOf(strings.Repeat("x", size))
	var over atomic.Bool
	for !over.Load() {
		v.onLane(t, func() {
			for range 10 {
				v.conn.Enqueue(f, transport.Bulk)
			}
		})
		bytes += 10 * len(f.WebSocket())
		if es := v.entries(); es[len(es)-1].what == ended {
			over.Store(true)
		}
		if bytes > 64<<20 {
			t.Fatal("64 MiB were queued for a client that does not read")
		}
	}
	return bytes
}

func TestASlowConsumerIsCutAndHarmsNobodyElse(t *testing.T) {
	for _, size := range []int{10, 1000, 20_000} {
		t.Run(fmt.Sprint("size=", size), func(t *testing.T) {
			onEachEngine(t, websocket.Config{Loops: 1, Outbox: smallOutbox, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
				other, _ := s.dial(client.Options{})
				_, v := s.narrow()
				bytes := v.flood(t, size)
				v.awaitClosed(t, transport.ErrSlowConsumer)
				send(t, other, text("still there?"))
				expectText(t, other, "still there?")
				got := s.handler.Stats()
				if got.SlowConsumers != 1 || got.Connections != 1 {
					t.Errorf("%+v", got)
				}
				// Each frame counts 64 bytes more; a TLS record that is sealed waits elsewhere.
				if least := int64(smallOutbox / (size + 4 + 64) * size / 2); got.OutboxHigh < least {
					t.Errorf("%d bytes waited, want %d at least", got.OutboxHigh, least)
				}
				if most := int64(smallOutbox + 10*(size+4)); got.OutboxHigh > most {
					t.Errorf("%d bytes waited, want %d at most", got.OutboxHigh, most)
				}
				if bytes < smallOutbox/8 {
					t.Errorf("cut after %d bytes", bytes)
				}
			})
		})
	}
}

// Very many tiny frames take far more memory than their bytes.
func TestAPingFloodOfAClientThatDoesNotReadIsBounded(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, Outbox: smallOutbox, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		other, _ := s.dial(client.Options{})
		pings := []byte(strings.Repeat(string(masked(true, 0, frame.Ping, "")), 2000))
		unlessStalled(t, func() error { // pongs that leave one by one fill the client's kernel, which then drops what acknowledges pings
			c, v := s.narrow()
			var err error
			for err == nil {
				_ = c.NetConn().SetWriteDeadline(time.Now().Add(patience / 10))
				_, err = c.NetConn().Write(pings)
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				c.Abort()
				v.await(t, "the end", func(es []entry) bool { return es[len(es)-1].what == ended })
				return err
			}
			v.awaitClosed(t, transport.ErrSlowConsumer)
			return nil
		})
		send(t, other, text("still there?"))
		expectText(t, other, "still there?")
		if got := s.handler.Stats(); got.SlowConsumers != 1 || got.OutboxHigh > smallOutbox/30 {
			t.Errorf("%+v: want some 1,000 pongs of two bytes to wait", got)
		}
	})
}

func TestAClientThatReadsIsNotSlowHoweverMuchItIsSent(t *testing.T) {
	const n, size = 200, 10_000
	onEachEngine(t, websocket.Config{Outbox: smallOutbox}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{Timeout: patience})
		f := frameOf(strings.Repeat("x", size))
		for range n {
			v.onLane(t, func() { v.conn.Enqueue(f, transport.Direct) })
			if m := c.Next(t); len(m.Payload) != size {
				t.Fatalf("got %.100v", m)
			}
		}
		if got := s.handler.Stats(); got.SlowConsumers != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestWhatTheKernelDoesNotTakeOfAWriteHasWaited(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		_, v := s.narrow()
		big := append(transport.Room(4<<20), strings.Repeat("x", 4<<20)...)
		v.onLane(t, func() { v.conn.Write(big, false) })
		if got := s.handler.Stats(); got.OutboxHigh < 1<<20 {
			t.Errorf("%d bytes waited of 4 MiB that nobody reads", got.OutboxHigh)
		}
	})
}

// A slow client that catches up has its whole outbox again.
func TestTheOutboxIsAsLargeAfterALargeFrame(t *testing.T) {
	onEachEngine(t, websocket.Config{Outbox: smallOutbox, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		c, v := s.narrow()
		big := strings.Repeat("x", 4<<20)
		v.onLane(t, func() { v.conn.Enqueue(frameOf(big), transport.Direct) })
		if m := c.Next(t); len(m.Payload) != len(big) {
			t.Fatalf("got %.100v", m)
		}
		send(t, c, text("caught up"))
		expectText(t, c, "caught up")
		before := s.handler.Stats().OutboxHigh
		if bytes := v.flood(t, 1000); bytes > 2<<20 {
			t.Errorf("%d bytes were queued, %d waited before", bytes, before)
		}
	})
}

func TestASlowConsumerInTheMiddleOfItsFloodIsCut(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, Outbox: smallOutbox, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		s.reacts(func(v *visit, data []byte, binary bool) transport.Verdict {
			for range 100 {
				echo(v, data, binary)
			}
			return transport.Continue
		})
		var over []*visit
		for range 20 {
			c, v := s.narrow()
			over = append(over, v)
			flood := []byte(strings.Repeat(string(text(strings.Repeat("x", 50))), 1000))
			go func() { _ = c.SendRaw(flood) }() // until it is cut
		}
		for _, v := range over {
			v.awaitClosed(t, transport.ErrSlowConsumer)
		}
		s.awaitNone()
	})
}
