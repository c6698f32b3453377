package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/pubsub/pubsubtest"
	"github.com/roostgo/roost/test/client"
)

// ear is a subscriber that keeps the events that come.
type ear struct{ heard notes }

func (e *ear) Deliver(m *pubsub.Message) { e.heard.add("%s", m.Event) }

func (e *ear) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := e.heard.all(); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
}

// hear subscribes an ear to a topic.
func hear(t *testing.T, bus *pubsub.PubSub, topic string) *ear {
	t.Helper()
	e := new(ear)
	_, err := bus.Subscribe(context.Background(), topic, e)
	must(t, err)
	return e
}

// say publishes.
func say(t *testing.T, bus *pubsub.PubSub, topic, event string) {
	t.Helper()
	must(t, bus.Broadcast(t.Context(), &pubsub.Message{Topic: topic, Event: event}))
}

// bubble runs f, in a bubble, with a bus for each of three linked nodes: a, b and c.
func bubble(t *testing.T, f func(t *testing.T, buses []*pubsub.PubSub, nodes []*pubsubtest.Node)) {
	synctest.Test(t, func(t *testing.T) {
		hub := new(pubsubtest.Hub)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var buses []*pubsub.PubSub
		var nodes []*pubsubtest.Node
		for _, name := range []string{"a", "b", "c"} {
			node := hub.Node(name)
			bus := pubsub.New(pubsub.Config{Adapter: node})
			go func() { _ = bus.Run(ctx) }() // ends with ctx, as the bubble sees to
			buses, nodes = append(buses, bus), append(nodes, node)
		}
		f(t, buses, nodes)
	})
}

