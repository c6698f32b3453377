package websocket_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// holds is a session's reaction that holds at every message that begins with
// "hold" and echoes the others.
func holds(v *visit, data []byte, binary bool) transport.Verdict {
	if len(data) >= 4 && string(data[:4]) == "hold" {
		return transport.Hold
	}
	return echo(v, data, binary)
}

// oneLane makes other clients' turns those of the held one.
var oneLane = websocket.Config{Loops: 1, CloseTimeout: time.Minute}

func onEachEngineHolding(t *testing.T, test func(t *testing.T, s *stage)) {
	t.Helper()
	onEachEngine(t, oneLane, func(t *testing.T, s *stage) {
		s.reacts(holds)
		test(t, s)
	})
}

func (v *visit) resume(t testing.TB) {
	t.Helper()
	v.onLane(t, func() { v.conn.Resume() })
}

func TestMessagesBehindAHeldOneWait(t *testing.T) {
	onEachEngineHolding(t, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		send(t, c, texts("before", "hold", "same read 1", "same read 2"))
		v.awaitMessages(t, 2)
		send(t, c, text("next read"))
		s.settle()
		if got := v.messages(); !slices.Equal(got, []string{"before", "hold"}) {
			t.Fatalf("received %v while held", got)
		}
		v.resume(t)
		for _, want := range []string{"before", "same read 1", "same read 2", "next read"} {
			expectText(t, c, want)
		}
	})
}

func TestEachHeldMessageNeedsItsOwnResume(t *testing.T) {
	onEachEngineHolding(t, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		var want []string
		for i := range 20 {
			want = append(want, fmt.Sprint("hold ", i), fmt.Sprint("free ", i))
		}
		send(t, c, texts(want...))
		for i := range 20 {
			got := v.awaitMessages(t, 2*i+1)
			if !slices.Equal(got, want[:2*i+1]) {
				t.Fatalf("received %v", got)
			}
			s.settle()
			if got := v.messages(); len(got) != 2*i+1 {
				t.Fatalf("received %v while held", got)
			}
			v.resume(t)
		}
		v.awaitMessages(t, len(want))
	})
}

func TestAPartOfAMessageBehindAHeldOneIsKept(t *testing.T) {
	onEachEngineHolding(t, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		long := text("this comes in two parts")
		send(t, c, append(text("hold"), long[:8]...))
		v.awaitMessages(t, 1)
		s.settle()
		v.resume(t)
		s.settle()
		send(t, c, long[8:])
		expectText(t, c, "this comes in two parts")
	})
}

func TestAFragmentedMessageMayBeHeldAtItsEnd(t *testing.T) {
	onEachEngineHolding(t, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		mustSend(t, c, false, frame.Text, "hold")
		s.settle()
		b := frame.AppendMasked(nil, true, 0, frame.Continuation, [4]byte{}, []byte(" it"))
		send(t, c, append(b, text("free")...))
		if got := v.awaitMessages(t, 1); got[0] != "hold it" {
			t.Errorf("received %v", got)
		}
		v.resume(t)
		expectText(t, c, "free")
	})
}

func TestResumeDuringOneTurnOrBeforeAnybodyWaits(t *testing.T) {
	onEachEngine(t, oneLane, func(t *testing.T, s *stage) {
		s.reacts(func(v *visit, _ []byte, _ bool) transport.Verdict {
			v.conn.Lane().Post(task(v.conn.Resume), nil) // runs right behind
			return transport.Hold
		})
		c, v := s.dial(client.Options{})
		for range 100 {
			send(t, c, texts("a", "b", "c"))
		}
		v.awaitMessages(t, 300)
	})
}

func TestResumeOfWhatIsNotHeldChangesNothing(t *testing.T) {
	onEachEngineHolding(t, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		v.resume(t)
		v.resume(t)
		send(t, c, texts("hold", "behind"))
		v.awaitMessages(t, 1)
		s.settle()
		if got := v.messages(); len(got) != 1 {
			t.Fatalf("received %v while held", got)
		}
		v.resume(t)
		expectText(t, c, "behind")
	})
}

func TestAHeldConnectionIsClosedByTheServer(t *testing.T) {
	onEachEngineHolding(t, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		send(t, c, texts("hold", "behind"))
		v.awaitMessages(t, 1)
		s.settle()
		v.onLane(t, func() { v.conn.Close(transport.CloseGoingAway) })
		c.ExpectClose(t, 1001) // and answers
		c.ExpectEOF(t)
		v.onLane(t, func() { v.conn.Resume() })
		if got := v.messages(); len(got) != 1 {
			t.Errorf("received %v after the end", got)
		}
		v.awaitClosed(t, transport.ErrServerClosed)
	})
}

