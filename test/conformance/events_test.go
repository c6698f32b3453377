package conformance

import (
	"net/http"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

func TestConnectEvent(t *testing.T) {
	clauseWith(t, 279, "once for each connect that was decided", sameHost, func(t *testing.T, s *server) {
		s.open(t)
		s.openV1(t)
		s.refused(t, "vsn=9.0.0", client.Options{}, http.StatusForbidden)
		s.refuses(t, "http://evil.org")
		s.expectLogged(t, 2, "socket_connected")
		s.expectLogged(t, 1, "socket_connected", "result", "ok", "serializer", "v1", "transport", "websocket")
		s.expectLogged(t, 1, "socket_connected", "result", "ok", "serializer", "v2")
	})
	clauseWith(t, 279, "refused ones, too", deciding(roost.ErrRefused), func(t *testing.T, s *server) {
		s.refused(t, "vsn=2.0.0", client.Options{}, http.StatusForbidden)
		s.expectLogged(t, 1, "socket_connected")
		s.expectLogged(t, 1, "socket_connected", "result", "error")
	})
}

func TestJoinEvent(t *testing.T) {
	clauseWith(t, 280, "once for each join that was decided", func(c *roost.Config) { c.MaxChannels = 1 }, func(t *testing.T, s *server) {
		c := s.open(t)
		for i, join := range []struct{ topic, payload string }{
			{"nowhere", "{}"}, {"room:crash", `{"crash":"now"}`}, {"room:panic", `{"panic":"now"}`},
			{"room:no", `{"refuse":{}}`}, {"room:yes", "{}"}, {"room:over", "{}"},
		} {
			ref := string(rune('a' + i))
			must(t, c.Push(ref, ref, join.topic, "phx_join", join.payload))
			c.Next(t)
		}
		s.expectLogged(t, 2, "channel_joined")
		s.expectLogged(t, 1, "channel_joined", "topic", "room:no", "result", "error")
		s.expectLogged(t, 1, "channel_joined", "topic", "room:yes", "result", "ok")
	})
}

func TestMessageEvent(t *testing.T) {
	clause(t, 281, "once for each message that was handled", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		c.Join(t, "room:2", "2", "")
		send(t, c, v2(`"1"`, `"3"`, "room:1", "echo", "{}"), v2(`"1"`, `"4"`, "room:1", "ignore", "{}"), v2(`"1"`, `"5"`, "room:1", "phx_leave", "{}"))
		expectAll(t, c, v2ok(`"1"`, `"3"`, "room:1", "{}"), v2ok(`"1"`, `"5"`, "room:1", "{}"), closed(`"1"`, "room:1"))
		send(t, c, v2(`"2"`, `"6"`, "room:2", "crash", "{}"))
		expectAll(t, c, crashed(`"2"`, "room:2"))
		s.expectLogged(t, 2, "channel_handled_in")
		s.expectLogged(t, 1, "channel_handled_in", "topic", "room:1", "event", "echo")
		s.expectLogged(t, 1, "channel_handled_in", "topic", "room:1", "event", "ignore")
	})
}

func TestUnmatchedTopicInTheLog(t *testing.T) {
	clause(t, 287, "a join is a warning, a push is nothing", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, v2("null", `"1"`, "nowhere", "hello", "{}"))
		expectAll(t, c, v2error("null", `"1"`, "nowhere", unmatched))
		send(t, c, v2("null", `"2"`, "nowhere", "phx_join", "{}"))
		expectAll(t, c, v2error("null", `"2"`, "nowhere", unmatched))
		if r := s.logs.expect(t, "join_unmatched", "topic", "nowhere"); r.Level.String() != "WARN" {
			t.Fatalf("got %v, want a warning", r)
		}
		if all, _ := s.logs.snapshot(); len(all) != 2 { // socket_connected and the join, in this order
			t.Fatalf("a push to a topic that is not joined is logged: %v", all)
		}
	})
}