func TestPubSub(t *testing.T) {
	clauseOnly(t, 238, "duplicates are delivered and one Unsubscribe ends all", func(t *testing.T) {
		bus, e := pubsub.New(pubsub.Config{}), new(ear)
		for range 3 {
			_, err := bus.Subscribe(t.Context(), "t", e)
			must(t, err)
		}
		say(t, bus, "t", "e")
		bus.Unsubscribe("t", e)
		say(t, bus, "t", "late")
		e.expect(t, "e", "e", "e")
	})
	clauseOnly(t, 239, "unsubscribing what is not subscribed", func(t *testing.T) {
		bus := pubsub.New(pubsub.Config{})
		e := hear(t, bus, "t")
		bus.Unsubscribe("t", new(ear))
		bus.Unsubscribe("other", e)
		say(t, bus, "t", "e")
		e.expect(t, "e")
	})
	clauseOnly(t, 240, "a subscription ends with the context that it was given", func(t *testing.T) {
		bubble(t, func(t *testing.T, buses []*pubsub.PubSub, nodes []*pubsubtest.Node) {
			ctx, cancel := context.WithCancel(t.Context())
			e := new(ear)
			for range 2 {
				s, err := buses[0].Subscribe(t.Context(), "t", e)
				must(t, err)
				s.EndWith(ctx)
			}
			cancel()
			synctest.Wait()
			say(t, buses[1], "t", "e")
			synctest.Wait()
			e.expect(t)
			if n := buses[0].Topics(); n != 0 || len(nodes[0].Wants()) != 0 {
				t.Errorf("%d topics are left, %v is wanted", n, nodes[0].Wants())
			}
		})
	})
	clause(t, 240, "a channel's subscriptions end with it", endsSubscriptions)
	clauseOnly(t, 241, "one publisher's messages arrive in order on all nodes", func(t *testing.T) {
		bubble(t, func(t *testing.T, buses []*pubsub.PubSub, _ []*pubsubtest.Node) {
			var ears []*ear
			for _, bus := range buses {
				ears = append(ears, hear(t, bus, "t"))
			}
			var want []string
			for i := range 500 {
				say(t, buses[1], "t", fmt.Sprint(i))
				want = append(want, fmt.Sprint(i))
			}
			synctest.Wait()
			for _, e := range ears {
				e.expect(t, want...)
			}
		})
	})
	clause(t, 241, "clients on all nodes get each publisher's messages in order", keepsPublishersOrder)
	clauseOnly(t, 242, "From is skipped and nobody else", func(t *testing.T) {
		bubble(t, func(t *testing.T, buses []*pubsub.PubSub, _ []*pubsubtest.Node) {
			from, here, there := hear(t, buses[0], "t"), hear(t, buses[0], "t"), hear(t, buses[1], "t")
			must(t, buses[0].Broadcast(t.Context(), &pubsub.Message{Topic: "t", Event: "all", From: from}))
			buses[0].BroadcastLocal(&pubsub.Message{Topic: "t", Event: "local", From: from})
			synctest.Wait()
			from.expect(t)
			here.expect(t, "all", "local")
			there.expect(t, "all")
		})
	})
	clauseOnly(t, 243, "local stays and direct reaches the named node", func(t *testing.T) {
		bubble(t, func(t *testing.T, buses []*pubsub.PubSub, _ []*pubsubtest.Node) {
			var ears []*ear
			for _, bus := range buses {
				ears = append(ears, hear(t, bus, "t"))
			}
			buses[0].BroadcastLocal(&pubsub.Message{Topic: "t", Event: "local"})
			for _, node := range []string{"c", "a"} {
				must(t, buses[0].Direct(t.Context(), node, &pubsub.Message{Topic: "t", Event: "to " + node}))
			}
			synctest.Wait()
			ears[0].expect(t, "local", "to a")
			ears[1].expect(t)
			ears[2].expect(t, "to c")
		})
	})
	clauseOnly(t, 244, "a direct broadcast to nobody succeeds", func(t *testing.T) {
		bubble(t, func(t *testing.T, buses []*pubsub.PubSub, _ []*pubsubtest.Node) {
			for _, bus := range append(buses, pubsub.New(pubsub.Config{})) {
				e := hear(t, bus, "t")
				must(t, bus.Direct(t.Context(), "nobody@nowhere", &pubsub.Message{Topic: "t", Event: "e"}))
				synctest.Wait()
				e.expect(t)
			}
		})
	})
	clauseOnly(t, 245, "a failing adapter is an error and nothing is delivered", func(t *testing.T) {
		bubble(t, func(t *testing.T, buses []*pubsub.PubSub, nodes []*pubsubtest.Node) {
			here, there := hear(t, buses[0], "t"), hear(t, buses[1], "t")
			nodes[0].Fail(errWhy)
			if err := buses[0].Broadcast(t.Context(), &pubsub.Message{Topic: "t"}); !errors.Is(err, pubsub.ErrAdapter) || !errors.Is(err, errWhy) {
				t.Errorf("got %v, want ErrAdapter and its reason", err)
			}
			synctest.Wait()
			here.expect(t)
			there.expect(t)
		})
	})
	clause(t, 245, "a failing adapter reaches no client", failsQuietly)
	clauseOnly(t, 247, "topics are compared exactly", func(t *testing.T) {
		bubble(t, func(t *testing.T, buses []*pubsub.PubSub, _ []*pubsubtest.Node) {
			topics := []string{"room:1", "room:*", "*", "", "room:", "ROOM:1", "room:1 ", "room:11"}
			for _, bus := range buses[:2] {
				ears := make([]*ear, len(topics))
				for i, topic := range topics {
					ears[i] = hear(t, bus, topic)
				}
				for _, topic := range topics {
					say(t, buses[0], topic, topic)
				}
				synctest.Wait()
				for i, topic := range topics {
					ears[i].expect(t, topic)
				}
			}
		})
	})
}

