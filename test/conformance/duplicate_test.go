package conformance

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

// casts routes a pattern to channels that know how many there were before them.
func (s *server) casts(pattern string, role func(n int) act) {
	var n atomic.Int32
	s.Endpoint.Channel(pattern, func() roost.Channel {
		a := role(int(n.Add(1)))
		return &a
	})
}

// numbered is the n-th instance of a topic: it says so when asked, and right after its join.
func numbered(n int) act {
	return act{
		join: func(_ context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
			return roost.NoReply(), s.SendInfo(n)
		},
		info: func(s *roost.Socket, info any) error { return s.Push("hello", map[string]any{"n": info}) },
		in: func(context.Context, *roost.Socket, string, roost.Payload) (roost.Reply, error) {
			return roost.ReplyOK(n), nil
		},
	}
}

// joinsTwice joins a topic of numbered channels with the join_refs 1 and 2, and reads what comes before the first one's
// end.
func joinsTwice(t *testing.T, s *server) *client.Conn {
	t.Helper()
	s.casts("mine", numbered)
	c := s.open(t)
	push(t, c, "1", "1", "mine", "phx_join", "")
	expectAll(t, c, v2ok(`"1"`, `"1"`, "mine", "{}"), v2(`"1"`, "null", "mine", "hello", `{"n":1}`))
	push(t, c, "2", "2", "mine", "phx_join", "")
	c.Expect(t, v2ok(`"2"`, `"2"`, "mine", "{}")) // clause 162
	return c
}

func TestDuplicateJoin(t *testing.T) {
	clause(t, 161, "the second join replaces the first", func(t *testing.T, s *server) {
		c := joinsTwice(t, s)
		push(t, c, "2", "3", "mine", "who", "")
		expectAll(t, c, closed(`"1"`, "mine"), v2(`"2"`, "null", "mine", "hello", `{"n":2}`), v2ok(`"2"`, `"3"`, "mine", "2"))
		if n := s.Endpoint.PubSub().Subscribers("mine"); n != 1 {
			t.Errorf("the topic has %d subscriptions, want one", n)
		}
		s.logs.expect(t, "duplicate_join", "topic", "mine")
	})
	clause(t, 162, "the new answer comes before the old end", func(t *testing.T, s *server) {
		c := joinsTwice(t, s)
		c.Expect(t, closed(`"1"`, "mine"))
	})
	clause(t, 163, "the end has the old join_ref twice", func(t *testing.T, s *server) {
		for _, old := range []string{`"1"`, `"2"`, `7`, `null`} {
			c := s.open(t)
			send(t, c, v2(old, `"8"`, "room:1", "phx_join", "{}"), v2(`"9"`, `"9"`, "room:1", "phx_join", "{}"))
			expectAll(t, c, v2ok(old, `"8"`, "room:1", "{}"), v2ok(`"9"`, `"9"`, "room:1", "{}"), closed(old, "room:1"))
		}
	})
	clause(t, 164, "the new one's pushes come after the old end", func(t *testing.T, s *server) {
		c := joinsTwice(t, s)
		expectAll(t, c, closed(`"1"`, "mine"), v2(`"2"`, "null", "mine", "hello", `{"n":2}`))
	})
	clause(t, 164, "broadcasts to the new one come after the old end", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		for i := 2; i < 30; i++ {
			published := make(chan error, 1)
			go func() { published <- s.Endpoint.Broadcast(context.Background(), "room:1", "e", nil) }()
			ref, old := fmt.Sprintf(`"%d"`, i), fmt.Sprintf(`"%d"`, i-1)
			send(t, c, v2(ref, ref, "room:1", "phx_join", "{}"))
			until(t, c, v2ok(ref, ref, "room:1", "{}"))
			c.Expect(t, closed(old, "room:1"))
			must(t, receive(t, published, "broadcast"))
		}
	})
	clause(t, 165, "the replaced channel gets no phx_error", func(t *testing.T, s *server) {
		c := joinsTwice(t, s)
		expectAll(t, c, closed(`"1"`, "mine"), v2(`"2"`, "null", "mine", "hello", `{"n":2}`))
		c.ExpectQuiet(t)
		s.expectLogged(t, 0, "channel_crashed")
	})
	clause(t, 166, "the replaced channel does not run Terminate", replacesQuietly)
	clause(t, 166, "a busy channel is replaced and says nothing more", replacesBusyChannel)
	clause(t, 161, "the second join may be refused and the first is gone", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		send(t, c, v2(`"2"`, `"2"`, "room:1", "phx_join", `{"refuse":{"a":1}}`), v2(`"1"`, `"3"`, "room:1", "echo", "{}"))
		expectAll(t, c, v2error(`"2"`, `"2"`, "room:1", `{"a":1}`), closed(`"1"`, "room:1"), v2error("null", `"3"`, "room:1", unmatched))
	})
}

