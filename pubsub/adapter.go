package pubsub

import "context"

// Adapter is the only door between nodes. A node without one is alone.
//
// Its methods are safe for concurrent use. pubsubtest.Run is the suite that
// every adapter must pass.
type Adapter interface {
	// Node is this node's name, unique in the cluster.
	Node() string

	// Run keeps the link to the other nodes until ctx is done. deliver is
	// called with what they broadcast: the messages of one publisher to one
	// topic in the order in which they were published [O8]. deliver may block
	// while this node is busy; what then piles up is the adapter's to bound.
	//
	// It runs once at a time, and again after it has ended or failed: what was
	// subscribed stays subscribed.
	Run(ctx context.Context, deliver func(*Message)) error

	// Broadcast hands m to all other nodes, not to this one.
	Broadcast(ctx context.Context, m *Message) error

	// Direct hands m to one node. A node that is not there is not an error
	// [clause 244].
	Direct(ctx context.Context, node string, m *Message) error

	// Subscribe says that this node wants a topic from now on, and returns
	// when it will get it. It may block, but not for ever: all who want the
	// topic wait for it, and ctx is not done when one of them gives up. After
	// an error there is no Unsubscribe.
	Subscribe(ctx context.Context, topic string) error

	// Unsubscribe says that it does not want it any more. It must not block.
	// Calls are balanced, and a topic may be subscribed again before the
	// Unsubscribe of its earlier life arrives: an adapter counts.
	Unsubscribe(topic string)
}