func endsSubscriptions(t *testing.T, s *server) {
	s.plays("mine", act{
		join: func(_ context.Context, k *roost.Socket, p roost.Payload) (roost.Reply, error) {
			if string(p.Bytes()) == "null" {
				return roost.Refuse("no"), k.Subscribe("news")
			}
			return roost.NoReply(), errors.Join(k.Subscribe("news"), k.Subscribe("news"), k.Subscribe("weather"))
		},
		info: func(*roost.Socket, any) error { return nil },
	})
	bus := s.Endpoint.PubSub()
	quiet := func() bool { return bus.Topics() == 0 }
	c := s.open(t)
	for event, end := range map[string]string{"phx_leave": closed(`"1"`, "mine"), "unknown": crashed(`"1"`, "mine")} {
		c.Join(t, "mine", "1", "")
		if news, weather := bus.Subscribers("news"), bus.Subscribers("weather"); news != 2 || weather != 1 {
			t.Errorf("%d and %d subscriptions, want 2 and 1", news, weather)
		}
		push(t, c, "1", "2", "mine", event, "")
		until(t, c, end)
		eventually(t, "the channel's subscriptions have ended", quiet)
	}
	push(t, c, "1", "1", "mine", "phx_join", "null")
	c.Expect(t, v2error(`"1"`, `"1"`, "mine", `{"reason":"no"}`))
	eventually(t, "the refused channel's subscriptions have ended", quiet)
	c.Join(t, "mine", "1", "")
	c.Join(t, "mine", "2", "")
	c.Expect(t, closed(`"1"`, "mine"))
	eventually(t, "the replaced channel's subscriptions have ended", func() bool { return bus.Subscribers("news") == 2 })
	c.Drop()
	eventually(t, "the connection's subscriptions have ended", quiet)
}

// numberedNews is what publishers of keepsPublishersOrder publish.
type numberedNews struct {
	Publisher string `json:"publisher"`
	Number    int    `json:"number"`
}

// keepsPublishersOrder has several publishers on each of two nodes, and clients on both. O8.
func keepsPublishersOrder(t *testing.T, s *server) {
	const publishers, each = 4, 50
	members := s.cluster(t, nil, "a", "b")
	var clients []*client.Conn
	for _, m := range members {
		clients = append(clients, crowd(t, m.server, "room:1", 3)...)
	}
	var wg sync.WaitGroup
	for _, m := range members {
		for p := range publishers {
			wg.Go(func() {
				for i := range each {
					err := m.Endpoint.Broadcast(context.Background(), "room:1", "e", numberedNews{fmt.Sprint(m.node.Node(), p), i})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	for _, c := range clients {
		next := map[string]int{}
		for range len(members) * publishers * each {
			var n numberedNews
			must(t, json.Unmarshal(array(t, c)[4], &n))
			if n.Number != next[n.Publisher] {
				t.Fatalf("the next message of %s is %d, want %d", n.Publisher, n.Number, next[n.Publisher])
			}
			next[n.Publisher]++
		}
	}
	wg.Wait()
}

func failsQuietly(t *testing.T, s *server) {
	errs := make(chan error, 2)
	members := s.cluster(t, nil, "a", "b")
	m := members[0]
	m.plays("mine", act{in: func(ctx context.Context, k *roost.Socket, _ string, _ roost.Payload) (roost.Reply, error) {
		errs <- k.Broadcast(ctx, "e", nil)
		errs <- k.BroadcastFrom(ctx, "e", nil)
		return roost.ReplyOK(nil), nil
	}})
	c := m.open(t)
	c.Join(t, "mine", "1", "")
	m.node.Fail(errWhy)
	push(t, c, "1", "2", "mine", "e", "")
	c.Expect(t, v2ok(`"1"`, `"2"`, "mine", "{}"))
	for _, err := range []error{
		<-errs, <-errs, m.Endpoint.Broadcast(t.Context(), "mine", "e", nil), m.Endpoint.Disconnect(t.Context(), "ann"),
	} {
		if !errors.Is(err, pubsub.ErrAdapter) || !errors.Is(err, errWhy) {
			t.Errorf("got %v, want ErrAdapter and its reason", err)
		}
	}
	push(t, c, "3", "3", "room:1", "phx_join", "") // a topic that cannot be linked
	c.Expect(t, v2error(`"3"`, `"3"`, "room:1", joinCrashed))
	m.node.Fail(nil)
	must(t, m.Endpoint.Broadcast(t.Context(), "mine", "again", nil))
	c.Expect(t, news("mine", "again"))
}