func replacesQuietly(t *testing.T, s *server) {
	var ends notes
	s.casts("mine", func(n int) act {
		a := numbered(n)
		a.terminate = func(_ *roost.Socket, reason error) { ends.add("%d: %v", n, reason) }
		return a
	})
	c := s.open(t)
	for i := 1; i <= 5; i++ {
		ref := fmt.Sprintf(`"%d"`, i)
		send(t, c, v2(ref, ref, "mine", "phx_join", "{}"))
		until(t, c, v2(ref, "null", "mine", "hello", fmt.Sprintf(`{"n":%d}`, i)))
	}
	c.Drop()
	s.shutdown(t)
	if got := ends.all(); len(got) != 1 || got[0][:2] != "5:" {
		t.Errorf("terminated: %q, want the last one only", got)
	}
}

// replacesBusyChannel replaces a channel whose handler waits for its context.
func replacesBusyChannel(t *testing.T, s *server) {
	var ends notes
	errs := make(chan error, 2)
	s.casts("mine", func(n int) act {
		a := numbered(n)
		a.in = func(ctx context.Context, k *roost.Socket, _ string, _ roost.Payload) (roost.Reply, error) {
			if n > 1 {
				return roost.ReplyOK(n), nil
			}
			must(t, k.Push("busy", nil))
			<-ctx.Done()
			errs <- k.Push("too late", nil)
			errs <- k.Broadcast(ctx, "too late", nil)
			return roost.ReplyOK("too late"), errWhy
		}
		a.terminate = func(*roost.Socket, error) { ends.add("%d", n) }
		return a
	})
	c := s.open(t)
	send(t, c, v2(`"1"`, `"1"`, "mine", "phx_join", "{}"), v2(`"1"`, `"2"`, "mine", "block", "{}"), v2(`"1"`, `"3"`, "mine", "queued", "{}"))
	expectAll(t, c, v2ok(`"1"`, `"1"`, "mine", "{}"), v2(`"1"`, "null", "mine", "hello", `{"n":1}`), v2(`"1"`, "null", "mine", "busy", "{}"))
	send(t, c, v2(`"4"`, `"4"`, "mine", "phx_join", "{}"))
	expectAll(t, c, v2ok(`"4"`, `"4"`, "mine", "{}"), closed(`"1"`, "mine"), v2(`"4"`, "null", "mine", "hello", `{"n":2}`))
	for range 2 {
		if err := receive(t, errs, "error"); err == nil {
			t.Error("a replaced channel could push")
		}
	}
	send(t, c, v2(`"4"`, `"5"`, "mine", "who", "{}"))
	c.Expect(t, v2ok(`"4"`, `"5"`, "mine", "2"))
	c.Drop()
	s.shutdown(t)
	if got := fmt.Sprint(ends.all()); got != "[2]" {
		t.Errorf("terminated: %s, want the second only", got)
	}
	s.expectLogged(t, 1, "channel_crashed", "error", errWhy.Error()) // what it failed with is not lost
}

