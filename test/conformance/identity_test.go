package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
)

// identified gives a connection the id that its query says.
func identified(c *roost.Config) {
	c.Connect = func(_ context.Context, k *roost.Connect) error {
		k.ID, _ = k.Params["id"].(string)
		return nil
	}
}

// openAs connects a V2 client with an id.
func (s *server) openAs(t *testing.T, id string) *client.Conn {
	t.Helper()
	return s.dial(t, "vsn=2.0.0&id="+id)
}

// gone expects the close of a disconnected connection, and nothing before it.
func gone(t *testing.T, clients ...*client.Conn) {
	t.Helper()
	for _, c := range clients {
		c.ExpectClose(t, 1001)
		c.ExpectEOF(t)
	}
}

func TestDisconnect(t *testing.T) {
	clauseWith(t, 202, "every connection with the id ends on all nodes", identified, func(t *testing.T, s *server) {
		members := s.cluster(t, identified, "a", "b")
		var ann, others []*client.Conn
		for _, m := range members {
			ann = append(ann, m.openAs(t, "ann"), m.openAs(t, "ann"))
			others = append(others, m.openAs(t, "bob"), m.openAs(t, ""), m.openAs(t, "ann:2"))
		}
		ann[0].Join(t, "room:1", "1", "")
		must(t, members[0].Endpoint.Disconnect(t.Context(), "ann"))
		gone(t, ann...)
		for _, c := range others {
			c.ExpectQuiet(t)
		}
		if reason := members[0].expectEnd(t, "room:1"); !errors.Is(reason, roost.ErrClosed) || !errors.Is(reason, transport.ErrServerClosed) {
			t.Errorf("terminated with %v", reason)
		}
	})
	clauseWith(t, 202, "a disconnected client may come back", identified, func(t *testing.T, s *server) {
		for range 5 {
			c := s.openAs(t, "ann")
			c.Join(t, "room:1", "1", "")
			must(t, s.Endpoint.Disconnect(t.Context(), "ann"))
			gone(t, c)
		}
	})
	clause(t, 202, "a client that is disconnected while it connects", func(t *testing.T, s *server) {
		h := s.hook(t, identified, func(h *server, id string) { must(t, h.Endpoint.Disconnect(context.Background(), id)) })
		gone(t, h.openAs(t, "ann"))
	})
	clauseWith(t, 203, "the payload does not matter", identified, func(t *testing.T, s *server) {
		for _, payload := range []any{nil, map[string]int{"a": 1}, roost.Bytes{1}, json.RawMessage(`"text"`), []int{1}} {
			c := s.openAs(t, "ann")
			must(t, s.Endpoint.Broadcast(t.Context(), "ann", "disconnect", payload))
			gone(t, c)
		}
	})
	clauseWith(t, 204, "other events do nothing", identified, func(t *testing.T, s *server) {
		c := s.openAs(t, "ann")
		for _, event := range []string{"Disconnect", "disconnected", "e", "", "phx_close", "phx_drain"} {
			must(t, s.Endpoint.Broadcast(t.Context(), "ann", event, nil))
		}
		c.ExpectQuiet(t)
	})
	clauseWith(t, 205, "a connection without id stays", identified, func(t *testing.T, s *server) {
		c := s.openAs(t, "")
		for _, id := range []string{"", "ann", "null"} {
			must(t, s.Endpoint.Disconnect(t.Context(), id))
		}
		c.ExpectQuiet(t)
	})
	clauseWith(t, 206, "the channels are told nothing", identified, func(t *testing.T, s *server) {
		c := s.openAs(t, "ann")
		c.Join(t, "room:1", "1", "")
		c.Join(t, "room:2", "2", "")
		push(t, c, "2", "3", "room:2", "block", "")
		c.Expect(t, v2(`"2"`, "null", "room:2", "blocked", "{}"))
		must(t, s.Endpoint.Disconnect(t.Context(), "ann"))
		gone(t, c)
		s.release("room:2")
	})
	clauseWith(t, 206, "what was said before is still sent", identified, func(t *testing.T, s *server) {
		c := s.openAs(t, "ann")
		c.Join(t, "room:1", "1", "")
		must(t, s.Endpoint.Broadcast(t.Context(), "room:1", "last words", nil))
		must(t, s.Endpoint.Disconnect(t.Context(), "ann"))
		c.Expect(t, news("room:1", "last words"))
		gone(t, c)
	})
	clauseWith(t, 207, "disconnect on a joined topic is a message", identified, func(t *testing.T, s *server) {
		c := s.openAs(t, "ann")
		c.Join(t, "room:1", "1", "")
		must(t, s.Endpoint.Broadcast(t.Context(), "room:1", "disconnect", nil))
		c.Expect(t, news("room:1", "disconnect"))
		push(t, c, "1", "2", "room:1", "broadcast", `{"event":"disconnect","payload":{}}`)
		c.Expect(t, news("room:1", "disconnect"))
	})
}
