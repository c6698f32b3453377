package pubsub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/pubsub/pubsubtest"
)

// inbox is a Subscriber that keeps the events that come.
type inbox struct {
	mu     sync.Mutex
	events []string // guarded by mu
}

func (i *inbox) Deliver(m *pubsub.Message) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.events = append(i.events, m.Event)
}

func (i *inbox) expect(t *testing.T, want ...string) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if !slices.Equal(i.events, want) {
		t.Errorf("got %q, want %q", i.events, want)
	}
}

// subscribe subscribes an inbox, or fails the test.
func subscribe(t *testing.T, ps *pubsub.PubSub, topic string, to pubsub.Subscriber) *pubsub.Subscription {
	t.Helper()
	s, err := ps.Subscribe(context.Background(), topic, to)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// broadcast publishes, or fails the test.
func broadcast(t *testing.T, ps *pubsub.PubSub, topic, event string) {
	t.Helper()
	if err := ps.Broadcast(context.Background(), &pubsub.Message{Topic: topic, Event: event}); err != nil {
		t.Error(err)
	}
}

// holds fails the test unless a topic has so many subscriptions.
func holds(t *testing.T, ps *pubsub.PubSub, topic string, want int) {
	t.Helper()
	if n := ps.Subscribers(topic); n != want {
		t.Errorf("topic %q has %d subscriptions, want %d", topic, n, want)
	}
}

// cluster is nodes that are linked, in a synctest bubble.
func cluster(t *testing.T, names ...string) (buses []*pubsub.PubSub, nodes []*pubsubtest.Node) {
	t.Helper()
	hub := new(pubsubtest.Hub)
	ctx, cancel := context.WithCancel(context.Background())
	for _, name := range names {
		n := hub.Node(name)
		ps := pubsub.New(pubsub.Config{Adapter: n})
		go func() { _ = ps.Run(ctx) }() // ends with the test
		buses, nodes = append(buses, ps), append(nodes, n)
	}
	t.Cleanup(func() {
		cancel()
		synctest.Wait()
	})
	return buses, nodes
}

func TestABroadcastReachesTheSubscribersOfItsTopicOnly(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	var one, two, other inbox
	subscribe(t, ps, "t", &one)
	subscribe(t, ps, "t", &two)
	for _, topic := range []string{"T", "t ", "*", "", "t:1"} { // clause 247
		subscribe(t, ps, topic, &other)
	}
	broadcast(t, ps, "t", "e")
	one.expect(t, "e")
	two.expect(t, "e")
	other.expect(t)
}

func TestABroadcastWithoutSubscribersIsNoError(t *testing.T) {
	broadcast(t, pubsub.New(pubsub.Config{}), "t", "e")
}

func TestShardsAreRoundedUp(t *testing.T) {
	for _, n := range []int{-1, 0, 1, 3, 64, 100} {
		ps := pubsub.New(pubsub.Config{Shards: n})
		var in inbox
		for i := range 100 {
			subscribe(t, ps, fmt.Sprint(i), &in)
		}
		broadcast(t, ps, "77", "e")
		in.expect(t, "e")
		if ps.Topics() != 100 {
			t.Errorf("with %d shards there are %d topics", n, ps.Topics())
		}
	}
}

func TestANodeAloneHasAName(t *testing.T) {
	if got := pubsub.New(pubsub.Config{}).Node(); got != pubsub.DefaultNode {
		t.Errorf("got %q", got)
	}
}

func TestANodeAloneRunsUntilItsContextIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		go func() { err = pubsub.New(pubsub.Config{}).Run(ctx) }() // ends with ctx
		synctest.Wait()
		if err != nil {
			t.Errorf("Run ended: %v", err)
		}
		cancel()
		synctest.Wait()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestBroadcastsReachAllNodesAndLocalOnesStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		buses, _ := cluster(t, "a", "b", "c")
		var in [3]inbox
		for i, ps := range buses {
			subscribe(t, ps, "t", &in[i])
		}
		broadcast(t, buses[0], "t", "all")
		synctest.Wait()
		buses[1].BroadcastLocal(&pubsub.Message{Topic: "t", Event: "local"})
		synctest.Wait()
		in[0].expect(t, "all")
		in[1].expect(t, "all", "local")
		in[2].expect(t, "all")
	})
}

func TestADirectMessageReachesTheNamedNodeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		buses, _ := cluster(t, "a", "b", "c")
		var in [3]inbox
		for i, ps := range buses {
			subscribe(t, ps, "t", &in[i])
		}
		for _, node := range []string{"a", "b", "nobody"} {
			if err := buses[0].Direct(t.Context(), node, &pubsub.Message{Topic: "t", Event: "to " + node}); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		in[0].expect(t, "to a")
		in[1].expect(t, "to b")
		in[2].expect(t)
	})
}

func TestANodeAloneHasNobodyElseToSendTo(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	var in inbox
	subscribe(t, ps, "t", &in)
	for _, node := range []string{pubsub.DefaultNode, "nobody"} {
		if err := ps.Direct(t.Context(), node, &pubsub.Message{Topic: "t", Event: node}); err != nil {
			t.Error(err)
		}
	}
	in.expect(t, pubsub.DefaultNode)
}

func TestAFailingAdapterIsAnErrorAndNobodyHereIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		buses, nodes := cluster(t, "a", "b")
		var here, there inbox
		subscribe(t, buses[0], "t", &here)
		subscribe(t, buses[1], "t", &there)
		broken := errors.New("broken")
		nodes[0].Fail(broken)
		m := &pubsub.Message{Topic: "t", Event: "e"}
		for what, err := range map[string]error{
			"Broadcast": buses[0].Broadcast(t.Context(), m), // clause 245
			"Direct":    buses[0].Direct(t.Context(), "b", m),
		} {
			if !errors.Is(err, pubsub.ErrAdapter) || !errors.Is(err, broken) {
				t.Errorf("%s: %v, want ErrAdapter and its reason", what, err)
			}
		}
		buses[0].BroadcastLocal(&pubsub.Message{Topic: "t", Event: "local"})
		synctest.Wait()
		here.expect(t, "local")
		there.expect(t)
	})
}

// numbered finds out whether each publisher's messages come in order.
type numbered struct {
	mu    sync.Mutex
	next  map[string]int // by publisher
	total int
	wrong int
}

func (n *numbered) Deliver(m *pubsub.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var publisher string
	var number int
	_, _ = fmt.Sscanf(m.Event, "%s %d", &publisher, &number)
	if n.next == nil {
		n.next = make(map[string]int)
	}
	if n.next[publisher] != number {
		n.wrong++
	}
	n.next[publisher] = number + 1
	n.total++
}

func (n *numbered) expect(t *testing.T, total int) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.total != total || n.wrong > 0 {
		t.Errorf("%d messages came, %d out of order, want %d in order", n.total, n.wrong, total)
	}
}

// TestEachPublishersMessagesArriveInOrder has many publishers on each of two
// nodes, and subscribers of all sorts on both. O8, clause 241.
func TestEachPublishersMessagesArriveInOrder(t *testing.T) {
	const publishers, each = 8, 200
	synctest.Test(t, func(t *testing.T) {
		buses, _ := cluster(t, "a", "b")
		var got []*numbered
		for _, ps := range buses {
			n := new(numbered)
			subscribe(t, ps, "t", n)
			got = append(got, n)
			for range 2 {
				l := runLane(t)
				for range 3 {
					n := new(numbered)
					l.join(t, ps, "t", n)
					got = append(got, n)
				}
			}
		}
		publishAll(t, buses, publishers, each)
		synctest.Wait()
		for _, n := range got {
			n.expect(t, len(buses)*publishers*each)
		}
	})
}

func publishAll(t *testing.T, buses []*pubsub.PubSub, publishers, each int) {
	var wg sync.WaitGroup
	for b, ps := range buses {
		for p := range publishers {
			wg.Go(func() {
				for i := range each {
					broadcast(t, ps, "t", fmt.Sprintf("%d/%d %d", b, p, i))
				}
			})
		}
	}
	wg.Wait()
}

func TestAnAttachmentIsMadeOnceAndShared(t *testing.T) {
	m := new(pubsub.Message)
	var wg sync.WaitGroup
	got := make([]any, 50)
	for i := range got {
		wg.Go(func() { got[i] = m.Attachment(func() any { return new(int) }) })
	}
	wg.Wait()
	for _, a := range got {
		if a != got[0] {
			t.Fatal("two attachments")
		}
	}
}

func TestATopicsNameIsKeptOnce(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	name := []byte("room:1")
	before := ps.Intern(string(name))
	subscribe(t, ps, *before, new(inbox))
	one, two := ps.Intern("room:1"), ps.Intern("room:1")
	if one != two || *one != "room:1" {
		t.Errorf("%p %q and %p %q, want the topic's own name", one, *one, two, *two)
	}
}
