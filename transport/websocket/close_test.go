package websocket_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// patientClose is a closing handshake that does not end by itself in a test.
var patientClose = websocket.Config{CloseTimeout: time.Minute}

func closing(payload []byte) []byte {
	return frame.AppendMasked(nil, true, 0, frame.Close, [4]byte{9, 8, 7, 6}, payload)
}

func code(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }

// Who is told goodbye and does not go still has a descriptor.
func TestAConnectionIsReleasedWhenItIsGoneNotWhenItIsTold(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		v.onLane(t, func() { v.conn.Close(transport.CloseGoingAway) })
		if m := c.Next(t); m.CloseCode != 1001 {
			t.Fatalf("got %v", m)
		}
		v.awaitClosed(t, transport.ErrServerClosed)
		v.onLane(t, func() {})
		if v.isReleased() {
			t.Error("it is released while the client has it")
		}
		c.Drop()
		eventually(t, "it is released", v.isReleased)
	})
}

// TestAClientsCloseIsAnswered is the table of [§5.7].
func TestAClientsCloseIsAnswered(t *testing.T) {
	type row struct {
		name    string
		payload []byte
		want    uint16
		reason  error
	}
	rows := []row{
		{"none", nil, 1000, transport.ErrClientClosed},
		{"with a reason", append(code(1001), "going"...), 1000, transport.ErrClientClosed},
		{"with half a code", []byte{3}, 1002, transport.ErrBadFrame},
		{"with a reason that is not UTF-8", append(code(1000), 0xff), 1007, transport.ErrBadFrame},
	}
	for _, n := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		rows = append(rows, row{fmt.Sprint(n), code(n), 1000, transport.ErrClientClosed})
	}
	for _, n := range []int{1012, 1013, 1014} {
		rows = append(rows, row{fmt.Sprint(n), code(n), 1002, transport.ErrClientClosed})
	}
	for _, n := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535} {
		rows = append(rows, row{fmt.Sprint(n), code(n), 1002, transport.ErrBadFrame})
	}
	for _, r := range rows {
		t.Run("code="+r.name, func(t *testing.T) {
			onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
				c, v := s.dial(client.Options{})
				send(t, c, closing(r.payload))
				if m := c.Next(t); m.Opcode != frame.Close || m.CloseCode != r.want || m.Reason != "" {
					t.Errorf("got %v, want close %d", m, r.want)
				}
				c.ExpectEOF(t)
				v.awaitClosed(t, r.reason)
			})
		})
	}
}

func TestWhatComesBehindAClientsCloseIsIgnored(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		send(t, c, append(append(text("before"), closing(nil)...), texts("behind", "behind")...))
		expectText(t, c, "before")
		if m := c.Next(t); m.CloseCode != 1000 {
			t.Errorf("got %v", m)
		}
		c.ExpectEOF(t)
		v.awaitClosed(t, transport.ErrClientClosed)
		if got := v.messages(); len(got) != 1 {
			t.Errorf("received %v", got)
		}
	})
}

func TestTheServerClosesAndTheClientAnswers(t *testing.T) {
	for _, n := range []transport.CloseCode{1000, 1001, 1011, 1012, 4000} {
		t.Run(fmt.Sprint("code=", n), func(t *testing.T) {
			onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
				c, v := s.dial(client.Options{})
				v.onLane(t, func() {
					v.conn.Enqueue(frameOf("goodbye"), transport.Bulk)
					v.conn.Close(n)
					v.conn.Close(n + 1)
				})
				v.awaitClosed(t, transport.ErrServerClosed) // at once
				expectText(t, c, "goodbye")
				c.ExpectClose(t, uint16(n))
				c.ExpectEOF(t)
				s.awaitNone()
			})
		})
	}
}

func TestTheServerClosesAndTheClientHangsUp(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		for _, leave := range []func(*client.Conn){(*client.Conn).Drop, (*client.Conn).Abort} {
			c, v := s.dial(client.Options{})
			v.onLane(t, func() { v.conn.Close(transport.CloseNormal) })
			leave(c)
			s.awaitNone()
		}
	})
}

func TestTheServerClosesAndTheClientDoesNotAnswer(t *testing.T) {
	const limit = 100 * time.Millisecond
	onEachEngine(t, websocket.Config{CloseTimeout: limit}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		began := time.Now()
		v.onLane(t, func() { v.conn.Close(transport.CloseNormal) })
		if m := c.Next(t); m.CloseCode != 1000 {
			t.Errorf("got %v", m)
		}
		c.ExpectEOF(t)
		if took := time.Since(began); took < limit {
			t.Errorf("cut after %v", took)
		}
		s.awaitNone()
	})
}

func TestTheServerClosesAndTheClientGoesOnSending(t *testing.T) {
	onEachEngine(t, websocket.Config{CloseTimeout: 100 * time.Millisecond, Timeout: 50 * time.Millisecond}, func(t *testing.T, s *stage) {
		s.plays(func() *visit {
			v := newVisit()
			v.onOpen = func(v *visit) { v.conn.Close(transport.CloseNormal) } // before it was silent for Timeout
			return v
		})
		c, v := s.dial(client.Options{})
		if m := c.Next(t); m.CloseCode != 1000 {
			t.Errorf("got %v", m)
		}
		for c.SendRaw(texts("are", "you", "there?")) == nil {
		}
		s.awaitNone()
		if got := v.messages(); len(got) != 0 {
			t.Errorf("received %v after the end", got)
		}
	})
}

