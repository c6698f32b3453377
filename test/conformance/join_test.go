package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

// joinCrashed is the response to a join that failed.
const joinCrashed = `{"reason":"join crashed"}`

func TestJoin(t *testing.T) {
	clause(t, 147, "a join is answered ok", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, `["1","2","room:1","phx_join",{}]`)
		c.Expect(t, `["1","2","room:1","phx_reply",{"status":"ok","response":{}}]`)
	})
	clause(t, 148, "a join's reply is the response", func(t *testing.T, s *server) {
		c := s.open(t)
		for i, value := range anyJSON {
			topic := fmt.Sprint("room:", i)
			send(t, c, v2(`"1"`, `"1"`, topic, "phx_join", `{"reply":`+value+`}`))
			c.Expect(t, v2ok(`"1"`, `"1"`, topic, value))
		}
	})
	clause(t, 148, "a typed join decodes its payload", func(t *testing.T, s *server) {
		s.Endpoint.Channel("typed", newTyped(make(chan error, 1)))
		c := s.open(t)
		if r := c.Join(t, "typed", "1", `{"name":"ann"}`); string(r) != `{"welcome":"typed"}` {
			t.Errorf("the response is %s", r)
		}
		c.Expect(t, v2(`"1"`, "null", "typed", "tick", `{"N":1}`))
	})
	clause(t, 148, "a binary reply to a join is a binary frame", func(t *testing.T, s *server) {
		s.plays("mine", act{join: func(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
			return roost.ReplyOK(roost.Bytes{7}), nil
		}})
		c := s.open(t)
		push(t, c, "1", "2", "mine", "phx_join", "")
		c.ExpectBinary(t, []byte("\x01\x01\x01\x04\x0212mineok\x07"))
	})
	clause(t, 149, "a refused join says why and leaves nothing behind", refusesJoin)
	clause(t, 150, "a join that fails is answered join crashed", crashesJoin)
	clause(t, 151, "a channel cannot push or broadcast inside Join", pushesInsideJoin)
	clause(t, 151, "after its answer a channel can push from anywhere", func(t *testing.T, s *server) {
		sockets := make(chan *roost.Socket, 1)
		s.plays("mine", act{join: func(_ context.Context, k *roost.Socket, _ roost.Payload) (roost.Reply, error) {
			sockets <- k
			return roost.NoReply(), nil
		}})
		c := s.open(t)
		for i := range 50 {
			c.Join(t, "mine", fmt.Sprint(i), "")
			k := receive(t, sockets, "socket")
			if !k.Joined() {
				t.Error("not joined after the answer")
			}
			if i > 0 {
				c.Expect(t, closed(fmt.Sprintf(`"%d"`, i-1), "mine"))
			}
			must(t, k.Push("e", nil))
			c.Expect(t, v2(fmt.Sprintf(`"%d"`, i), "null", "mine", "e", "{}"))
		}
	})
	clause(t, 151, "a push between Join and its answer is refused and does no harm", func(t *testing.T, s *server) {
		sockets, errs := make(chan *roost.Socket, 1), make(chan error, 1)
		h := s.hook(t, func(*roost.Config) {}, func(*server, string) { errs <- (<-sockets).Push("too early", nil) })
		h.plays("mine", act{
			join: func(_ context.Context, k *roost.Socket, _ roost.Payload) (roost.Reply, error) {
				sockets <- k
				return roost.NoReply(), k.SendInfo("joined")
			},
			info: func(k *roost.Socket, _ any) error { return k.Push("in time", nil) },
		})
		c := h.open(t)
		c.Join(t, "mine", "1", "")
		c.Expect(t, v2(`"1"`, "null", "mine", "in time", "{}"))
		if err := receive(t, errs, "error"); !errors.Is(err, roost.ErrNotJoined) {
			t.Errorf("got %v, want ErrNotJoined", err)
		}
	})
	clause(t, 152, "a topic without a route is unmatched", func(t *testing.T, s *server) {
		c := s.open(t)
		send(t, c, v2(`"1"`, `"2"`, "nope", "phx_join", "{}"))
		c.Expect(t, v2error("null", `"2"`, "nope", unmatched))
		if r := s.logs.expect(t, "join_unmatched", "topic", "nope"); r.Level != slog.LevelWarn {
			t.Errorf("logged as %v", r)
		}
	})
	clause(t, 153, "a topic that is no string is unmatched", func(t *testing.T, s *server) {
		s.plays("*", act{})
		c := s.open(t)
		for _, topic := range []string{`null`, `7`, `true`, `["room:1"]`, `{"a": 1}`, `1.50`} {
			for _, event := range []string{"phx_join", "e"} {
				send(t, c, `["1","2",`+topic+`,"`+event+`",{}]`)
				c.Expect(t, `[null,"2",`+topic+`,"phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]`)
			}
		}
	})
	clause(t, 154, "the 101st channel is refused", func(t *testing.T, s *server) {
		c := s.open(t)
		for i := range 101 {
			send(t, c, v2(`"j"`, fmt.Sprint(i), fmt.Sprint("room:", i), "phx_join", "{}"))
		}
		for i := range 100 {
			c.Expect(t, v2ok(`"j"`, fmt.Sprint(i), fmt.Sprint("room:", i), "{}"))
		}
		c.Expect(t, v2error(`"j"`, "100", "room:100", `{"reason":"too many channels joined"}`))
		s.logs.expect(t, "too_many_channels", "topic", "room:100")
		push(t, c, "j", "1", "room:100", "echo", "")
		c.Expect(t, v2error("null", `"1"`, "room:100", unmatched))
	})
	two := func(c *roost.Config) { c.MaxChannels = 2 }
	clauseWith(t, 155, "the bound can be set and Join is not reached", two, func(t *testing.T, s *server) {
		var joins atomic.Int32
		s.plays("mine:*", act{join: func(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
			joins.Add(1)
			return roost.NoReply(), nil
		}})
		c := s.open(t)
		c.Join(t, "mine:1", "1", "")
		c.Join(t, "mine:2", "2", "")
		push(t, c, "3", "3", "mine:3", "phx_join", "")
		c.Expect(t, v2error(`"3"`, `"3"`, "mine:3", `{"reason":"too many channels joined"}`))
		if n := joins.Load(); n != 2 {
			t.Errorf("Join was called %d times", n)
		}
	})
	clauseWith(t, 156, "a leave makes room", two, func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		c.Join(t, "room:2", "2", "")
		push(t, c, "1", "3", "room:1", "phx_leave", "")
		expectAll(t, c, v2ok(`"1"`, `"3"`, "room:1", "{}"), closed(`"1"`, "room:1"))
		c.Join(t, "room:3", "4", "")
	})
	clauseWith(t, 156, "a joined topic can be joined again at the bound", two, func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		c.Join(t, "room:2", "2", "")
		for i := 3; i < 6; i++ {
			ref, old := fmt.Sprintf(`"%d"`, i), fmt.Sprintf(`"%d"`, i-1)
			send(t, c, v2(ref, ref, "room:2", "phx_join", "{}"))
			expectAll(t, c, v2ok(ref, ref, "room:2", "{}"), closed(old, "room:2"))
		}
	})
	clause(t, 157, "nothing of a channel precedes the answer to its join", answersJoinFirst)
	clause(t, 158, "what Join sends itself is handled after the answer", func(t *testing.T, s *server) {
		s.plays("mine", act{
			join: func(_ context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
				return roost.NoReply(), errors.Join(s.SendInfo("one"), s.SendInfo("two"))
			},
			info: func(s *roost.Socket, info any) error { return s.Push(info.(string), nil) },
		})
		c := s.open(t)
		push(t, c, "1", "1", "mine", "phx_join", "")
		expectAll(t, c, v2ok(`"1"`, `"1"`, "mine", "{}"), v2(`"1"`, "null", "mine", "one", "{}"), v2(`"1"`, "null", "mine", "two", "{}"))
	})
	clause(t, 159, "broadcasts are received from the end of Join on", func(t *testing.T, s *server) {
		s.plays("mine", act{
			join: func(ctx context.Context, k *roost.Socket, _ roost.Payload) (roost.Reply, error) {
				must(t, s.Endpoint.Broadcast(ctx, "mine", "inside", nil))
				return roost.NoReply(), k.SendInfo("joined")
			},
			info: func(k *roost.Socket, _ any) error {
				return s.Endpoint.Broadcast(context.Background(), k.Topic(), "after", nil)
			},
		})
		c := s.open(t)
		push(t, c, "1", "1", "mine", "phx_join", "")
		expectAll(t, c, v2ok(`"1"`, `"1"`, "mine", "{}"), v2("null", "null", "mine", "after", "{}"))
		must(t, s.Endpoint.Broadcast(t.Context(), "mine", "later", nil))
		c.Expect(t, v2("null", "null", "mine", "later", "{}"))
	})
	clause(t, 159, "broadcasts between Join and its answer wait for the answer", func(t *testing.T, s *server) {
		h := s.hook(t, func(c *roost.Config) { c.Mailbox = 3 }, broadcasting(3))
		c := h.open(t)
		push(t, c, "1", "1", "room:1", "phx_join", "")
		expectAll(t, c, v2ok(`"1"`, `"1"`, "room:1", "{}"), broadcast1, broadcast1, broadcast1)
		must(t, h.Endpoint.Broadcast(t.Context(), "room:1", "e", nil))
		c.Expect(t, broadcast1)
	})
	clause(t, 159, "a client that would miss broadcasts comes back", func(t *testing.T, s *server) {
		h := s.hook(t, func(c *roost.Config) { c.Mailbox = 3 }, broadcasting(4))
		c := h.open(t)
		push(t, c, "1", "1", "room:1", "phx_join", "")
		c.ExpectClose(t, 1011)
		h.logs.expect(t, "mailbox_full", "topic", "room:1", "event", "e")
		if n := h.Endpoint.Stats().MailboxRefusals; n != 1 {
			t.Errorf("%d refusals were counted", n)
		}
	})
	clause(t, 160, "a join may have no join_ref", joinsWithoutJoinRef)
}

