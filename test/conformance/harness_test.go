package conformance

// How to write a clause
//
//	func TestJoin(t *testing.T) {
//		clause(t, 147, "a join is answered ok", func(t *testing.T, s *server) {
//			c := s.open(t)
//			c.Join(t, "room:1", "1", "")
//		})
//	}
//
// clause runs f as the subtest 147_a_join_is_answered_ok/loops and …/goroutines: once for each engine, in parallel with
// others, against an endpoint of its own behind net/http on 127.0.0.1. A clause may have several calls; it passes when
// all of them do.
//
//	clause(t, number, name, f)                  the default Config
//	clauseWith(t, number, name, configure, f)   configure(c *roost.Config) changes it first
//	clauseOnly(t, number, name, f)              no server: panics at start-up, the PubSub API, …
//
// What s offers (server_test.go, room_test.go, logs_test.go, connects_test.go):
//
//	s.open(t)                      a V2 client, connected      s.openV1(t)         a V1 client
//	s.dial(t, "vsn=2.0.0&a=b")     with this query             s.dialWith(t, query, client.Options{…})
//	s.refused(t, query, opts, 403) a handshake that must be refused; returns the body
//	s.Endpoint                     to broadcast, disconnect, count; s.Endpoint.Channel("mine:*", …) adds test-local channels
//	s.HTTP, s.URL                  http://127.0.0.1:port; ws://127.0.0.1:port/socket/websocket without query
//	s.logs.expect(t, "join_unmatched", "topic", "nope")   waits for a log record with these attributes and returns it
//	s.logs.count("channel_crashed")                       how many there were so far; logging lags behind
//	s.expectLogged(t, 0, "channel_crashed")               how many there are in the end: it shuts the server down
//	s.expectEnd(t, "room:1")       waits until a room of this topic terminated and returns the reason
//	s.another(t, configure)        one more server with the same engine
//	s.connects.expect(t)           what the next Connect saw (parameters, token, info); s.connects.none(t)
//	s.ws("/socket/other")          the ws URL of another path
//
// Routes that are there: "room:*" and "exact", both to the room of room_test.go. Its Join obeys the payload:
// {"reply":X}, {"refuse":X}, {"crash":"why"}, {"panic":"why"}. Its events: echo (replies ok with the payload), refuse
// (replies error with it), status ({"status":S,"response":X}), ignore (no reply), push, broadcast, broadcast_from
// (payload {"event":E,"payload":X}), crash, panic, stop, block (says so with the push "blocked", then waits until
// s.release(topic); then replies ok). Every other event crashes it, as in Phoenix.
//
// Waiting: everything in package client fails after 20 s; nothing sleeps. s ends with the test: connections are shut
// down, and counts that are not zero afterwards fail the test. Goroutines and descriptors are checked once, in TestMain.
//
// clauses.tsv says what each clause is about. A clause that no test names must have a "not yet" or a "deviation" with
// the reason there; one that is tested must not, but may have "deviation tested" with the reason. TestTableIsUpToDate
// holds that against the tests' source and against docs/reference/conformance.md, which
//
//	go run ./test/conformance/table
//
// writes after running the tests.

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/transport/websocket"
)

// clause tests one clause against a server with the default configuration.
func clause(t *testing.T, number int, name string, f func(t *testing.T, s *server)) {
	t.Helper()
	clauseWith(t, number, name, nil, f)
}

// clauseWith tests one clause against a server whose configuration is changed first; configure may be nil.
func clauseWith(t *testing.T, number int, name string, configure func(c *roost.Config), f func(t *testing.T, s *server)) {
	t.Helper()
	clauseOnly(t, number, name, func(t *testing.T) {
		for _, engine := range engines() {
			t.Run(string(engine), func(t *testing.T) {
				t.Parallel()
				f(t, serve(t, engine, configure))
			})
		}
	})
}

// clauseOnly tests one clause without a server.
func clauseOnly(t *testing.T, number int, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(fmt.Sprintf("%03d_%s", number, name), func(t *testing.T) {
		t.Parallel()
		f(t)
	})
}

// engines are those that this system has.
func engines() []websocket.Engine {
	if runtime.GOOS == "linux" {
		return []websocket.Engine{websocket.EventLoops, websocket.Goroutines}
	}
	return []websocket.Engine{websocket.Goroutines}
}
