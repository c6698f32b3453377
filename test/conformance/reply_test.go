package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/roostgo/roost"
)

// captures routes "mine" to channels that answer nothing and hand over a ref for each message.
func (s *server) captures(t *testing.T) <-chan roost.Ref {
	refs := make(chan roost.Ref, 16)
	s.plays("mine", act{in: func(_ context.Context, k *roost.Socket, _ string, _ roost.Payload) (roost.Reply, error) {
		ref, err := k.Ref()
		must(t, err)
		refs <- ref
		return roost.NoReply(), nil
	}})
	return refs
}

func TestLateReplies(t *testing.T) {
	clause(t, 188, "a late reply carries ref and join_ref", func(t *testing.T, s *server) {
		refs := s.captures(t)
		c := s.open(t)
		send(t, c, v2(`"1"`, `"1"`, "mine", "phx_join", "{}"), v2(`"1"`, `"2"`, "mine", "e", "{}"), v2("null", "3.0", "mine", "e", "{}"))
		c.Expect(t, v2ok(`"1"`, `"1"`, "mine", "{}"))
		first, second := receive(t, refs, "ref"), receive(t, refs, "ref")
		c.ExpectQuiet(t)
		must(t, second.Reply(roost.ReplyError(map[string]int{"n": 2})))
		c.Expect(t, v2error(`"1"`, "3.0", "mine", `{"n":2}`))
		must(t, first.Reply(roost.ReplyStatus("later", nil)))
		c.Expect(t, v2(`"1"`, `"2"`, "mine", "phx_reply", `{"status":"later","response":{}}`))
		must(t, first.Reply(roost.NoReply()))
		must(t, first.Reply(roost.ReplyOK(roost.Bytes{7})))
		c.ExpectBinary(t, []byte("\x01\x01\x01\x04\x0212mineok\x07"))
	})
	clause(t, 188, "a late reply that cannot be encoded is an error", func(t *testing.T, s *server) {
		refs := s.captures(t)
		c := s.open(t)
		c.Join(t, "mine", "1", "")
		push(t, c, "1", "2", "mine", "e", "")
		ref := receive(t, refs, "ref")
		if err := ref.Reply(roost.ReplyOK(oops{})); !errors.Is(err, errWhy) {
			t.Errorf("got %v", err)
		}
		c.ExpectQuiet(t)
	})
	clause(t, 189, "a second late reply is sent too", func(t *testing.T, s *server) {
		refs := s.captures(t)
		c := s.open(t)
		c.Join(t, "mine", "1", "")
		push(t, c, "1", "2", "mine", "e", "")
		ref := receive(t, refs, "ref")
		for i := range 3 {
			must(t, ref.Reply(roost.ReplyOK(i)))
			c.Expect(t, v2ok(`"1"`, `"2"`, "mine", fmt.Sprint(i)))
		}
	})
	clause(t, 190, "any goroutine may reply", func(t *testing.T, s *server) {
		refs := s.captures(t)
		c := s.open(t)
		c.Join(t, "mine", "1", "")
		var wg sync.WaitGroup
		for i := range 10 {
			push(t, c, "1", fmt.Sprint(i), "mine", "e", "")
			ref := receive(t, refs, "ref")
			wg.Go(func() {
				if err := ref.Reply(roost.ReplyOK(nil)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		replied := map[string]bool{}
		for range 10 {
			replied[string(array(t, c)[1])] = true
		}
		if len(replied) != 10 {
			t.Errorf("replies to %q, want to ten messages", sorted(replied))
		}
	})
	clause(t, 191, "outside of a message handler there is no ref", hasNoRef)
}

func hasNoRef(t *testing.T, s *server) {
	var wrong notes
	try := func(k *roost.Socket, where string) {
		if _, err := k.Ref(); !errors.Is(err, roost.ErrNoRef) {
			wrong.add("%s: %v", where, err)
		}
	}
	s.plays("mine", act{
		join: func(_ context.Context, k *roost.Socket, _ roost.Payload) (roost.Reply, error) {
			try(k, "Join")
			return roost.NoReply(), k.SendInfo(0)
		},
		in: func(_ context.Context, k *roost.Socket, event string, _ roost.Payload) (roost.Reply, error) {
			try(k, event)
			return roost.ReplyOK(nil), nil
		},
		info:      func(k *roost.Socket, _ any) error { try(k, "HandleInfo"); return nil },
		intercept: []string{"e"},
		out:       func(k *roost.Socket, _ string, _ roost.Payload) error { try(k, "HandleOut"); return k.Push("e", nil) },
		terminate: func(k *roost.Socket, _ error) { try(k, "Terminate"); must(t, k.Push("terminated", nil)) },
	})
	c := s.open(t)
	c.Join(t, "mine", "1", "")
	send(t, c, v2(`"1"`, "null", "mine", "a message with ref null", "{}"))
	c.Expect(t, v2ok(`"1"`, "null", "mine", "{}")) // the reply that a handler returns is sent all the same
	must(t, s.Endpoint.Broadcast(t.Context(), "mine", "e", nil))
	c.Expect(t, v2(`"1"`, "null", "mine", "e", "{}"))
	push(t, c, "1", "2", "mine", "phx_leave", "")
	until(t, c, v2(`"1"`, "null", "mine", "terminated", "{}"))
	wrong.none(t, "there was a ref")
	if err := (roost.Ref{}).Reply(roost.ReplyOK(nil)); !errors.Is(err, roost.ErrNoRef) {
		t.Errorf("replying to no ref: %v", err)
	}
}
