package websocket_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// task posts a function to a lane.
func task(f func()) lane.Task { return lane.Func(f) }

func TestFramesOfEachSenderArriveInTheirOrder(t *testing.T) {
	const senders, each = 8, 300
	onEachEngine(t, websocket.Config{Compress: true}, func(t *testing.T, s *stage) {
		for _, deflate := range []bool{false, true} {
			c, v := s.dial(client.Options{Deflate: deflate, Timeout: patience})
			v.await(t, "open", func(es []entry) bool { return len(es) > 0 })
			var wait sync.WaitGroup
			for i := range senders {
				wait.Go(func() {
					for n := range each {
						v.conn.Send(frameOf(fmt.Sprintf("%d %d %s", i, n, strings.Repeat("x", n%150))))
					}
				})
			}
			expectInOrder(t, c, senders, each)
			wait.Wait()
		}
	})
}

func expectInOrder(t *testing.T, c *client.Conn, senders, each int) {
	t.Helper()
	next := make([]int, senders)
	for range senders * each {
		var i, n int
		m := c.Next(t)
		if _, err := fmt.Sscan(string(m.Payload), &i, &n); err != nil {
			t.Fatalf("got %v: %v", m, err)
		}
		if n != next[i] {
			t.Fatalf("sender %d: got %d, want %d", i, n, next[i])
		}
		next[i]++
	}
}

func TestFramesOfAConnectionLeaveInTheOrderTheyWereQueued(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		v.onLane(t, func() {
			v.conn.Enqueue(frameOf("1 bulk"), transport.Bulk)
			v.conn.Enqueue(frameOf("2 direct"), transport.Direct)
			v.conn.Enqueue(frameOf("3 bulk"), transport.Bulk)
			v.conn.Write(append(transport.Room(9), "4 written"...), false)
			v.conn.Enqueue(frameOf("5 direct"), transport.Direct)
			v.conn.Enqueue(frameOf("6 bulk"), transport.Bulk)
		})
		for _, want := range []string{"1 bulk", "2 direct", "3 bulk", "4 written", "5 direct", "6 bulk"} {
			expectText(t, c, want)
		}
	})
}

func TestABroadcastInTurnsReachesEveryConnection(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1}, func(t *testing.T, s *stage) {
		var clients []*client.Conn
		var visits []*visit
		for range 600 { // more than the connections of one turn
			c, v := s.dial(client.Options{Timeout: patience})
			v.onLane(t, func() {})
			clients, visits = append(clients, c), append(visits, v)
		}
		visits[0].onLane(t, func() {
			for i := range 3 {
				f := frameOf(fmt.Sprint("news ", i))
				for _, v := range visits {
					v.conn.Enqueue(f, transport.Bulk)
				}
			}
			visits[599].conn.Enqueue(frameOf("letter"), transport.Direct)
		})
		for _, c := range clients {
			for i := range 3 {
				expectText(t, c, fmt.Sprint("news ", i))
			}
		}
		expectText(t, clients[599], "letter")
	})
}

// A client that reads late gets everything, in order, as long as it stays
// within the bound.
func TestWhatIsWrittenWhileTheClientDoesNotReadWaits(t *testing.T) {
	const n = 900
	onEachEngine(t, websocket.Config{SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		c, v := s.narrow()
		pad := bytes.Repeat([]byte("x"), 1000)
		v.onLane(t, func() {
			for i := range n {
				buf := append(fmt.Appendf(transport.Room(1100), "%d ", i), pad...)
				switch i % 3 {
				case 0:
					v.conn.Enqueue(transport.SealCopy(buf, false), transport.Direct)
				case 1:
					v.conn.Enqueue(transport.SealCopy(buf, false), transport.Bulk)
				default:
					v.conn.Write(buf, false)
				}
				clear(buf) // it is the caller's again
			}
		})
		for i := range n {
			expectText(t, c, fmt.Sprintf("%d %s", i, pad))
		}
	})
}

func TestAFrameMayExceedTheOutbox(t *testing.T) {
	const size = 3 << 20
	onEachEngine(t, websocket.Config{Outbox: 1 << 16}, func(t *testing.T, s *stage) {
		c, v := s.narrow()
		big := strings.Repeat("x", size)
		v.onLane(t, func() {
			v.conn.Enqueue(frameOf("before"), transport.Direct)
			v.conn.Enqueue(frameOf(big), transport.Direct)
			v.conn.Enqueue(frameOf("behind"), transport.Bulk)
			v.conn.Write(append(transport.Room(7), "written"...), false)
		})
		expectText(t, c, "before")
		if m := c.Next(t); string(m.Payload) != big {
			t.Fatalf("got %.100v", m)
		}
		expectText(t, c, "behind")
		expectText(t, c, "written")
		if n := s.handler.Stats().SlowConsumers; n != 0 {
			t.Errorf("%d slow consumers", n)
		}
	})
}

func TestAWrittenFrameMayExceedTheOutbox(t *testing.T) {
	onEachEngine(t, websocket.Config{Outbox: 1 << 16}, func(t *testing.T, s *stage) {
		c, v := s.narrow()
		big := bytes.Repeat([]byte("x"), 3<<20)
		v.onLane(t, func() { v.conn.Write(append(transport.Room(len(big)), big...), true) })
		c.ExpectBinary(t, big)
	})
}

func TestNothingIsSentAfterTheEnd(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		v.onLane(t, func() {
			v.conn.Enqueue(frameOf("last"), transport.Bulk)
			v.conn.Close(transport.CloseNormal)
			v.conn.Enqueue(frameOf("late"), transport.Direct)
			v.conn.Write(append(transport.Room(4), "late"...), false)
			v.conn.Close(transport.CloseRestart)
		})
		v.conn.Send(frameOf("late"))
		expectText(t, c, "last")
		c.ExpectClose(t, 1000)
		c.ExpectEOF(t)
		s.awaitNone()
		v.conn.Send(frameOf("late"))
		v.onLane(t, func() {
			v.conn.Enqueue(frameOf("late"), transport.Direct)
			v.conn.Write(append(transport.Room(4), "late"...), false)
			v.conn.Close(transport.CloseRestart)
			v.conn.Resume()
		})
	})
}

func TestFramesSentWhenTheConnectionOpensAreFirst(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		s.plays(func() *visit {
			v := newVisit()
			v.onOpen = func(v *visit) {
				v.conn.Write(append(transport.Room(7), "welcome"...), false)
				v.conn.Enqueue(frameOf("to the show"), transport.Bulk)
			}
			return v
		})
		c, _ := s.dial(client.Options{Early: text("hello")})
		for _, want := range []string{"welcome", "to the show", "hello"} {
			expectText(t, c, want)
		}
	})
}