// The client's close frame is behind the held message, where nobody reads it
// until the server closes, too.
func TestACloseFrameBehindAHeldMessageEndsTheClosingHandshake(t *testing.T) {
	for name, gap := range map[string]bool{"same read": false, "next read": true} {
		t.Run(name, func(t *testing.T) {
			onEachEngineHolding(t, func(t *testing.T, s *stage) {
				c, v := s.dial(client.Options{})
				bye := append(text("behind"), frame.AppendMasked(nil, true, 0, frame.Close, [4]byte{}, nil)...)
				if gap {
					send(t, c, text("hold"))
					v.awaitMessages(t, 1)
					send(t, c, bye)
				} else {
					send(t, c, append(text("hold"), bye...))
					v.awaitMessages(t, 1)
				}
				s.settle()
				v.onLane(t, func() { v.conn.Close(transport.CloseGoingAway) })
				if m := c.Next(t); m.CloseCode != 1001 {
					t.Errorf("got %v", m)
				}
				c.ExpectEOF(t)
			})
		})
	}
}

func TestACloseFrameBehindAHeldMessageIsAnsweredAfterIt(t *testing.T) {
	onEachEngineHolding(t, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		send(t, c, append(texts("hold", "behind"), frame.AppendMasked(nil, true, 0, frame.Close, [4]byte{}, nil)...))
		v.awaitMessages(t, 1)
		s.settle()
		v.resume(t)
		expectText(t, c, "behind")
		if m := c.Next(t); m.CloseCode != 1000 {
			t.Errorf("got %v", m)
		}
		c.ExpectEOF(t)
		v.awaitClosed(t, transport.ErrClientClosed)
	})
}

func TestAClientThatVanishesWhileHeldIsNoticedAtResumeAtTheLatest(t *testing.T) {
	for name, leave := range map[string]func(*client.Conn){"FIN": (*client.Conn).Drop, "RST": (*client.Conn).Abort} {
		t.Run(name, func(t *testing.T) {
			onEachEngineHolding(t, func(t *testing.T, s *stage) {
				c, v := s.dial(client.Options{})
				send(t, c, text("hold"))
				v.awaitMessages(t, 1)
				leave(c)
				s.settle()
				v.resume(t)
				v.awaitClosed(t, transport.ErrClientGone)
				v.resume(t) // after the end: nothing
				s.awaitNone()
			})
		})
	}
}

func TestWritingToAVanishedClientWhileHeldEndsTheConnection(t *testing.T) {
	onEachEngineHolding(t, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		send(t, c, text("hold"))
		v.awaitMessages(t, 1)
		c.Abort()
		eventually(t, "the end is noticed", func() bool {
			v.onLane(t, func() { v.conn.Enqueue(frameOf("anybody there?"), transport.Direct) })
			return s.handler.Stats().Connections == 0
		})
		v.awaitClosed(t, transport.ErrClientGone)
	})
}

func TestMessagesBeforeAHangUpAreReceivedAfterResume(t *testing.T) {
	onEachEngineHolding(t, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		send(t, c, text("hold"))
		v.awaitMessages(t, 1)
		send(t, c, text("last words"))
		c.Drop()
		s.settle()
		v.resume(t)
		v.awaitClosed(t, transport.ErrClientGone)
		if got := v.messages(); !slices.Equal(got, []string{"hold", "last words"}) {
			t.Errorf("received %v", got)
		}
	})
}

func TestHoldingIsNotSilence(t *testing.T) {
	c := websocket.Config{Loops: 1, Timeout: 100 * time.Millisecond}
	onEachEngine(t, c, func(t *testing.T, s *stage) {
		s.reacts(holds)
		unlessStalled(t, func() error { // between the resume and the next read
			c, v := s.dial(client.Options{Early: text("hold")}) // there when it opens
			defer c.Drop()
			v.awaitMessages(t, 1)
			send(t, c, text("said meanwhile"))
			<-time.After(300 * time.Millisecond) // three times Timeout
			v.onLane(t, func() {
				<-time.After(50 * time.Millisecond) // the sweep is due in the turn of the resume
				v.conn.Resume()
			})
			if m := c.Next(t); string(m.Payload) != "said meanwhile" {
				return fmt.Errorf("got %v", m)
			}
			c.ExpectClose(t, 1002) // now it is silent
			return nil
		})
	})
}
