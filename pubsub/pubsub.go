// Package pubsub carries messages from publishers to the subscribers of a
// topic, on this node and, through an Adapter, on all others.
//
// Topics are exact strings; there are no wildcards. Delivery is at most once
// and in order per publisher and topic. Subscribers that live on a lane (the
// channels of an event loop's connections) are kept in groups, one for each
// lane, which only that lane touches: a broadcast costs one posting per lane,
// and no lock while it is delivered.
package pubsub

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	"github.com/roostgo/roost/internal/ebb"
)

// ErrAdapter is wrapped by what Broadcast and Direct return when the adapter
// failed; nothing was delivered then, not on this node either [clause 245].
var ErrAdapter = errors.New("pubsub: adapter failed")

// DefaultNode names a node that was given no name.
const DefaultNode = "node@localhost"

// Config is what a PubSub is made of. The zero value works.
type Config struct {
	// Adapter links this node to others. Default: none; the node is alone.
	Adapter Adapter

	// Shards is how many parts the topic table is locked in, rounded up to a
	// power of two. Default: 64.
	Shards int
}

// PubSub is one node's part of the bus. It is safe for concurrent use.
type PubSub struct {
	// Immutable.
	adapter Adapter
	seed    maphash.Seed
	shards  []shard
	running chan struct{} // full while a Run has the adapter
}

type shard struct {
	mu     sync.RWMutex
	topics ebb.Map[string, *entry] // guarded by mu
	_      [24]byte                // one shard's lock on a cache line of its own
}

// entry is a topic, there while it has subscribers, unless it could not be
// linked: then it is out of the shard's table before the first of them knows,
// and who comes next makes another.
type entry struct {
	// Immutable.
	bus    *PubSub
	name   string
	shard  *shard
	linked chan struct{} // closed when the adapter has subscribed; nil without adapter

	// Guarded by shard.mu.
	refs   int      // subscriptions, and one more until linked is closed
	groups []*group // readers keep it: what lies within its length never changes
	subs   roll     // those without a lane
	labels []labelled

	linkErr error // written before linked is closed
}

// New returns a bus. It starts nothing; Run does.
func New(c Config) *PubSub {
	n := 1
	for n < c.Shards || c.Shards <= 0 && n < 64 {
		n *= 2
	}
	return &PubSub{adapter: c.Adapter, seed: maphash.MakeSeed(), shards: make([]shard, n), running: make(chan struct{}, 1)}
}

