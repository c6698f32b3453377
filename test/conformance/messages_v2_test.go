package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/wire"
)

// anyJSON is JSON of every type, spelled so that a careless relay changes it.
var anyJSON = []string{
	`null`, `true`, `false`, `0`, `-1.50e+03`, `123456789012345678901234567890`, `"text"`, `"\u00fc<&>\/\ud83d\ude00"`, `""`,
	`[]`, `[1,[2,{"a":null}]]`, `{}`, `{"a":1,"b":{"c":[]}}`, `{ "spaced" :  [ 1 , 2 ] }`,
}

func TestV2Messages(t *testing.T) {
	clause(t, 98, "server messages are arrays of five", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c,
			heartbeat(`"0"`), v2(`"1"`, `"1"`, "room:1", "phx_join", "{}"), v2(`"1"`, `"2"`, "room:1", "echo", "{}"),
			v2(`"1"`, `"3"`, "room:1", "push", `{"event":"e","payload":{}}`),
			v2(`"1"`, `"4"`, "room:1", "broadcast", `{"event":"e","payload":{}}`),
			v2(`"1"`, `"5"`, "room:1", "crash", "{}"), v2("null", `"6"`, "nope", "phx_join", "{}"),
			v2(`"7"`, `"7"`, "room:2", "phx_join", "{}"), v2(`"7"`, `"8"`, "room:2", "phx_leave", "{}"),
		)
		for range 10 {
			if e := array(t, c); len(e) != 5 {
				t.Errorf("%d elements: %s", len(e), e)
			}
		}
	})
	clause(t, 99, "extra elements are ignored", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, `["1","1","room:1","phx_join",{},6,{"seven":[]},"VIII",null]`)
		c.Expect(t, v2ok(`"1"`, `"1"`, "room:1", "{}"))
	})
	for name, text := range map[string]string{
		"four elements": `["1","1","room:1","phx_join"]`, "no elements": `[]`,
	} {
		clause(t, 100, name+" close with 1011", func(t *testing.T, s *server) { closesWith1011(t, s.open(t), text) })
	}
	clause(t, 101, "an object closes with 1011", func(t *testing.T, s *server) {
		closesWith1011(t, s.open(t), v1("phoenix", "heartbeat", `"1"`, "{}"))
	})
	clause(t, 102, "ref keeps its JSON type", func(t *testing.T, s *server) {
		c := s.open(t)
		for _, ref := range append([]string{`7`, `"7"`, `1.0`}, anyJSON...) {
			send(t, c, heartbeat(ref), v2(`"9"`, ref, "room:1", "phx_leave", "{}"))
			expectAll(t, c, alive(ref), v2ok(`"9"`, ref, "room:1", "{}"))
		}
	})
	clause(t, 103, "a number and a string differ as join_ref", func(t *testing.T, s *server) {
		for _, joinRef := range []string{`1`, `"1"`} {
			other := map[string]string{`1`: `"1"`, `"1"`: `1`}[joinRef]
			c := s.open(t)
			send(t, c, v2(joinRef, `"a"`, "room:1", "phx_join", "{}"),
				v2(other, `"b"`, "room:1", "echo", "{}"), v2(joinRef, `"c"`, "room:1", "echo", "{}"))
			expectAll(t, c, v2ok(joinRef, `"a"`, "room:1", "{}"), v2ok(joinRef, `"c"`, "room:1", "{}"))
		}
	})
	clause(t, 104, "a push has the join_ref and no ref", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		push(t, c, "1", "2", "room:1", "push", `{"event":"news","payload":{"a":[1]}}`)
		c.Expect(t, `["1",null,"room:1","news",{"a":[1]}]`)
	})
	clause(t, 105, "a broadcast has neither join_ref nor ref", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		must(t, s.Endpoint.Broadcast(t.Context(), "room:1", "news", map[string]int{"a": 1}))
		c.Expect(t, `[null,null,"room:1","news",{"a":1}]`)
	})
	clause(t, 106, "a reply has status and response and nothing more", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		for _, event := range []string{"echo", "refuse"} {
			push(t, c, "1", "2", "room:1", event, `{"a":1}`)
			e := array(t, c)
			var payload map[string]json.RawMessage
			must(t, json.Unmarshal(e[4], &payload))
			if keys := strings.Join(sorted(payload), " "); string(e[3]) != `"phx_reply"` || keys != "response status" {
				t.Errorf("%s has the keys %q", e, keys)
			}
		}
	})
	clause(t, 107, "a reply without a value has the response {}", func(t *testing.T, s *server) {
		s.plays("mine", act{in: func(context.Context, *roost.Socket, string, roost.Payload) (roost.Reply, error) {
			return roost.ReplyOK(nil), nil
		}})
		c := s.open(t)
		c.Join(t, "mine", "1", "")
		push(t, c, "1", "2", "mine", "e", "")
		c.Expect(t, v2ok(`"1"`, `"2"`, "mine", "{}"))
	})
	clause(t, 108, "a response may be any JSON", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		for _, value := range anyJSON {
			send(t, c, v2(`"1"`, `"2"`, "room:1", "echo", value), v2(`"1"`, `"3"`, "room:1", "refuse", value))
			expectAll(t, c, v2ok(`"1"`, `"2"`, "room:1", value), v2error(`"1"`, `"3"`, "room:1", value))
		}
	})
	clause(t, 109, "a status may be any string", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		for _, status := range []string{`"later"`, `"OK"`, `"ü \"quoted\""`, `"timeout"`} {
			send(t, c, v2(`"1"`, `"2"`, "room:1", "status", `{"status":`+status+`,"response":{"a":1}}`))
			c.Expect(t, v2(`"1"`, `"2"`, "room:1", "phx_reply", `{"status":`+status+`,"response":{"a":1}}`))
		}
	})
	clause(t, 110, "pushing what is no object crashes the channel", pushesNoObject)
	clause(t, 111, "broadcasting what is no object fails at the caller", broadcastsNoObject)
	clause(t, 112, "payloads reach HandleIn as they are", func(t *testing.T, s *server) {
		got := make(chan string, 1)
		s.plays("mine", act{in: func(_ context.Context, _ *roost.Socket, _ string, p roost.Payload) (roost.Reply, error) {
			got <- string(p.Bytes())
			return roost.NoReply(), nil
		}})
		c := s.open(t)
		c.Join(t, "mine", "1", "")
		for _, value := range anyJSON {
			push(t, c, "1", "2", "mine", "e", "") // other bytes in the transport's buffer
			receive(t, got, "payload")
			send(t, c, v2(`"1"`, `"3"`, "mine", "e", value))
			if p := receive(t, got, "payload"); p != value {
				t.Errorf("%s came as %s", value, p)
			}
		}
	})
	clause(t, 113, "a join's payload may be null", func(t *testing.T, s *server) {
		s.Endpoint.Channel("typed", roost.ChannelOf(func(*typed, context.Context, *roost.Socket, *greeting) (roost.Reply, error) {
			return roost.NoReply(), nil
		}))
		c := s.open(t)
		send(t, c, v2(`"1"`, `"1"`, "room:1", "phx_join", "null"), v2(`"2"`, `"2"`, "typed", "phx_join", "null"))
		expectAll(t, c, v2ok(`"1"`, `"1"`, "room:1", "{}"), v2ok(`"2"`, `"2"`, "typed", "{}"))
	})
}

