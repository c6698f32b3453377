package conformance

import (
	"context"
	"sync"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/pubsub/pubsubtest"
)

// member is one server of a cluster.
type member struct {
	*server
	node *pubsubtest.Node
}

// cluster starts servers with the engine of s that are linked with each other; configure may be nil.
func (s *server) cluster(t *testing.T, configure func(*roost.Config), names ...string) (members []member) {
	t.Helper()
	hub := new(pubsubtest.Hub)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { // after the servers have ended
		cancel()
		running.Wait()
		for _, m := range members {
			if wants := m.node.Wants(); len(wants) > 0 || m.node.Faults() > 0 {
				t.Errorf("%s still wants %v, and gave up %d times what it did not want", m.node.Node(), wants, m.node.Faults())
			}
		}
	})
	for _, name := range names {
		node := hub.Node(name)
		bus := pubsub.New(pubsub.Config{Adapter: node})
		running.Go(func() { _ = bus.Run(ctx) }) // ends with ctx
		members = append(members, member{s.another(t, func(c *roost.Config) {
			c.PubSub = bus
			if configure != nil {
				configure(c)
			}
		}), node})
	}
	return members
}

// hooked is an adapter that calls a function while a topic is being subscribed: between Connect and the connection,
// between Join and its answer.
type hooked struct {
	pubsub.Adapter
	hook func(topic string)
}

func (h *hooked) Subscribe(ctx context.Context, topic string) error {
	h.hook(topic)
	return h.Adapter.Subscribe(ctx, topic)
}

// hook starts a server, with the engine of s, whose adapter calls f.
func (s *server) hook(t *testing.T, configure func(*roost.Config), f func(hooked *server, topic string)) *server {
	t.Helper()
	var h *server
	adapter := &hooked{Adapter: new(pubsubtest.Hub).Node("hooked"), hook: func(topic string) { f(h, topic) }}
	h = s.another(t, func(c *roost.Config) {
		c.PubSub = pubsub.New(pubsub.Config{Adapter: adapter})
		configure(c)
	})
	return h
}
