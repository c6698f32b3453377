package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/wire"
)

// crowd is V2 clients that have joined a topic, each with its own join_ref: "1", "2", …
func crowd(t *testing.T, s *server, topic string, n int) []*client.Conn {
	t.Helper()
	clients := make([]*client.Conn, n)
	for i := range clients {
		clients[i] = s.open(t)
		clients[i].Join(t, topic, fmt.Sprint(i+1), "")
	}
	return clients
}

// allGet expects the same from all clients.
func allGet(t *testing.T, clients []*client.Conn, want string) {
	t.Helper()
	for _, c := range clients {
		c.Expect(t, want)
	}
}

// news is a broadcast as a client sees it.
func news(topic, event string) string { return v2("null", "null", topic, event, "{}") }

func TestBroadcasts(t *testing.T) {
	clause(t, 192, "a broadcast reaches all, the sender too", func(t *testing.T, s *server) {
		clients := crowd(t, s, "room:1", 4)
		elsewhere := crowd(t, s, "room:2", 1)[0]
		old := s.openV1(t)
		send(t, old, v1("room:1", "phx_join", `"1"`, "{}"))
		old.Expect(t, v1ok("room:1", `"1"`, "{}"))
		push(t, clients[0], "1", "2", "room:1", "broadcast", `{"event":"e","payload":{"a":1}}`)
		allGet(t, clients, v2("null", "null", "room:1", "e", `{"a":1}`))
		old.Expect(t, v1("room:1", "e", "null", `{"a":1}`))
		elsewhere.ExpectQuiet(t)
	})
	clause(t, 192, "each topic of a connection gets its own frame", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		c.Join(t, "room:2", "2", "")
		for _, topic := range []string{"room:2", "room:1"} {
			must(t, s.Endpoint.Broadcast(t.Context(), topic, "e", nil))
			c.Expect(t, news(topic, "e"))
		}
	})
	clause(t, 193, "BroadcastFrom spares the sender's client only", func(t *testing.T, s *server) {
		clients := crowd(t, s, "room:1", 3)
		push(t, clients[0], "1", "2", "room:1", "broadcast_from", `{"event":"from","payload":{}}`)
		allGet(t, clients[1:], news("room:1", "from"))
		must(t, s.Endpoint.Broadcast(t.Context(), "room:1", "all", nil))
		allGet(t, clients, news("room:1", "all"))
	})
	clause(t, 193, "the endpoint's BroadcastFrom spares the socket's client only", func(t *testing.T, s *server) {
		s.plays("mine", act{in: func(ctx context.Context, k *roost.Socket, event string, _ roost.Payload) (roost.Reply, error) {
			must(t, s.Endpoint.BroadcastFrom(ctx, k, "mine", "from", nil))
			return roost.NoReply(), s.Endpoint.BroadcastLocalFrom(ctx, k, "mine", "local", nil)
		}})
		clients := crowd(t, s, "mine", 3)
		push(t, clients[1], "2", "2", "mine", "e", "")
		for _, want := range []string{news("mine", "from"), news("mine", "local")} {
			allGet(t, []*client.Conn{clients[0], clients[2]}, want)
		}
		clients[1].ExpectQuiet(t)
	})
	clause(t, 193, "BroadcastFrom spares what the channel subscribed to", func(t *testing.T, s *server) {
		s.plays("mine", act{
			join: func(_ context.Context, k *roost.Socket, _ roost.Payload) (roost.Reply, error) {
				return roost.NoReply(), k.Subscribe("news")
			},
			in: func(ctx context.Context, k *roost.Socket, _ string, _ roost.Payload) (roost.Reply, error) {
				return roost.ReplyOK(nil), s.Endpoint.BroadcastFrom(ctx, k, "news", "e", nil)
			},
			info: func(k *roost.Socket, info any) error { return k.Push("heard", nil) },
		})
		clients := crowd(t, s, "mine", 2)
		push(t, clients[0], "1", "2", "mine", "e", "")
		clients[1].Expect(t, v2(`"2"`, "null", "mine", "heard", "{}"))
		clients[0].Expect(t, v2ok(`"1"`, `"2"`, "mine", "{}"))
		push(t, clients[0], "1", "3", "mine", "e", "") // handled after what was heard
		clients[0].Expect(t, v2ok(`"1"`, `"3"`, "mine", "{}"))
	})
	clause(t, 194, "an endpoint's broadcast reaches all nodes", func(t *testing.T, s *server) {
		members := s.cluster(t, nil, "a", "b", "c")
		var clients []*client.Conn
		for _, m := range members {
			clients = append(clients, crowd(t, m.server, "room:1", 2)...)
		}
		for _, m := range members {
			must(t, m.Endpoint.Broadcast(t.Context(), "room:1", m.node.Node(), map[string]int{"a": 1}))
			allGet(t, clients, v2("null", "null", "room:1", m.node.Node(), `{"a":1}`))
		}
		push(t, clients[0], "1", "2", "room:1", "broadcast_from", `{"event":"from","payload":{}}`)
		allGet(t, clients[1:], news("room:1", "from"))
	})
	clause(t, 194, "bytes reach all nodes", func(t *testing.T, s *server) {
		members := s.cluster(t, nil, "a", "b")
		c := crowd(t, members[1].server, "room:1", 1)[0]
		must(t, members[0].Endpoint.Broadcast(t.Context(), "room:1", "e", roost.Bytes{0, 0xff}))
		c.ExpectBinary(t, []byte("\x02\x06\x01room:1e\x00\xff"))
	})
	clause(t, 195, "a local broadcast reaches this node only", func(t *testing.T, s *server) {
		members := s.cluster(t, nil, "a", "b")
		here, there := crowd(t, members[0].server, "room:1", 2), crowd(t, members[1].server, "room:1", 2)
		must(t, members[0].Endpoint.BroadcastLocal(t.Context(), "room:1", "local", nil))
		must(t, members[0].Endpoint.Broadcast(t.Context(), "room:1", "all", nil))
		allGet(t, here, news("room:1", "local"))
		allGet(t, append(here, there...), news("room:1", "all"))
	})
	clause(t, 196, "an intercepted event is HandleOut's to push", intercepts)
	clause(t, 196, "a typed channel intercepts", func(t *testing.T, s *server) {
		s.Endpoint.Channel("typed", newTyped(make(chan error, 2)))
		for _, name := range []string{"ann", "bob"} {
			c := s.open(t)
			c.Join(t, "typed", "1", `{"name":"`+name+`"}`)
			c.Expect(t, v2(`"1"`, "null", "typed", "tick", `{"N":1}`))
			must(t, s.Endpoint.Broadcast(t.Context(), "typed", "secret", shout{Body: "1234"}))
			c.Expect(t, v2(`"1"`, "null", "typed", "secret", `{"from":"`+name+`","body":"***"}`))
			push(t, c, "1", "2", "typed", "shout", `{"body":"hi"}`)
			c.Expect(t, v2("null", "null", "typed", "shout", `{"from":"`+name+`","body":"hi"}`))
			c.Drop()
		}
	})
	clause(t, 197, "broadcasts reach the client of a busy channel", func(t *testing.T, s *server) {
		c := crowd(t, s, "room:1", 1)[0]
		push(t, c, "1", "2", "room:1", "block", "")
		c.Expect(t, v2(`"1"`, "null", "room:1", "blocked", "{}"))
		for i := range 10 {
			event := fmt.Sprint("e", i)
			must(t, s.Endpoint.Broadcast(t.Context(), "room:1", event, nil))
			c.Expect(t, news("room:1", event))
		}
		s.release("room:1")
		c.Expect(t, v2ok(`"1"`, `"2"`, "room:1", "{}"))
	})
	clause(t, 199, "a broadcast before a reply arrives before it", func(t *testing.T, s *server) {
		s.plays("mine", act{in: func(ctx context.Context, k *roost.Socket, _ string, p roost.Payload) (roost.Reply, error) {
			must(t, k.Broadcast(ctx, "one", nil))
			must(t, k.Push("two", nil))
			must(t, s.Endpoint.Broadcast(ctx, "mine", "three", nil))
			return roost.ReplyOK(p), nil
		}})
		c := crowd(t, s, "mine", 1)[0]
		for range 20 {
			push(t, c, "1", "2", "mine", "e", "")
			expectAll(t, c, news("mine", "one"), v2(`"1"`, "null", "mine", "two", "{}"), news("mine", "three"), v2ok(`"1"`, `"2"`, "mine", "{}"))
		}
	})
	clause(t, 200, "broadcasts of another topic come to HandleInfo", subscribesElsewhere)
	clause(t, 200, "a typed channel receives broadcasts of another topic", func(t *testing.T, s *server) {
		s.Endpoint.Channel("typed", newTyped(make(chan error, 1)))
		s.plays("mine", act{}) // nobody joins it
		subscribed := make(chan *roost.Socket, 1)
		s.Endpoint.Channel("also typed", roost.ChannelOf(
			func(y *typed, _ context.Context, k *roost.Socket, _ roost.Payload) (roost.Reply, error) {
				subscribed <- k
				return roost.NoReply(), k.Subscribe("news")
			}, roost.Info((*typed).News)))
		c := s.open(t)
		c.Join(t, "also typed", "1", "")
		must(t, s.Endpoint.Broadcast(t.Context(), "news", "e", map[string]int{"a": 1}))
		c.Expect(t, v2(`"1"`, "null", "also typed", "news", `{"a":1}`))
	})
	clause(t, 201, "a value that nobody handles is logged", func(t *testing.T, s *server) {
		sockets := make(chan *roost.Socket, 1)
		hand := func(_ context.Context, k *roost.Socket, _ roost.Payload) (roost.Reply, error) {
			sockets <- k
			return roost.NoReply(), nil
		}
		echo := func(_ context.Context, _ *roost.Socket, _ string, p roost.Payload) (roost.Reply, error) {
			return roost.ReplyOK(p), nil
		}
		s.plays("mine:act", act{join: hand, in: echo})
		s.Endpoint.Channel("mine:typed", roost.ChannelOf(func(_ *typed, ctx context.Context, k *roost.Socket, p roost.Payload) (roost.Reply, error) {
			return hand(ctx, k, p)
		}, roost.On("e", (*typed).Raw), roost.Info((*typed).Tick)))
		s.Endpoint.Channel("mine:bare", func() roost.Channel { return bare{hand, echo} })
		for _, topic := range []string{"mine:act", "mine:typed", "mine:bare"} {
			c := s.open(t)
			c.Join(t, topic, "1", "")
			must(t, receive(t, sockets, "socket").SendInfo(errWhy))
			s.logs.expect(t, "info_unhandled", "topic", topic)
			push(t, c, "1", "2", topic, "e", "")
			c.Expect(t, v2ok(`"1"`, `"2"`, topic, "{}"))
		}
		s.expectLogged(t, 0, "channel_crashed")
	})
	encodesOnce(t)
}