var broadcast1 = v2("null", "null", "room:1", "e", "{}")

// broadcasting hooks n broadcasts into the time between Join and its answer.
func broadcasting(n int) func(*server, string) {
	return func(hooked *server, topic string) {
		for range n {
			_ = hooked.Endpoint.BroadcastLocal(context.Background(), topic, "e", nil) // {} has an encoding
		}
	}
}

// goings are the ways in which a client goes away.
var goings = map[string]func(*client.Conn) error{
	"with FIN":                   func(c *client.Conn) error { c.Drop(); return nil },
	"with RST":                   func(c *client.Conn) error { c.Abort(); return nil },
	"with FIN after more to say": func(c *client.Conn) error { defer c.Drop(); return c.SendText(heartbeat("2")) },
	"with a close frame and FIN": func(c *client.Conn) error { defer c.Drop(); return c.Close(1000) },
}

func TestAJoinIsToldThatItsClientHasGone(t *testing.T) {
	for name, goes := range goings {
		clause(t, 143, "goes away "+name, func(t *testing.T, s *server) {
			began, ended := make(chan bool, 1), make(chan error, 1)
			s.plays("mine", act{join: func(ctx context.Context, _ *roost.Socket, _ roost.Payload) (roost.Reply, error) {
				began <- true
				<-ctx.Done()
				ended <- ctx.Err()
				return roost.NoReply(), ctx.Err()
			}})
			c := s.open(t)
			push(t, c, "1", "1", "mine", "phx_join", "")
			receive(t, began, "join")
			must(t, goes(c))
			if err := receive(t, ended, "end of the join"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func refusesJoin(t *testing.T, s *server) {
	var ends notes
	s.plays("mine:*", act{
		join: func(_ context.Context, s *roost.Socket, p roost.Payload) (roost.Reply, error) {
			must(t, s.SendInfo("never handled"))
			if s.Topic() == "mine:status" {
				return roost.ReplyStatus("busy", p), nil
			}
			return roost.ReplyError(p), nil
		},
		info:      func(*roost.Socket, any) error { ends.add("info"); return nil },
		terminate: func(*roost.Socket, error) { ends.add("terminate") },
	})
	c := s.open(t)
	for _, value := range anyJSON {
		send(t, c, v2(`"1"`, `"1"`, "mine:1", "phx_join", value), v2(`"1"`, `"2"`, "mine:1", "e", "{}"))
		expectAll(t, c, v2error(`"1"`, `"1"`, "mine:1", value), v2error("null", `"2"`, "mine:1", unmatched))
	}
	send(t, c, v2(`"1"`, `"1"`, "mine:status", "phx_join", "{}"), v2(`"1"`, `"2"`, "mine:status", "e", "{}"))
	expectAll(t, c, v2("\"1\"", `"1"`, "mine:status", "phx_reply", `{"status":"busy","response":{}}`), v2error("null", `"2"`, "mine:status", unmatched))
	must(t, s.Endpoint.Broadcast(t.Context(), "mine:1", "e", nil))
	c.ExpectQuiet(t)
	c.Drop()
	s.shutdown(t)
	ends.none(t, "a refused channel lived on")
}

// crashes are the ways in which a join can fail, by topic.
var crashes = map[string]func() (roost.Reply, error){
	"mine:error":         func() (roost.Reply, error) { return roost.NoReply(), errWhy },
	"mine:error, reply":  func() (roost.Reply, error) { return roost.ReplyOK(nil), errWhy },
	"mine:stop":          func() (roost.Reply, error) { return roost.NoReply(), roost.Stop },
	"mine:panic":         func() (roost.Reply, error) { panic(errWhy) },
	"mine:panic of nil":  func() (roost.Reply, error) { panic(nil) }, //nolint:govet // that is what is tested
	"mine:exit":          func() (roost.Reply, error) { runtime.Goexit(); return roost.NoReply(), nil },
	"mine:reply":         func() (roost.Reply, error) { return roost.ReplyOK(make(chan int)), nil },
	"mine:reply, error":  func() (roost.Reply, error) { return roost.ReplyOK(oops{"error"}), nil },
	"mine:reply, panic":  func() (roost.Reply, error) { return roost.ReplyOK(oops{"panic"}), nil },
	"mine:reply, exit":   func() (roost.Reply, error) { return roost.ReplyError(oops{"exit"}), nil },
	"mine:reply, syntax": func() (roost.Reply, error) { return roost.ReplyOK(json.RawMessage("{")), nil },
}

// badIntercepts is a channel that fails right after Join.
type badIntercepts struct{ act }

func (*badIntercepts) Intercepts() []string { panic(errWhy) }

func crashesJoin(t *testing.T, s *server) {
	s.plays("mine:*", act{join: func(_ context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
		return crashes[s.Topic()]()
	}})
	s.Endpoint.Channel("factory", func() roost.Channel { panic(errWhy) })
	s.Endpoint.Channel("no channel", func() roost.Channel { return nil })
	s.Endpoint.Channel("intercepts", func() roost.Channel { return new(badIntercepts) })
	topics := append(sorted(crashes), "factory", "no channel", "intercepts")
	c := s.open(t)
	for _, topic := range topics {
		send(t, c, v2(`"1"`, `"2"`, topic, "phx_join", "{}"), v2(`"1"`, `"3"`, topic, "e", "{}"), heartbeat("4"))
		expectAll(t, c, v2error(`"1"`, `"2"`, topic, joinCrashed), v2error("null", `"3"`, topic, unmatched), alive("4"))
		if r := s.logs.expect(t, "channel_crashed", "topic", topic, "callback", "Join"); r.Level != slog.LevelError {
			t.Errorf("logged as %v", r)
		}
	}
	old := s.openV1(t)
	s.plays("bytes", act{join: func(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
		return roost.ReplyOK(roost.Bytes{1}), nil
	}})
	send(t, old, v1("bytes", "phx_join", `"1"`, "{}"))
	old.Expect(t, v1("bytes", "phx_reply", `"1"`, `{"status":"error","response":`+joinCrashed+`}`))
	s.expectLogged(t, len(topics)+1, "channel_crashed")
}

func pushesInsideJoin(t *testing.T, s *server) {
	ways := map[string]func(ctx context.Context, s *roost.Socket) error{
		"mine:push":      func(_ context.Context, s *roost.Socket) error { return s.Push("e", nil) },
		"mine:broadcast": func(ctx context.Context, s *roost.Socket) error { return s.Broadcast(ctx, "e", nil) },
		"mine:from":      func(ctx context.Context, s *roost.Socket) error { return s.BroadcastFrom(ctx, "e", nil) },
	}
	s.plays("mine:*", act{join: func(ctx context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
		if err := ways[s.Topic()](ctx, s); !errors.Is(err, roost.ErrNotJoined) {
			t.Errorf("%s: %v, want ErrNotJoined", s.Topic(), err)
		}
		return roost.NoReply(), nil // as if nothing had happened
	}})
	c := s.open(t)
	for _, topic := range sorted(ways) {
		push(t, c, "1", "2", topic, "phx_join", "")
		c.Expect(t, v2error(`"1"`, `"2"`, topic, joinCrashed))
		s.logs.expect(t, "channel_crashed", "topic", topic, "callback", "Join")
	}
}

// answersJoinFirst broadcasts while clients join: what comes first is the answer, and after phx_close comes nothing.
func answersJoinFirst(t *testing.T, s *server) {
	s.plays("mine", act{
		join: func(_ context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
			return roost.NoReply(), s.SendInfo("joined")
		},
		info: func(s *roost.Socket, _ any) error { return s.Push("pushed", nil) },
	})
	clients := []*client.Conn{s.open(t), s.open(t), s.open(t)}
	for i := range 30 {
		ref := fmt.Sprintf(`"%d"`, i)
		var publisher sync.WaitGroup
		publisher.Go(func() {
			for range 10 {
				if err := s.Endpoint.Broadcast(context.Background(), "mine", "e", nil); err != nil {
					t.Error(err)
				}
			}
		})
		for _, c := range clients {
			send(t, c, v2(ref, ref, "mine", "phx_join", "{}"))
		}
		for _, c := range clients {
			c.Expect(t, v2ok(ref, ref, "mine", "{}"))
			send(t, c, v2(ref, `"leave"`, "mine", "phx_leave", "{}"))
			until(t, c, closed(ref, "mine"))
		}
		publisher.Wait()
		for _, c := range clients {
			c.ExpectQuiet(t)
		}
	}
}

// until skips frames until this one has come.
func until(t *testing.T, c *client.Conn, want string) {
	t.Helper()
	for range 1000 {
		if client.SameJSON(t, string(c.Next(t).Payload), want) {
			return
		}
	}
	t.Fatalf("%s did not come", want)
}

func joinsWithoutJoinRef(t *testing.T, s *server) {
	s.plays("mine", act{in: func(_ context.Context, s *roost.Socket, event string, p roost.Payload) (roost.Reply, error) {
		if event == "crash" {
			return roost.NoReply(), errWhy
		}
		return roost.ReplyOK(p), s.Push("pushed", p)
	}})
	c := s.open(t)
	send(t, c, v2("null", `"7"`, "mine", "phx_join", "{}"), v2("null", `"8"`, "mine", "e", "{}"))
	expectAll(t, c, v2ok("null", `"7"`, "mine", "{}"), v2(`"7"`, "null", "mine", "pushed", "{}"), v2ok(`"7"`, `"8"`, "mine", "{}"))
	send(t, c, v2(`"any"`, `"9"`, "mine", "e", "{}")) // §7.6: nothing is stored to compare with
	expectAll(t, c, v2(`"7"`, "null", "mine", "pushed", "{}"), v2ok(`"7"`, `"9"`, "mine", "{}"))
	send(t, c, v2("null", `"10"`, "mine", "phx_leave", "{}"))
	expectAll(t, c, v2ok(`"7"`, `"10"`, "mine", "{}"), closed("null", "mine"))
	send(t, c, v2("null", `"11"`, "mine", "phx_join", "{}"), v2("null", `"12"`, "mine", "crash", "{}"))
	expectAll(t, c, v2ok("null", `"11"`, "mine", "{}"), crashed("null", "mine"))
}
