package conformance

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

func TestLeave(t *testing.T) {
	clause(t, 171, "a leave is answered and then comes the end", func(t *testing.T, s *server) {
		c := s.open(t)
		for _, joinRef := range []string{`"1"`, `1`} {
			send(t, c, v2(joinRef, `"1"`, "room:1", "phx_join", "{}"), v2(joinRef, `"2"`, "room:1", "phx_leave", `{"ignored":1}`))
			expectAll(t, c, v2ok(joinRef, `"1"`, "room:1", "{}"), v2ok(joinRef, `"2"`, "room:1", "{}"), closed(joinRef, "room:1"))
			if reason := s.expectEnd(t, "room:1"); !errors.Is(reason, roost.ErrLeft) {
				t.Errorf("terminated with %v, want ErrLeft", reason)
			}
		}
	})
	clause(t, 172, "HandleIn does not see phx_leave", func(t *testing.T, s *server) {
		var seen notes
		s.plays("mine", seen.channel())
		c := s.open(t)
		send(t, c, v2(`"1"`, `"1"`, "mine", "phx_join", "{}"), v2(`"1"`, `"2"`, "mine", "phx_leave", "{}"))
		expectAll(t, c, v2ok(`"1"`, `"1"`, "mine", "{}"), v2ok(`"1"`, `"2"`, "mine", "{}"), closed(`"1"`, "mine"))
		seen.none(t, "HandleIn saw")
	})
	clause(t, 173, "what Terminate pushes comes last", func(t *testing.T, s *server) {
		s.plays("mine", act{terminate: func(k *roost.Socket, reason error) {
			must(t, k.Push("terminated", map[string]bool{"left": errors.Is(reason, roost.ErrLeft)}))
			must(t, k.Push("twice", nil))
		}})
		c := s.open(t)
		send(t, c, v2(`"1"`, `"1"`, "mine", "phx_join", "{}"), v2(`"1"`, `"2"`, "mine", "phx_leave", "{}"))
		expectAll(t, c, v2ok(`"1"`, `"1"`, "mine", "{}"), v2ok(`"1"`, `"2"`, "mine", "{}"), closed(`"1"`, "mine"),
			v2(`"1"`, "null", "mine", "terminated", `{"left":true}`), v2(`"1"`, "null", "mine", "twice", "{}"))
	})
	clause(t, 173, "a leave does not wait for Terminate", func(t *testing.T, s *server) {
		gate := newGate()
		s.plays("mine", act{terminate: func(k *roost.Socket, _ error) {
			must(t, gate.pass())
			must(t, k.Push("terminated", nil))
		}})
		c := s.open(t)
		send(t, c, v2(`"1"`, `"1"`, "mine", "phx_join", "{}"), v2(`"1"`, `"2"`, "mine", "phx_leave", "{}"))
		expectAll(t, c, v2ok(`"1"`, `"1"`, "mine", "{}"), v2ok(`"1"`, `"2"`, "mine", "{}"), closed(`"1"`, "mine"))
		c.Join(t, "mine", "3", "")
		gate.open()
		c.Expect(t, v2(`"1"`, "null", "mine", "terminated", "{}"))
	})
	clause(t, 174, "a push right behind a leave is not handled", func(t *testing.T, s *server) {
		var seen notes
		s.plays("mine", seen.channel())
		c := s.open(t)
		for range 30 {
			send(t, c, v2(`"1"`, `"1"`, "mine", "phx_join", "{}"), v2(`"1"`, `"2"`, "mine", "phx_leave", "{}"), v2(`"1"`, `"3"`, "mine", "late", "{}"))
			expectAll(t, c, v2ok(`"1"`, `"1"`, "mine", "{}"), v2ok(`"1"`, `"2"`, "mine", "{}"), closed(`"1"`, "mine"))
			send(t, c, heartbeat("4"))
			answer := string(c.Next(t).Payload)
			if client.SameJSON(t, answer, v2error("null", `"3"`, "mine", unmatched)) {
				answer = string(c.Next(t).Payload)
			}
			if !client.SameJSON(t, answer, alive("4")) {
				t.Errorf("got %s", answer)
			}
		}
		seen.none(t, "HandleIn saw")
	})
	clause(t, 175, "after the end a push is unmatched", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, v2(`"1"`, `"1"`, "room:1", "phx_join", "{}"), v2(`"1"`, `"2"`, "room:1", "phx_leave", "{}"))
		until(t, c, closed(`"1"`, "room:1"))
		send(t, c, v2(`"1"`, `"3"`, "room:1", "echo", "{}"), v2(`"1"`, `"4"`, "room:1", "phx_leave", "{}"))
		expectAll(t, c, v2error("null", `"3"`, "room:1", unmatched), v2ok(`"1"`, `"4"`, "room:1", "{}"))
	})
	clause(t, 175, "after the end no broadcast comes", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, v2(`"1"`, `"1"`, "room:1", "phx_join", "{}"), v2(`"1"`, `"2"`, "room:1", "phx_leave", "{}"))
		until(t, c, closed(`"1"`, "room:1"))
		must(t, s.Endpoint.Broadcast(t.Context(), "room:1", "e", nil))
		c.ExpectQuiet(t)
		if n := s.Endpoint.PubSub().Topics(); n != 0 {
			t.Errorf("%d topics still have subscribers", n)
		}
	})
}