func TestTheServerClosesAndTheClientDoesNotRead(t *testing.T) {
	onEachEngine(t, websocket.Config{CloseTimeout: 100 * time.Millisecond}, func(t *testing.T, s *stage) {
		_, v := s.narrow()
		v.onLane(t, func() {
			v.conn.Enqueue(frameOf(strings.Repeat("x", 9<<20)), transport.Direct)
			v.conn.Close(transport.CloseNormal)
		})
		v.awaitClosed(t, transport.ErrServerClosed)
		s.awaitNone()
	})
}

// A client that closes but does not read holds nothing for ever.
func TestTheClientClosesAndDoesNotRead(t *testing.T) {
	for name, first := range map[string]bool{"blocked before": true, "blocked by the answer": false} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, websocket.Config{CloseTimeout: 100 * time.Millisecond}, func(t *testing.T, s *stage) {
				s.reacts(func(v *visit, _ []byte, _ bool) transport.Verdict {
					v.conn.Enqueue(frameOf(strings.Repeat("x", 9<<20)), transport.Direct)
					return transport.Continue
				})
				c, v := s.narrow()
				if first {
					send(t, c, text("flood me"))
					eventually(t, "output is blocked", func() bool { return s.handler.Stats().BytesOut > 0 || s.handler.Stats().OutboxHigh > 0 })
					send(t, c, closing(nil))
				} else {
					send(t, c, append(text("flood me"), closing(nil)...))
				}
				v.awaitClosed(t, transport.ErrClientClosed)
				s.awaitNone()
			})
		})
	}
}

// The end of a message that was on its way when the server closed must not
// hide the client's close frame.
func TestTheServerClosesInTheMiddleOfAMessage(t *testing.T) {
	long := text(strings.Repeat("long ", 40_000))
	for name, whole := range map[string][]byte{
		"a frame":    long,
		"a header":   long[:20],
		"a fragment": append(frame.AppendMasked(nil, false, 0, frame.Text, [4]byte{}, []byte("one")), frame.AppendMasked(nil, true, 0, frame.Continuation, [4]byte{5, 4, 3, 2}, []byte("two"))...),
	} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, websocket.Config{Loops: 1, CloseTimeout: time.Minute}, func(t *testing.T, s *stage) {
				c, v := s.dial(client.Options{})
				cut := min(len(whole)/2, 1000)
				send(t, c, whole[:cut])
				s.settle()
				v.onLane(t, func() { v.conn.Close(transport.CloseGoingAway) })
				if m := c.Next(t); m.CloseCode != 1001 {
					t.Errorf("got %v", m)
				}
				if name == "a header" {
					whole = long
				}
				send(t, c, append(append([]byte(nil), whole[cut:]...), closing(code(1001))...))
				c.ExpectEOF(t)
				if got := v.messages(); len(got) != 0 {
					t.Errorf("received %v after the end", got)
				}
			})
		})
	}
}

func TestASessionMayCloseWhileItOpensOrReceives(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		s.plays(func() *visit {
			v := newVisit()
			v.onOpen = func(v *visit) { v.conn.Close(4001) }
			return v
		})
		c, v := s.dial(client.Options{Early: text("hello")})
		c.ExpectClose(t, 4001)
		c.ExpectEOF(t)
		v.awaitClosed(t, transport.ErrServerClosed)

		s.reacts(func(v *visit, _ []byte, _ bool) transport.Verdict {
			v.conn.Close(4002)
			return transport.Hold // means nothing any more
		})
		c, v = s.dial(client.Options{Early: texts("hello", "behind")})
		c.ExpectClose(t, 4002)
		c.ExpectEOF(t)
		v.awaitClosed(t, transport.ErrServerClosed)
		if got := v.messages(); len(got) != 1 {
			t.Errorf("received %v", got)
		}
	})
}

func TestASessionMaySendNothingInClosed(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		s.plays(func() *visit {
			v := newVisit()
			v.onClosed = func(v *visit) {
				v.conn.Enqueue(frameOf("late"), transport.Direct)
				v.conn.Write(append(transport.Room(4), "late"...), false)
				v.conn.Close(4000)
				v.conn.Resume()
			}
			return v
		})
		c, _ := s.dial(client.Options{})
		send(t, c, closing(nil))
		if m := c.Next(t); m.CloseCode != 1000 {
			t.Errorf("got %v", m)
		}
		c.ExpectEOF(t)
		c, v := s.dial(client.Options{})
		c.Abort()
		v.awaitClosed(t, transport.ErrClientGone)
	})
}

func TestReasonsTellWhyAConnectionEnded(t *testing.T) {
	all := []error{
		transport.ErrClientClosed, transport.ErrClientGone, transport.ErrServerClosed, transport.ErrIdle,
		transport.ErrSlowConsumer, transport.ErrBadFrame, transport.ErrShutdown,
	}
	for i, a := range all {
		for j, b := range all {
			if errors.Is(a, b) != (i == j) {
				t.Errorf("%v and %v", a, b)
			}
		}
	}
}