// bare is a channel that has nothing but what every channel must have.
type bare struct {
	join func(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error)
	in   func(context.Context, *roost.Socket, string, roost.Payload) (roost.Reply, error)
}

func (b bare) Join(ctx context.Context, s *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return b.join(ctx, s, p)
}

func (b bare) HandleIn(ctx context.Context, s *roost.Socket, event string, p roost.Payload) (roost.Reply, error) {
	return b.in(ctx, s, event, p)
}

func intercepts(t *testing.T, s *server) {
	s.plays("mine", act{
		intercept: []string{"changed", "kept"},
		out: func(k *roost.Socket, event string, p roost.Payload) error {
			if event == "kept" {
				return nil
			}
			return k.Push("seen", map[string]any{"event": event, "was": p})
		},
		in: func(ctx context.Context, k *roost.Socket, _ string, _ roost.Payload) (roost.Reply, error) {
			return roost.NoReply(), k.BroadcastFrom(ctx, "changed", map[string]int{"from": 1})
		},
	})
	clients := crowd(t, s, "mine", 2)
	must(t, s.Endpoint.Broadcast(t.Context(), "mine", "kept", nil))
	must(t, s.Endpoint.Broadcast(t.Context(), "mine", "changed", map[string]int{"a": 1}))
	for i, c := range clients {
		c.Expect(t, v2(fmt.Sprintf(`"%d"`, i+1), "null", "mine", "seen", `{"event":"changed","was":{"a":1}}`))
	}
	must(t, s.Endpoint.Broadcast(t.Context(), "mine", "other", nil))
	allGet(t, clients, news("mine", "other"))
	push(t, clients[0], "1", "2", "mine", "e", "")
	clients[1].Expect(t, v2(`"2"`, "null", "mine", "seen", `{"event":"changed","was":{"from":1}}`))
	clients[0].ExpectQuiet(t)
}

