package conformance

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/roostgo/roost"
)

func TestV1Messages(t *testing.T) {
	clause(t, 114, "server messages have exactly four keys", func(t *testing.T, s *server) {
		for _, m := range everyV1Message(t, s) {
			if keys := sorted(m); !slices.Equal(keys, []string{"event", "payload", "ref", "topic"}) {
				t.Errorf("the keys are %q: %s", keys, m)
			}
		}
	})
	clause(t, 115, "server messages have no join_ref", func(t *testing.T, s *server) {
		for _, m := range everyV1Message(t, s) {
			if _, ok := m["join_ref"]; ok {
				t.Errorf("there is a join_ref: %s", m)
			}
		}
	})
	clause(t, 116, "without ref the connection closes", func(t *testing.T, s *server) {
		for _, text := range []string{
			`{"topic":"room:1","event":"phx_join","payload":{}}`, `{"topic":"t","event":"e","payload":{},"REF":null}`,
			`{"event":"e","payload":{},"ref":null}`, `{"topic":"t","payload":{},"ref":null}`, `{"topic":"t","event":"e","ref":null}`, `{}`,
		} {
			closesWith1011(t, s.openV1(t), text)
		}
	})
	clause(t, 116, "a ref may be null", func(t *testing.T, s *server) {
		c := s.openV1(t)
		send(t, c, v1("room:1", "phx_join", "null", "{}"), v1("room:1", "echo", "null", `{"a":1}`))
		expectAll(t, c, v1ok("room:1", "null", "{}"), v1ok("room:1", "null", `{"a":1}`))
	})
	clause(t, 117, "an array closes the connection", func(t *testing.T, s *server) {
		closesWith1011(t, s.openV1(t), heartbeat(`"1"`))
	})
	clause(t, 118, "a join_ref is tracked", func(t *testing.T, s *server) {
		c := s.openV1(t)
		withJoinRef := func(joinRef, ref string) string {
			return `{"join_ref":` + joinRef + `,` + v1("room:1", "echo", ref, "{}")[1:]
		}
		send(t, c, `{"join_ref":"1",`+v1("room:1", "phx_join", `"1"`, "{}")[1:],
			withJoinRef(`"0"`, `"stale"`), withJoinRef(`1`, `"a number"`),
			withJoinRef(`"1"`, `"same"`), withJoinRef(`null`, `"null"`), v1("room:1", "echo", `"none"`, "{}"))
		expectAll(t, c, v1ok("room:1", `"1"`, "{}"),
			v1ok("room:1", `"same"`, "{}"), v1ok("room:1", `"null"`, "{}"), v1ok("room:1", `"none"`, "{}"))
	})
	clause(t, 118, "phx_close says which channel ended", func(t *testing.T, s *server) {
		for joinRef, ref := range map[string]string{`"join_ref":"7",`: `"7"`, ``: `null`} {
			c := s.openV1(t)
			send(t, c, `{`+joinRef+v1("room:1", "phx_join", `"1"`, "{}")[1:], v1("room:1", "phx_leave", `"2"`, "{}"))
			expectAll(t, c, v1ok("room:1", `"1"`, "{}"), v1ok("room:1", `"2"`, "{}"), v1("room:1", "phx_close", ref, "{}"))
		}
	})
	clause(t, 119, "a binary frame is read as JSON", func(t *testing.T, s *server) {
		c := s.openV1(t)
		must(t, c.SendBinary([]byte(v1("room:1", "phx_join", `"1"`, `{"reply":{"a":1}}`))))
		c.Expect(t, v1ok("room:1", `"1"`, `{"a":1}`))
		must(t, c.SendBinary(binaryPush("1", "2", "room:1", "echo", 1, 2)))
		c.ExpectClose(t, 1011)
		c.ExpectEOF(t)
	})
	clause(t, 120, "a push may be any JSON", func(t *testing.T, s *server) {
		c := s.openV1(t)
		send(t, c, v1("room:1", "phx_join", `"1"`, "{}"))
		c.Expect(t, v1ok("room:1", `"1"`, "{}"))
		for _, value := range anyJSON {
			send(t, c, v1("room:1", "push", `"2"`, `{"event":"e","payload":`+value+`}`))
			c.Expect(t, v1("room:1", "e", "null", value))
		}
	})
	clause(t, 120, "a broadcast among V1 clients may be any JSON", func(t *testing.T, s *server) {
		elsewhere := s.open(t) // a V2 client in another room
		elsewhere.Join(t, "room:2", "1", "")
		c := s.openV1(t)
		send(t, c, v1("room:1", "phx_join", `"1"`, "{}"))
		c.Expect(t, v1ok("room:1", `"1"`, "{}"))
		for _, value := range anyJSON {
			must(t, s.Endpoint.Broadcast(t.Context(), "room:1", "e", json.RawMessage(value)))
			c.Expect(t, v1("room:1", "e", "null", value))
		}
	})
	clause(t, 121, "a broadcast has ref null", func(t *testing.T, s *server) {
		c := s.openV1(t)
		send(t, c, `{"join_ref":"1",`+v1("room:1", "phx_join", `"1"`, "{}")[1:])
		c.Expect(t, v1ok("room:1", `"1"`, "{}"))
		must(t, s.Endpoint.Broadcast(t.Context(), "room:1", "e", map[string]int{"a": 1}))
		c.Expect(t, v1("room:1", "e", "null", `{"a":1}`))
	})
	clause(t, 114, "a client without vsn joins, pushes and leaves", func(t *testing.T, s *server) {
		c := s.dial(t, "")
		send(t, c, v1("room:1", "phx_join", `"1"`, "{}"), v1("room:1", "echo", `"2"`, `{"a":1}`), v1("room:1", "phx_leave", `"3"`, "{}"))
		expectAll(t, c, v1ok("room:1", `"1"`, "{}"), v1ok("room:1", `"2"`, `{"a":1}`), v1ok("room:1", `"3"`, "{}"),
			v1("room:1", "phx_close", "null", "{}"))
	})
}

// everyV1Message has the server say everything that it says to a V1 client that sends join_refs.
func everyV1Message(t *testing.T, s *server) (messages []map[string]json.RawMessage) {
	t.Helper()
	s.plays("mine", act{
		in: func(ctx context.Context, s *roost.Socket, event string, p roost.Payload) (roost.Reply, error) {
			must(t, s.Push("pushed", p))
			must(t, s.Broadcast(ctx, "broadcast", p))
			if event == "crash" {
				return roost.ReplyError(p), errWhy
			}
			return roost.ReplyOK(p), nil
		},
	})
	c := s.openV1(t)
	joinRef := func(text string) string { return `{"join_ref":"1",` + text[1:] }
	send(t, c, joinRef(v1("phoenix", "heartbeat", `"0"`, "{}")), joinRef(v1("mine", "phx_join", `"1"`, "{}")), joinRef(v1("mine", "e", `"2"`, "7")))
	messages = objects(t, c, 5)
	send(t, c, joinRef(v1("mine", "phx_leave", `"3"`, "{}")))
	messages = append(messages, objects(t, c, 2)...)
	send(t, c, joinRef(v1("mine", "phx_join", `"1"`, "{}")), joinRef(v1("mine", "crash", `"4"`, "{}")))
	messages = append(messages, objects(t, c, 5)...)
	send(t, c, joinRef(v1("mine", "e", `"5"`, "{}")), joinRef(v1("nope", "phx_join", `"6"`, "{}")), joinRef(v1("mine", "phx_leave", `"7"`, "{}")))
	return append(messages, objects(t, c, 3)...)
}