// closesWith1011 sends what is no message: nothing else is answered.
func closesWith1011(t *testing.T, c *client.Conn, text string) {
	t.Helper()
	send(t, c, text)
	c.ExpectClose(t, 1011)
	c.ExpectEOF(t)
}

func pushesNoObject(t *testing.T, s *server) {
	c := s.open(t)
	for _, value := range []string{`null`, `true`, `7`, `"text"`, `[]`, `[{}]`} {
		send(t, c, v2(`"1"`, `"1"`, "room:1", "phx_join", "{}"), v2(`"1"`, `"2"`, "room:1", "push", `{"event":"e","payload":`+value+`}`))
		c.Expect(t, v2ok(`"1"`, `"1"`, "room:1", "{}"))
		if m := c.Next(t); !client.SameJSON(t, string(m.Payload), crashed(`"1"`, "room:1")) {
			t.Errorf("%s: got %v, want phx_error", value, m)
		}
	}
	s.logs.expect(t, "channel_crashed", "topic", "room:1")
}

func broadcastsNoObject(t *testing.T, s *server) {
	errs := make(chan error, 1)
	s.plays("mine", act{in: func(ctx context.Context, s *roost.Socket, _ string, p roost.Payload) (roost.Reply, error) {
		errs <- s.Broadcast(ctx, "bad", p)
		return roost.NoReply(), s.Broadcast(ctx, "good", nil)
	}})
	one, two := s.open(t), s.open(t)
	one.Join(t, "mine", "1", "")
	two.Join(t, "mine", "2", "")
	for _, value := range []string{`null`, `false`, `7`, `"text"`, `[1]`} {
		if err := s.Endpoint.Broadcast(t.Context(), "mine", "bad", json.RawMessage(value)); !errors.Is(err, wire.ErrNotObject) {
			t.Errorf("the endpoint's broadcast of %s: %v", value, err)
		}
		push(t, one, "1", "2", "mine", "e", value)
		if err := receive(t, errs, "error"); !errors.Is(err, wire.ErrNotObject) {
			t.Errorf("the channel's broadcast of %s: %v", value, err)
		}
		for _, c := range []*client.Conn{one, two} {
			c.Expect(t, v2("null", "null", "mine", "good", "{}"))
		}
	}
}
