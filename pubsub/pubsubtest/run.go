// Package pubsubtest holds the suite that every [pubsub.Adapter] must pass,
// and a Hub: nodes within one process, for the tests of those who publish.
package pubsubtest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/wire"
)

// Run tests an adapter. link returns those of two nodes of a cluster that has
// no others; it is called for each test, and what it starts is ended with
// t.Cleanup. The suite calls the adapters' Run.
func Run(t *testing.T, link func(t *testing.T) (a, b pubsub.Adapter)) {
	s := suite{link}
	t.Run("each node has a name of its own", s.hasNames)
	t.Run("a broadcast reaches the other node, and not its own", s.reachesTheOther)
	t.Run("both nodes are publisher and subscriber", s.worksBothWays)
	t.Run("a message arrives as it was published", s.keepsMessages)
	t.Run("the sender stays on its node", s.keepsSender)
	t.Run("topics are compared exactly", s.comparesTopics)
	t.Run("a direct message reaches the named node", s.reachesTheNamed)
	t.Run("a direct message to an unknown node is no error", s.acceptsUnknownNodes)
	t.Run("a topic is wanted until its last Unsubscribe", s.countsSubscriptions)
	t.Run("a topic may be subscribed again before its earlier life ends", s.survivesOverlap)
	t.Run("a topic may be wanted again later", s.subscribesAgain)
	t.Run("a Subscribe that failed leaves nothing behind", s.forgetsFailures)
	t.Run("each publisher's messages to a topic arrive in order", s.keepsOrder)
	t.Run("a busy node gets its messages in order later", s.waitsForBusyNode)
	t.Run("serves many goroutines at once", s.isConcurrent)
	t.Run("Run ends with its context", s.ends)
	t.Run("Run may be called again, and what was subscribed still is", s.runsAgain)
}

type suite struct {
	link func(t *testing.T) (a, b pubsub.Adapter)
}

func (s suite) hasNames(t *testing.T) {
	a, b := s.link(t)
	name := a.Node()
	if name == "" || name == b.Node() || name != a.Node() {
		t.Errorf("the nodes are %q, later %q, and %q", name, a.Node(), b.Node())
	}
}

func (s suite) reachesTheOther(t *testing.T) {
	a, b := s.start(t)
	a.subscribe("t")
	b.subscribe("t")
	a.broadcast("t", "1")
	b.expect("t", "1")
	b.broadcast("t", "2")
	a.expect("t", "2") // and nothing before it
}

func (s suite) worksBothWays(t *testing.T) {
	a, b := s.start(t)
	a.subscribe("t")
	b.subscribe("t")
	for i := range 10 {
		a.broadcast("t", fmt.Sprint("a", i))
		b.broadcast("t", fmt.Sprint("b", i))
	}
	for i := range 10 {
		b.expect("t", fmt.Sprint("a", i))
		a.expect("t", fmt.Sprint("b", i))
	}
}

// samples are payloads and names that a link must not change.
func samples() []*pubsub.Message {
	odd := "ü ☃\n\x00*.>\"\\ %s"
	return []*pubsub.Message{
		{Topic: "plain", Event: "e", Payload: wire.JSON([]byte(`{"a":1}`))},
		{Topic: "no payload", Event: "e"},
		{Topic: "any JSON", Event: "e", Payload: wire.JSON([]byte(`[1.50, "\u00fc", null]`))},
		{Topic: "bytes", Event: "e", Payload: wire.Binary([]byte{0, 1, 0xff, '{', '}'})},
		{Topic: "no bytes", Event: "e", Payload: wire.Binary([]byte{})},
		{Topic: "no event"},
		{Topic: odd, Event: odd, Payload: wire.JSON([]byte(`{"odd":"` + "ü ☃" + `"}`))},
		{Topic: strings.Repeat("long:", 100), Event: strings.Repeat("e", 1000)},
		{Topic: "large", Event: "e", Payload: wire.Binary(make([]byte, 1<<20))},
	}
}

func (s suite) keepsMessages(t *testing.T) {
	a, b := s.start(t)
	for _, m := range samples() {
		b.subscribe(m.Topic)
		a.publish(m)
		same(t, b.next(), m)
	}
}

func (s suite) keepsSender(t *testing.T) {
	a, b := s.start(t)
	b.subscribe("t")
	a.publish(&pubsub.Message{Topic: "t", Event: "e", From: pubsub.SubscriberFunc(func(*pubsub.Message) {})})
	if m := b.next(); m.From != nil {
		t.Errorf("the message came with its sender: %v", m.From)
	}
}

