package pubsub_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/pubsub/pubsubtest"
)

// flaky is an adapter whose first Subscribe fails.
type flaky struct {
	pubsub.Adapter
	node  *pubsubtest.Node // that does it
	asked atomic.Int32
}

func (f *flaky) Subscribe(ctx context.Context, topic string) error {
	if f.asked.Add(1) == 1 {
		return errors.New("once")
	}
	return f.node.Subscribe(ctx, topic)
}

func newFlaky() (*flaky, *pubsub.PubSub) {
	n := new(pubsubtest.Hub).Node("a")
	a := &flaky{Adapter: n, node: n}
	return a, pubsub.New(pubsub.Config{Adapter: a})
}

func TestOneFailureOfTheLinkFailsNobodyTwice(t *testing.T) {
	const herd = 64
	a, ps := newFlaky()
	var wg sync.WaitGroup
	for range herd {
		wg.Go(func() {
			if _, err := ps.Subscribe(context.Background(), "t", new(inbox)); err != nil {
				subscribe(t, ps, "t", new(inbox))
			}
		})
	}
	wg.Wait()
	holds(t, ps, "t", herd)
	if n := a.asked.Load(); n != 2 || a.node.Wants()["t"] != 1 {
		t.Errorf("the adapter was asked %d times and wants %v, want twice, and the topic once", n, a.node.Wants())
	}
}

// lingerer is a subscriber that takes its time to leave.
type lingerer struct {
	inbox
	asked atomic.Int32
	leave chan struct{}
}

func (l *lingerer) Label() any {
	if l.asked.Add(1) > 1 {
		<-l.leave
	}
	return "lingerer"
}

func TestWhoLingersInATopicThatFailedKeepsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, ps := newFlaky()
		l := &lingerer{leave: make(chan struct{})}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := ps.Subscribe(context.Background(), "t", l); !errors.Is(err, pubsub.ErrAdapter) {
				t.Errorf("got %v, want ErrAdapter", err)
			}
		})
		synctest.Wait()
		in := new(inbox)
		s := subscribe(t, ps, "t", in)
		close(l.leave)
		wg.Wait()
		holds(t, ps, "t", 1)
		broadcast(t, ps, "t", "e")
		in.expect(t, "e")
		l.expect(t)
		s.Cancel()
		holds(t, ps, "t", 0)
		balanced(t, a.node)
	})
}
