package websocket_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// nextClose skips all frames up to a close frame.
func nextClose(t *testing.T, c *client.Conn) client.Message {
	t.Helper()
	m := c.Next(t)
	for m.Opcode != frame.Close {
		m = c.Next(t)
	}
	return m
}

func TestAMessageThatIsNeverWholeEndsItsConnection(t *testing.T) {
	half := masked(false, 0, frame.Text, strings.Repeat("x", 10_000))
	onEachEngine(t, websocket.Config{MessageTimeout: short}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{Timeout: patience})
		send(t, c, half)
		whileFor(3*short, func() { _ = c.Ping("still here") })
		if m := nextClose(t, c); m.CloseCode != uint16(transport.ClosePolicy) {
			t.Errorf("got %v", m)
		}
		v.awaitClosed(t, transport.ErrBadFrame)
		if got := s.handler.Stats(); got.MessageTimeouts != 1 || got.IdleTimeouts != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestMessagesWhoseEndsComeWithTheNextOnesAreNotLate(t *testing.T) {
	one := text("one of very many")
	onEachEngine(t, websocket.Config{MessageTimeout: 3 * short}, func(t *testing.T, s *stage) {
		unlessStalled(t, func() error {
			c, _ := s.dial(client.Options{Timeout: patience})
			defer c.Drop()
			sent := 0
			send(t, c, one[:5])
			whileFor(6*short, func() {
				_ = c.SendRaw(append(one[5:len(one):len(one)], one[:5]...))
				sent++
			})
			for n := range sent {
				if m, err := c.Read(patience); err != nil || string(m.Payload) != "one of very many" {
					return errors.Join(fmt.Errorf("after %d of %d came %v", n, sent, m), err)
				}
			}
			return nil
		})
	})
}

// A session that holds is what takes the time.
func TestAMessageThatWaitsForItsSessionIsNotLate(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, MessageTimeout: short}, func(t *testing.T, s *stage) {
		s.reacts(holds)
		unlessStalled(t, func() error { // between the resume and the rest of the message
			c, v := s.dial(client.Options{Timeout: patience})
			defer c.Drop()
			last := text("last")
			send(t, c, append(text("hold"), last[:4]...))
			v.awaitMessages(t, 1)
			whileFor(2*short, func() {})
			v.resume(t)
			_ = c.SendRaw(last[4:])
			if m, err := c.Read(patience); err != nil || string(m.Payload) != "last" {
				return errors.Join(fmt.Errorf("got %v", m), err)
			}
			return nil
		})
	})
}