func (s suite) comparesTopics(t *testing.T) {
	a, b := s.start(t)
	for _, topic := range []string{"room:1", "*", "room:*", "room:>", ">", "room.*", "room:?"} {
		b.subscribe(topic)
	}
	for _, other := range []string{"room:2", "room:", "room", "Room:1", "room:1 ", "room:12", "", "room.1"} {
		a.broadcast(other, "stray")
	}
	a.broadcast("room:1", "meant")
	b.expect("room:1", "meant")
}

func (s suite) reachesTheNamed(t *testing.T) {
	a, b := s.start(t)
	a.subscribe("t")
	b.subscribe("t")
	a.direct(b.adapter.Node(), "t", "1")
	b.expect("t", "1")
	b.broadcast("t", "2")
	a.expect("t", "2")
}

func (s suite) acceptsUnknownNodes(t *testing.T) {
	a, b := s.start(t)
	b.subscribe("t")
	a.direct("nobody@nowhere", "t", "lost")
	a.direct(b.adapter.Node(), "t", "found")
	b.expect("t", "found")
}

func (s suite) countsSubscriptions(t *testing.T) {
	a, b := s.start(t)
	b.subscribe("t")
	b.subscribe("t")
	b.subscribe("last")
	b.adapter.Unsubscribe("t")
	a.broadcast("t", "1")
	b.expect("t", "1")
	b.adapter.Unsubscribe("t")
	a.broadcast("last", "2")
	b.expect("last", "2")
}

func (s suite) survivesOverlap(t *testing.T) {
	a, b := s.start(t)
	b.subscribe("t")
	for i := range 20 {
		b.subscribe("t")
		b.adapter.Unsubscribe("t")
		a.broadcast("t", fmt.Sprint(i))
		b.expect("t", fmt.Sprint(i))
	}
}

func (s suite) subscribesAgain(t *testing.T) {
	a, b := s.start(t)
	for i := range 20 {
		b.subscribe("t")
		a.broadcast("t", fmt.Sprint(i))
		b.expect("t", fmt.Sprint(i))
		b.adapter.Unsubscribe("t")
	}
}

func (s suite) forgetsFailures(t *testing.T) {
	a, b := s.start(t)
	b.subscribe("last")
	for i := range 3 {
		b.refuse("t")
		b.subscribe("t")
		a.broadcast("t", fmt.Sprint(i))
		b.expect("t", fmt.Sprint(i))
		b.adapter.Unsubscribe("t") // the only one that is due
		a.broadcast("t", "stray")
		a.broadcast("last", "e")
		b.expect("last", "e")
	}
}

// publishers and messages of the tests of order.
const (
	publishers = 8
	topics     = 3
	each       = 200
)

func (s suite) keepsOrder(t *testing.T) {
	a, b := s.start(t)
	for i := range topics {
		b.subscribe(fmt.Sprint(i))
	}
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() { a.number(p) })
	}
	b.inOrder(publishers * topics * each)
	wg.Wait()
}

func (s suite) waitsForBusyNode(t *testing.T) {
	a, b := s.start(t)
	b.subscribe("t")
	b.busy.Lock()
	for i := range 100 {
		a.broadcast("t", fmt.Sprint(i))
	}
	b.busy.Unlock()
	for i := range 100 {
		b.expect("t", fmt.Sprint(i))
	}
}

func (s suite) isConcurrent(t *testing.T) {
	a, b := s.start(t)
	b.subscribe("t")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			own := fmt.Sprint("own", i)
			for range 50 {
				a.subscribe(own)
				b.subscribe(own)
				a.broadcast(own, "e")
				b.direct(a.adapter.Node(), own, "e")
				a.adapter.Unsubscribe(own)
				b.adapter.Unsubscribe(own)
			}
		})
	}
	wg.Wait()
	a.broadcast("t", "last")
	b.await("t", "last")
}

func (s suite) ends(t *testing.T) {
	a, b := s.start(t)
	a.end()
	b.subscribe("t")
	b.broadcast("t", "to nobody")
	b.end()
}

func (s suite) runsAgain(t *testing.T) {
	a, b := s.start(t)
	b.subscribe("before")
	b.end()
	b = run(t, b.adapter)
	b.subscribe("after") // returns when there is a link again
	for _, topic := range []string{"before", "after"} {
		a.broadcast(topic, "e")
		b.expect(topic, "e")
	}
}