func subscribesElsewhere(t *testing.T, s *server) {
	s.plays("mine", act{
		in: func(_ context.Context, k *roost.Socket, event string, _ roost.Payload) (roost.Reply, error) {
			switch event {
			case "subscribe":
				return roost.ReplyOK(nil), k.Subscribe("room:1")
			case "own":
				return roost.ReplyOK(nil), k.Subscribe("mine")
			}
			k.Unsubscribe("room:1")
			return roost.ReplyOK(nil), nil
		},
		info: func(k *roost.Socket, info any) error {
			b := info.(roost.Broadcast)
			return k.Push("heard", map[string]any{"topic": b.Topic, "event": b.Event, "payload": b.Payload})
		},
	})
	c := crowd(t, s, "mine", 1)[0]
	tell := func(event string) {
		push(t, c, "1", "2", "mine", event, "")
		c.Expect(t, v2ok(`"1"`, `"2"`, "mine", "{}"))
	}
	heard := func(topic string) string {
		return v2(`"1"`, "null", "mine", "heard", `{"topic":"`+topic+`","event":"e","payload":{"a":1}}`)
	}
	broadcast := func(topic string) { must(t, s.Endpoint.Broadcast(t.Context(), topic, "e", map[string]int{"a": 1})) }
	tell("subscribe")
	broadcast("room:1")
	c.Expect(t, heard("room:1"))
	tell("subscribe") // once more
	broadcast("room:1")
	expectAll(t, c, heard("room:1"), heard("room:1"))
	tell("unsubscribe")
	broadcast("room:1")
	tell("own")
	broadcast("mine")
	first, second := string(c.Next(t).Payload), string(c.Next(t).Payload) // the client's own way is the shorter one
	if !client.SameJSON(t, first, heard("mine")) {
		first, second = second, first
	}
	if !client.SameJSON(t, first, heard("mine")) || !client.SameJSON(t, second, v2("null", "null", "mine", "e", `{"a":1}`)) {
		t.Errorf("got %s and %s", first, second)
	}
}