// occasions are what makes a channel of ending call back, by how its topic ends.
var occasions = map[string]func(t *testing.T, s *server, c *client.Conn, topic string){
	"in": func(t *testing.T, _ *server, c *client.Conn, topic string) { push(t, c, "1", "2", topic, "e", "") },
	"out": func(t *testing.T, s *server, _ *client.Conn, topic string) {
		must(t, s.Endpoint.Broadcast(t.Context(), topic, "intercepted", nil))
	},
	"info": func(t *testing.T, _ *server, c *client.Conn, topic string) { push(t, c, "1", "2", topic, "info", "") },
}

// ending is a channel whose callbacks end it as how says, and which pushes what Terminate is told.
func ending(how func() error) act {
	return act{
		intercept: []string{"intercepted"},
		in: func(_ context.Context, s *roost.Socket, event string, _ roost.Payload) (roost.Reply, error) {
			if event == "info" {
				return roost.NoReply(), s.SendInfo(0)
			}
			return roost.NoReply(), how()
		},
		out:  func(*roost.Socket, string, roost.Payload) error { return how() },
		info: func(*roost.Socket, any) error { return how() },
		terminate: func(s *roost.Socket, reason error) {
			_ = s.Push("terminated", map[string]string{"reason": fmt.Sprint(reason)}) // what comes of it is what is tested
		},
	}
}

// endsOn joins a channel of ending, for each occasion, and reads what the client is told in the end.
func endsOn(t *testing.T, s *server, how func() error, expect func(t *testing.T, c *client.Conn, topic string)) {
	t.Helper()
	s.plays("mine:*", ending(how))
	for _, occasion := range sorted(occasions) {
		c, topic := s.open(t), "mine:"+occasion
		c.Join(t, topic, "1", "")
		occasions[occasion](t, s, c, topic)
		expect(t, c, topic)
		c.Join(t, topic, "1", "") // it is free again
		c.Drop()
	}
}

// terminated is what a channel of ending pushes.
func terminated(topic string, reason error) string {
	return v2(`"1"`, "null", topic, "terminated", fmt.Sprintf(`{"reason":%q}`, reason))
}

func TestStop(t *testing.T) {
	wrapped := fmt.Errorf("no more seats: %w", roost.Stop)
	for name, err := range map[string]error{"Stop": roost.Stop, "an error that wraps Stop": wrapped} {
		clause(t, 176, name+" sends phx_close and then runs Terminate", func(t *testing.T, s *server) {
			endsOn(t, s, func() error { return err }, func(t *testing.T, c *client.Conn, topic string) {
				expectAll(t, c, closed(`"1"`, topic), terminated(topic, err))
			})
			s.expectLogged(t, 0, "channel_crashed")
		})
	}
	clause(t, 176, "Terminate is told Stop itself", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		push(t, c, "1", "2", "room:1", "stop", "")
		c.Expect(t, closed(`"1"`, "room:1"))
		if reason := s.expectEnd(t, "room:1"); reason != roost.Stop { //nolint:errorlint // that it is not wrapped is what is tested
			t.Errorf("terminated with %v", reason)
		}
	})
	clause(t, 177, "another error runs Terminate and then sends phx_error", func(t *testing.T, s *server) {
		endsOn(t, s, func() error { return errWhy }, func(t *testing.T, c *client.Conn, topic string) {
			expectAll(t, c, terminated(topic, errWhy), crashed(`"1"`, topic))
			s.logs.expect(t, "channel_crashed", "topic", topic)
		})
	})
	clause(t, 178, "a reply that cannot be encoded makes a stop a crash", func(t *testing.T, s *server) {
		s.plays("mine", act{in: func(context.Context, *roost.Socket, string, roost.Payload) (roost.Reply, error) {
			return roost.ReplyOK(oops{"error"}), roost.Stop
		}})
		c := s.open(t)
		c.Join(t, "mine", "1", "")
		push(t, c, "1", "2", "mine", "e", "")
		c.Expect(t, crashed(`"1"`, "mine"))
	})
	clause(t, 178, "a reply beside the end is sent first", func(t *testing.T, s *server) {
		s.plays("mine", act{in: func(_ context.Context, _ *roost.Socket, event string, p roost.Payload) (roost.Reply, error) {
			return roost.ReplyOK(p), map[string]error{"stop": roost.Stop, "crash": errWhy}[event]
		}})
		c := s.open(t)
		for event, end := range map[string]string{"stop": closed(`"1"`, "mine"), "crash": crashed(`"1"`, "mine")} {
			c.Join(t, "mine", "1", "")
			push(t, c, "1", "2", "mine", event, `{"a":1}`)
			expectAll(t, c, v2ok(`"1"`, `"2"`, "mine", `{"a":1}`), end)
		}
	})
}
