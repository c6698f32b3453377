package conformance

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/roostgo/roost"
)

// oneLane has all connections on one lane, so that a connection can show that another one was looked at.
func oneLane(c *roost.Config) { c.WebSocket.Loops = 1 }

func TestDispatch(t *testing.T) {
	clause(t, 136, "a heartbeat is answered", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, `[null,"1","phoenix","heartbeat",{}]`)
		c.Expect(t, `[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]`)
	})
	clause(t, 137, "a heartbeat's join_ref is not echoed", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, `["9","1","phoenix","heartbeat",{}]`, `["9",null,"phoenix","heartbeat",[1]]`)
		expectAll(t, c, alive(`"1"`), alive("null"))
	})
	clause(t, 138, "a heartbeat needs no joined topic and minds none", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, heartbeat("1"))
		c.Expect(t, alive("1"))
		c.Join(t, "room:1", "1", "")
		send(t, c, heartbeat("2"))
		c.Expect(t, alive("2"))
	})
	clause(t, 138, "a channel on phoenix does not get the heartbeats", func(t *testing.T, s *server) {
		s.plays("phoenix", act{})
		c := s.open(t)
		c.Join(t, "phoenix", "1", "")
		send(t, c, v2(`"1"`, `"2"`, "phoenix", "heartbeat", "{}"))
		c.Expect(t, alive(`"2"`))
	})
	clause(t, 139, "other events on phoenix are unmatched", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, `["1","4","phoenix","other",{}]`, `[null,"5","phoenix","phx_join",{}]`)
		expectAll(t, c, v2error("null", `"4"`, "phoenix", unmatched), v2error("null", `"5"`, "phoenix", unmatched))
	})
	clause(t, 140, "a push to an unjoined topic is answered with an error", func(t *testing.T, s *server) {
		c := s.open(t)
		for _, topic := range []string{"room:1", "nope", ""} {
			send(t, c, v2(`"1"`, `"2"`, topic, "echo", "{}"), v2("null", "null", topic, "phx_close", "{}"))
			expectAll(t, c, v2error("null", `"2"`, topic, unmatched), v2error("null", "null", topic, unmatched))
		}
	})
	clause(t, 141, "a leave of an unjoined topic is answered ok", func(t *testing.T, s *server) {
		c := s.open(t)
		for _, topic := range []string{"room:1", "nope", "phoenix"} {
			send(t, c, v2(`"9"`, `"4"`, topic, "phx_leave", "{}"), v2("null", "null", topic, "phx_leave", "{}"))
			expectAll(t, c, v2ok(`"9"`, `"4"`, topic, "{}"), v2ok("null", "null", topic, "{}"))
		}
	})
	clause(t, 142, "frames are handled in their order", handlesInOrder)
	clauseWith(t, 143, "later frames wait for a join", oneLane, waitsForJoin)
	clause(t, 144, "a handler that blocks delays nobody else", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		c.Join(t, "room:2", "2", "")
		push(t, c, "1", "3", "room:1", "block", "")
		c.Expect(t, v2(`"1"`, "null", "room:1", "blocked", "{}"))
		send(t, c, heartbeat("4"))
		c.Expect(t, alive("4"))
		push(t, c, "1", "5", "room:1", "echo", `{"a":1}`)
		push(t, c, "2", "6", "room:2", "echo", "")
		c.Expect(t, v2ok(`"2"`, `"6"`, "room:2", "{}"))
		c.Join(t, "room:3", "7", "")
		s.release("room:1")
		expectAll(t, c, v2ok(`"1"`, `"3"`, "room:1", "{}"), v2ok(`"1"`, `"5"`, "room:1", `{"a":1}`))
	})
	clause(t, 145, "a channel's replies come in order", repliesInOrder)
	clause(t, 146, "a push right behind the join is delivered", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, v2(`"1"`, `"1"`, "room:1", "phx_join", "{}"), v2(`"1"`, `"2"`, "room:1", "echo", `{"a":1}`))
		expectAll(t, c, v2ok(`"1"`, `"1"`, "room:1", "{}"), v2ok(`"1"`, `"2"`, "room:1", `{"a":1}`))
	})
}

func handlesInOrder(t *testing.T, s *server) {
	var seen notes
	s.plays("mine:*", act{in: func(_ context.Context, _ *roost.Socket, event string, _ roost.Payload) (roost.Reply, error) {
		seen.add("%s", event)
		return roost.NoReply(), nil
	}})
	c := s.open(t)
	var out, want, events []string
	for i := range 20 {
		ref, topic := fmt.Sprint(i), fmt.Sprint("mine:", i)
		out = append(out, v2(ref, ref, topic, "phx_join", "{}"), heartbeat(ref), v2("null", ref, "nope", "e", "{}"), v2("null", ref, "mine:0", ref, "{}"))
		want = append(want, v2ok(ref, ref, topic, "{}"), alive(ref), v2error("null", ref, "nope", unmatched))
		events = append(events, ref)
	}
	send(t, c, out...)
	expectAll(t, c, want...)
	eventually(t, "all events are handled", func() bool { return len(seen.all()) == len(events) })
	if got := seen.all(); !slices.Equal(got, events) {
		t.Errorf("the channel saw %q", got)
	}
}

func waitsForJoin(t *testing.T, s *server) {
	entered, gate := make(chan struct{}), newGate()
	s.plays("mine", act{join: func(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
		close(entered)
		return roost.NoReply(), gate.pass()
	}})
	c, other := s.open(t), s.open(t)
	c.Join(t, "room:1", "1", "")
	push(t, c, "2", "2", "mine", "phx_join", "")
	receive(t, entered, "join")
	send(t, c, heartbeat("3"), v2(`"1"`, "4", "room:1", "echo", "{}"), v2("null", "5", "nope", "e", "{}"))
	must(t, c.Ping("p"))
	for i := range 3 { // by then the lane has looked at what c sent
		send(t, other, heartbeat(fmt.Sprint(i)))
		other.Expect(t, alive(fmt.Sprint(i)))
	}
	gate.open()
	expectAll(t, c, v2ok(`"2"`, `"2"`, "mine", "{}"), alive("3"))
	// The reply of room:1 comes when its worker is done; what the connection itself answers keeps its order.
	replies := map[string]int{}
	for i := range 3 {
		m := c.Next(t)
		replies[string(m.Payload)] = i
	}
	if len(replies) != 3 || replies["p"] < replies[v2error("null", "5", "nope", unmatched)] {
		t.Errorf("got %v", replies)
	}
}

func repliesInOrder(t *testing.T, s *server) {
	const each = 100
	c := s.open(t)
	c.Join(t, "room:1", "1", "")
	c.Join(t, "room:2", "2", "")
	var out []string
	for i := range each {
		for _, n := range []string{"1", "2"} {
			out = append(out, fmt.Sprintf(`[%q,%d,"room:%s","echo",{}]`, n, i, n))
		}
	}
	send(t, c, out...)
	next := map[string]int{}
	for range 2 * each {
		e := array(t, c)
		topic := string(e[2])
		if want := fmt.Sprint(next[topic]); string(e[1]) != want {
			t.Fatalf("the next reply on %s has ref %s, want %s", topic, e[1], want)
		}
		next[topic]++
	}
	c.ExpectQuiet(t)
}