// counting is a serializer that counts the broadcasts that it encodes.
type counting struct {
	wire.Serializer
	broadcasts atomic.Int64
}

func (c *counting) Encode(dst []byte, m *wire.Message) ([]byte, bool, error) {
	if m.Kind == wire.Broadcast {
		c.broadcasts.Add(1)
	}
	return c.Serializer.Encode(dst, m)
}

// expect fails the test unless so many broadcasts were encoded since the last time.
func (c *counting) expect(t *testing.T, want int64) {
	t.Helper()
	if n := c.broadcasts.Swap(0); n != want {
		t.Errorf("%s encoded %d broadcasts, want %d", c.Name(), n, want)
	}
}

func encodesOnce(t *testing.T) {
	counters := func() (*counting, *counting, func(*roost.Config)) {
		one, two := &counting{Serializer: wire.V1()}, &counting{Serializer: wire.V2()}
		return one, two, func(c *roost.Config) {
			versions, err := wire.ParseVersions(wire.Rule{Requirement: "~> 1.0.0", Serializer: one}, wire.Rule{Requirement: "~> 2.0.0", Serializer: two})
			if err != nil {
				panic(err)
			}
			c.Versions = versions
		}
	}
	clause(t, 198, "a broadcast is encoded once for each serializer", func(t *testing.T, s *server) {
		one, two, configure := counters()
		members := s.cluster(t, configure, "a", "b")
		var clients []*client.Conn
		for _, m := range members {
			clients = append(clients, crowd(t, m.server, "room:1", 10)...)
		}
		push(t, clients[0], "1", "2", "room:1", "broadcast", `{"event":"e","payload":{}}`)
		allGet(t, clients, news("room:1", "e"))
		two.expect(t, 2) // on two nodes
		one.expect(t, 0)

		old := members[0].openV1(t)
		send(t, old, v1("room:1", "phx_join", `"1"`, "{}"))
		old.Expect(t, v1ok("room:1", `"1"`, "{}"))
		must(t, members[0].Endpoint.BroadcastLocal(t.Context(), "room:1", "e", nil))
		allGet(t, clients[:10], news("room:1", "e"))
		old.Expect(t, v1("room:1", "e", "null", "{}"))
		two.expect(t, 1)
		one.expect(t, 1)
	})
	clause(t, 198, "a broadcast that cannot be encoded fails once", func(t *testing.T, s *server) {
		_, two, configure := counters()
		m := s.cluster(t, configure, "a")[0]
		clients := crowd(t, m.server, "room:1", 5)
		if err := m.Endpoint.Broadcast(t.Context(), "room:1", "e", []int{1}); !errors.Is(err, wire.ErrNotObject) {
			t.Errorf("got %v, want ErrNotObject", err)
		}
		two.expect(t, 1)
		for _, c := range clients {
			c.ExpectQuiet(t)
		}
	})
}