func TestStaleMessages(t *testing.T) {
	clause(t, 167, "another join_ref is dropped", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "5", "")
		for _, stale := range []string{`"4"`, `"6"`, `5`, `""`, `"5 "`, `["5"]`, `false`} {
			send(t, c, v2(stale, `"7"`, "room:1", "echo", "{}"), v2(stale, `"8"`, "room:1", "crash", "{}"))
		}
		send(t, c, v2(`"5"`, `"9"`, "room:1", "echo", "{}"), v2(`"\u0035"`, `"10"`, "room:1", "echo", "{}"))
		expectAll(t, c, v2ok(`"5"`, `"9"`, "room:1", "{}"), v2ok(`"5"`, `"10"`, "room:1", "{}"))
	})
	clause(t, 168, "a leave with another join_ref is ignored", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		send(t, c, v2(`"0"`, `"2"`, "room:1", "phx_leave", "{}"), v2(`"1"`, `"3"`, "room:1", "echo", "{}"))
		c.Expect(t, v2ok(`"1"`, `"3"`, "room:1", "{}"))
	})
	clause(t, 169, "join_ref null is accepted", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		send(t, c, v2("null", `"2"`, "room:1", "echo", "{}"))
		c.Expect(t, v2ok(`"1"`, `"2"`, "room:1", "{}"))
		send(t, c, v2("null", `"3"`, "room:1", "phx_leave", "{}"))
		expectAll(t, c, v2ok(`"1"`, `"3"`, "room:1", "{}"), closed(`"1"`, "room:1"))
	})
	clause(t, 170, "leave and join at once", leavesAndJoins)
	clause(t, 167, "a rejoin's predecessor is not listened to", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, v2(`"1"`, `"1"`, "room:1", "phx_join", "{}"), v2(`"2"`, `"2"`, "room:1", "phx_join", "{}"),
			v2(`"1"`, `"3"`, "room:1", "echo", "{}"), v2(`"1"`, `"4"`, "room:1", "phx_leave", "{}"), v2(`"2"`, `"5"`, "room:1", "echo", "{}"))
		expectAll(t, c, v2ok(`"1"`, `"1"`, "room:1", "{}"), v2ok(`"2"`, `"2"`, "room:1", "{}"), closed(`"1"`, "room:1"),
			v2ok(`"2"`, `"5"`, "room:1", "{}"))
	})
}

// leavesAndJoins leaves and joins in one write: the answer to the leave may be lost, or come late, the rest may not.
func leavesAndJoins(t *testing.T, s *server) {
	c := s.open(t)
	c.Join(t, "room:1", "0", "")
	came := map[string]int{}
	var known []string
	until := func(want ...string) {
		known = append(known, want...)
		for slices.ContainsFunc(want, func(w string) bool { return came[w] == 0 }) {
			m := string(c.Next(t).Payload)
			i := slices.IndexFunc(known, func(k string) bool { return client.SameJSON(t, m, k) })
			if i < 0 || came[known[i]] > 0 {
				t.Fatalf("got %s", m)
			}
			came[known[i]]++
		}
	}
	for i := 1; i <= 30; i++ {
		ref, old := fmt.Sprintf(`"%d"`, i), fmt.Sprintf(`"%d"`, i-1)
		known = append(known, v2ok(old, `"leave"`, "room:1", "{}"))
		send(t, c, v2(old, `"leave"`, "room:1", "phx_leave", "{}"), v2(ref, ref, "room:1", "phx_join", "{}"))
		until(closed(old, "room:1"), v2ok(ref, ref, "room:1", "{}"))
		send(t, c, v2(ref, `"echo"`, "room:1", "echo", "{}"))
		until(v2ok(ref, `"echo"`, "room:1", "{}"))
	}
	s.expectLogged(t, 0, "channel_crashed")
}