// Run keeps the adapter's link until ctx is done. A node without an adapter
// works without Run, too.
//
// Several may run at once, as Servers do that share a PubSub: one of them runs
// the adapter, so that each message comes once, and the others wait. When that
// one ends, for its context or with the adapter's error, another takes over.
func (ps *PubSub) Run(ctx context.Context) error {
	if ps.adapter == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	select {
	case ps.running <- struct{}{}:
		defer func() { <-ps.running }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if ctx.Err() != nil { // both were ready
		return ctx.Err()
	}
	return ps.adapter.Run(ctx, ps.dispatch)
}

// Node is this node's name as the adapter knows it.
func (ps *PubSub) Node() string {
	if ps.adapter == nil {
		return DefaultNode
	}
	return ps.adapter.Node()
}

// Broadcast delivers m to all subscribers of its topic on all nodes. The error
// wraps ErrAdapter, and then nobody on this node got it.
//
// It waits while a lane that has subscribers is over its bound.
func (ps *PubSub) Broadcast(ctx context.Context, m *Message) error {
	if ps.adapter != nil {
		if err := ps.adapter.Broadcast(ctx, m); err != nil {
			return fmt.Errorf("broadcast to topic %q: %w: %w", m.Topic, ErrAdapter, err)
		}
	}
	ps.dispatch(m)
	return nil
}

// BroadcastLocal delivers m on this node only. It cannot fail.
func (ps *PubSub) BroadcastLocal(m *Message) { ps.dispatch(m) }

// Direct delivers m on the named node only, which may be this one. A node that
// is not there is not an error.
func (ps *PubSub) Direct(ctx context.Context, node string, m *Message) error {
	switch {
	case node == ps.Node():
		ps.dispatch(m)
	case ps.adapter != nil:
		if err := ps.adapter.Direct(ctx, node, m); err != nil {
			return fmt.Errorf("direct broadcast to node %q: %w: %w", node, ErrAdapter, err)
		}
	}
	return nil
}

// Subscribers is how many subscriptions a topic has on this node.
func (ps *PubSub) Subscribers(name string) int {
	sh := ps.shard(name)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if t := sh.topics.Find(name); t != nil {
		return t.refs
	}
	return 0
}

// Topics is how many topics have subscribers on this node.
func (ps *PubSub) Topics() (n int) {
	for i := range ps.shards {
		sh := &ps.shards[i]
		sh.mu.RLock()
		n += sh.topics.Len()
		sh.mu.RUnlock()
	}
	return n
}

// Intern returns a lasting copy of a topic's name: the one that its
// subscribers share, if there are any.
func (ps *PubSub) Intern(name string) *string {
	sh := ps.shard(name)
	sh.mu.RLock()
	t := sh.topics.Find(name)
	sh.mu.RUnlock()
	if t != nil {
		return &t.name
	}
	own := strings.Clone(name)
	return &own
}

// dispatch delivers on this node.
func (ps *PubSub) dispatch(m *Message) {
	sh := ps.shard(m.Topic)
	sh.mu.RLock()
	t := sh.topics.Find(m.Topic)
	if t == nil {
		sh.mu.RUnlock()
		return
	}
	groups, subs := t.groups, t.subs.lend()
	sh.mu.RUnlock()

	for _, g := range groups {
		g.lane.Send(g, m)
	}
	for _, s := range subs {
		if !same(s.to, m.From) {
			s.to.Deliver(m)
		}
	}
}

func (ps *PubSub) shard(name string) *shard {
	return &ps.shards[maphash.String(ps.seed, name)&uint64(len(ps.shards)-1)] //nolint:gosec // at least one
}

// enter finds or makes the topic and counts one subscription. first says that
// the caller must link it.
func (ps *PubSub) enter(name string, to Subscriber, count func(*entry)) (t *entry, first bool) {
	sh, label := ps.shard(name), labelOf(to)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	t = sh.topics.Find(name)
	if t == nil {
		t = &entry{bus: ps, name: name, shard: sh} // name is its subscriber's own
		if ps.adapter != nil {
			t.linked = make(chan struct{})
			t.refs++ // the link's own: Unsubscribe cannot overtake Subscribe
		}
		sh.topics.Put(name, t)
		first = true
	}
	t.refs++
	t.label(label, 1)
	count(t)
	return t, first
}

// leave is the reverse of enter.
func (t *entry) leave(to Subscriber, uncount func(*entry)) {
	label := labelOf(to)
	t.shard.mu.Lock()
	uncount(t)
	t.label(label, -1)
	t.refs--
	last := t.refs == 0
	if last {
		t.forget()
	}
	t.shard.mu.Unlock()
	if a := t.bus.adapter; last && a != nil && t.linkErr == nil {
		a.Unsubscribe(t.name)
	}
}

// forget takes the topic out of the shard's table, unless another took its
// place. The shard is locked.
func (t *entry) forget() {
	if t.shard.topics.Find(t.name) == t {
		t.shard.topics.Delete(t.name)
	}
}

// link waits until the adapter brings the topic's messages to this node.
func (ps *PubSub) link(ctx context.Context, t *entry, first bool) error {
	if ps.adapter == nil {
		return nil
	}
	if first {
		go t.connect(context.WithoutCancel(ctx)) // ends with the adapter's answer; the subscribers wait for it
	}
	select {
	case <-t.linked:
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.linkErr != nil {
		return fmt.Errorf("subscribe to topic %q: %w: %w", t.name, ErrAdapter, t.linkErr)
	}
	return nil
}

// connect has the adapter bring the topic's messages to this node, for all who
// wait for it: no single subscriber's context ends it. When it fails they get
// the error, and they only: who enters from now on asks the adapter again.
func (t *entry) connect(ctx context.Context) {
	t.linkErr = t.bus.adapter.Subscribe(ctx, t.name)
	t.leave(nil, func(*entry) {
		if t.linkErr != nil {
			t.forget()
		}
	})
	close(t.linked)
}

// without returns a copy of list that lacks s.
func without[T comparable](list []T, s T) []T {
	i := slices.Index(list, s)
	if i < 0 {
		return list
	}
	return slices.Concat(list[:i], list[i+1:])
}
