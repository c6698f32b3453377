package websocket_test

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// text is a text frame as a client sends it.
func text(s string) []byte {
	return frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{1, 2, 3, 4}, []byte(s))
}

// texts are several in one write.
func texts(list ...string) (b []byte) {
	for _, s := range list {
		b = append(b, text(s)...)
	}
	return b
}

func send(t testing.TB, c *client.Conn, b []byte) {
	t.Helper()
	if err := c.SendRaw(b); err != nil {
		t.Fatal(err)
	}
}

func expectText(t testing.TB, c *client.Conn, want string) {
	t.Helper()
	if m := c.Next(t); m.Opcode != frame.Text || string(m.Payload) != want {
		t.Fatalf("got %.200v, want text %.200q", m, want)
	}
}

func TestASessionIsOpenedThenReceivesThenIsClosed(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		send(t, c, text("a"))
		expectText(t, c, "a")
		if err := c.SendBinary([]byte("b")); err != nil {
			t.Fatal(err)
		}
		c.ExpectBinary(t, []byte("b"))
		c.Drop()
		v.awaitClosed(t, transport.ErrClientGone)
		want := []entry{{what: opened}, {what: received, data: "a"}, {what: received, data: "b", binary: true}, {what: ended, reason: transport.ErrClientGone}}
		if got := v.entries(); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		s.awaitNone()
	})
}

func TestMessagesOfOneReadAreReceivedInOrder(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		var want []string
		for i := range 1000 {
			want = append(want, fmt.Sprint("message ", i))
		}
		send(t, c, texts(want...))
		for _, w := range want {
			expectText(t, c, w)
		}
		if got := v.messages(); !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
	})
}

func TestBytesThatArriveWithTheHandshakeAreReceived(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		half := text("half of this comes later")
		c, _ := s.dial(client.Options{Early: append(texts("early", "bird"), half[:9]...)})
		expectText(t, c, "early")
		expectText(t, c, "bird")
		send(t, c, half[9:])
		expectText(t, c, "half of this comes later")
	})
}

func TestAViolationInTheBytesThatArriveWithTheHandshakeIsAnswered(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{Early: []byte{0x81, 0x01, 'x'}}) // not masked
		c.ExpectClose(t, 1002)
		c.Drop()
		v.awaitClosed(t, transport.ErrBadFrame)
	})
}

func TestFramesThatArriveByteByByteAreReceived(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		long := strings.Repeat("long ", 50)
		for i, b := range texts("a", long, "") {
			send(t, c, []byte{b})
			if i%50 == 0 {
				if tcp, ok := c.NetConn().(*net.TCPConn); ok {
					_ = tcp.SetNoDelay(true)
				}
			}
		}
		expectText(t, c, "a")
		expectText(t, c, long)
		expectText(t, c, "")
		if got := v.messages(); !slices.Equal(got, []string{"a", long, ""}) {
			t.Errorf("got %v", got)
		}
	})
}

func TestLargeFramesTravelBothWays(t *testing.T) {
	for _, size := range []int{125, 126, 65535, 65536, 1 << 20, 9_000_000} {
		t.Run(fmt.Sprint("size=", size), func(t *testing.T) {
			onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
				s.plays(func() *visit { v := newVisit(); v.quiet = true; return v })
				c, _ := s.dial(client.Options{Timeout: patience})
				for i := range 2 {
					want := bytes.Repeat([]byte{byte(i), 1, 2, 3, 5}, size/5+1)[:size]
					sent := make(chan error, 1)
					go func() { sent <- c.SendBinary(want) }()
					c.ExpectBinary(t, want)
					if err := <-sent; err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

func TestFragmentsAreJoinedAndPingsBetweenThemAnswered(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		for range 2 {
			mustSend(t, c, false, frame.Text, "one ")
			mustSend(t, c, true, frame.Ping, "first")
			c.ExpectPong(t, "first")
			mustSend(t, c, false, frame.Continuation, "two ")
			mustSend(t, c, true, frame.Ping, "")
			mustSend(t, c, true, frame.Pong, "nobody asked")
			mustSend(t, c, true, frame.Continuation, "three")
			c.ExpectPong(t, "")
			expectText(t, c, "one two three")
		}
		if got := v.messages(); len(got) != 2 {
			t.Errorf("the session saw %v", got)
		}
	})
}

func mustSend(t testing.TB, c *client.Conn, fin bool, op frame.Opcode, payload string) {
	t.Helper()
	if err := c.SendFrame(fin, 0, op, []byte(payload)); err != nil {
		t.Fatal(err)
	}
}

func TestCountersSayWhatHappened(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		c, _ := s.dial(client.Options{})
		send(t, c, texts("one", "two"))
		expectText(t, c, "one")
		expectText(t, c, "two")
		want := websocket.Stats{Connections: 1, Accepted: 1, MessagesIn: 2, FramesOut: 2, BytesIn: 18, BytesOut: 10, MessageHigh: 3}
		var got websocket.Stats
		defer func() { t.Logf("%+v", got) }()
		eventually(t, "the counters are right", func() bool {
			got = s.handler.Stats()
			got.OutboxHigh, got.LaneHigh, got.Writes = 0, 0, 0
			return got == want
		})
		c.Drop()
		s.awaitNone()
	})
}
