package pubsubtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/roostgo/roost/pubsub"
)

// Hub links nodes within one process: a cluster for tests. What is broadcast
// comes to each other node that wants the topic, in one order for all topics.
//
// The zero value is ready. It is safe for concurrent use.
type Hub struct {
	mu    sync.Mutex
	nodes map[string]*Node // guarded by mu
}

// Node returns the adapter of a new node. It panics when there is one of that
// name.
func (h *Hub) Node(name string) *Node {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.nodes[name] != nil {
		panic(fmt.Sprintf("pubsubtest: there is a node %q already: give each its own name", name))
	}
	n := &Node{
		hub: h, name: name,
		inbox: make(chan *pubsub.Message, inboxSize), gone: make(chan struct{}), wants: make(map[string]int),
	}
	if h.nodes == nil {
		h.nodes = make(map[string]*Node)
	}
	h.nodes[name] = n
	return n
}

// except returns all nodes but one.
func (h *Hub) except(n *Node) []*Node {
	h.mu.Lock()
	defer h.mu.Unlock()
	others := slices.Collect(maps.Values(h.nodes))
	return slices.DeleteFunc(others, func(o *Node) bool { return o == n })
}

func (h *Hub) find(name string) *Node {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.nodes[name]
}

// inboxSize is how many messages wait for a node before their publishers do.
const inboxSize = 1024

// Node is the [pubsub.Adapter] of one node of a Hub. Besides it counts what
// its PubSub wants, fails when told to, and can be cut off.
type Node struct {
	// Immutable.
	hub   *Hub
	name  string
	inbox chan *pubsub.Message

	mu     sync.Mutex
	gone   chan struct{}  // closed when Run has ended; guarded by mu
	wants  map[string]int // Subscribe less Unsubscribe, where that is not 0; guarded by mu
	faults int            // Unsubscribes that no Subscribe came before; guarded by mu
	err    error          // guarded by mu
	cut    bool           // guarded by mu
}

// Fail makes Broadcast, Direct and Subscribe fail from now on; with nil they
// work again.
func (n *Node) Fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err = err
}

// Cut loses what is sent to this node and by it, without an error, until Mend.
func (n *Node) Cut() { n.link(true) }

// Mend ends Cut.
func (n *Node) Mend() { n.link(false) }

func (n *Node) link(cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = cut
}

// Wants says which topics are subscribed now, and how many Subscribes no
// Unsubscribe came after.
func (n *Node) Wants() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.wants)
}

// Faults is how many Unsubscribes came without a Subscribe before them.
func (n *Node) Faults() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.faults
}

// Node implements pubsub.Adapter.
func (n *Node) Node() string { return n.name }

// Run implements pubsub.Adapter. What came before it is kept; a node runs
// once at a time.
func (n *Node) Run(ctx context.Context, deliver func(*pubsub.Message)) error {
	defer close(n.begin())
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-n.inbox:
			deliver(m)
		}
	}
}

// begin returns what is to be closed when a Run has ended.
func (n *Node) begin() chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.gone: // it ran before
		n.gone = make(chan struct{})
	default:
	}
	return n.gone
}

// Broadcast implements pubsub.Adapter. It waits while a node does not take
// its messages.
func (n *Node) Broadcast(ctx context.Context, m *pubsub.Message) error {
	return n.send(ctx, m, n.hub.except(n)...)
}

// Direct implements pubsub.Adapter.
func (n *Node) Direct(ctx context.Context, node string, m *pubsub.Message) error {
	to := n.hub.find(node)
	if to == nil {
		return n.send(ctx, m)
	}
	return n.send(ctx, m, to)
}

func (n *Node) send(ctx context.Context, m *pubsub.Message, to ...*Node) error {
	n.mu.Lock()
	err, cut := n.err, n.cut
	n.mu.Unlock()
	if err != nil || cut {
		return err
	}
	for _, o := range to {
		if err := o.take(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// take puts a copy into the inbox: whatever is kept with a message, and its
// sender, stay on their node.
func (n *Node) take(ctx context.Context, m *pubsub.Message) error {
	n.mu.Lock()
	wanted, gone := n.wants[m.Topic] > 0 && !n.cut, n.gone
	n.mu.Unlock()
	if !wanted {
		return nil
	}
	own := &pubsub.Message{Topic: m.Topic, Event: m.Event, Payload: m.Payload}
	select {
	case n.inbox <- own: // as long as there is room, for a Run that comes later too
		return nil
	default:
	}
	select {
	case n.inbox <- own:
		return nil
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Subscribe implements pubsub.Adapter.
func (n *Node) Subscribe(_ context.Context, topic string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err == nil {
		n.count(topic, +1)
	}
	return n.err
}

// Unsubscribe implements pubsub.Adapter.
func (n *Node) Unsubscribe(topic string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.wants[topic] <= 0 {
		n.faults++
	}
	n.count(topic, -1)
}

// count is called with mu held.
func (n *Node) count(topic string, by int) {
	n.wants[topic] += by
	if n.wants[topic] == 0 {
		delete(n.wants, topic)
	}
}
