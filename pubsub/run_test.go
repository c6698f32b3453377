package pubsub_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/pubsub/pubsubtest"
)

// counted is an adapter that counts its Runs, and ends one when told to.
type counted struct {
	pubsub.Adapter
	now, ever atomic.Int32
	quit      chan error
}

func (c *counted) Run(ctx context.Context, deliver func(*pubsub.Message)) error {
	c.ever.Add(1)
	c.now.Add(1)
	defer c.now.Add(-1)
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- c.Adapter.Run(own, deliver) }() // ends with own
	select {
	case err := <-c.quit:
		cancel()
		return errors.Join(err, <-ended)
	case err := <-ended:
		return err
	}
}

func (c *counted) expect(t *testing.T, now int32) {
	t.Helper()
	synctest.Wait()
	if n := c.now.Load(); n != now {
		t.Errorf("the adapter runs %d times at once, want %d", n, now)
	}
}

// start starts a Run; err gets what it returns.
func start(ps *pubsub.PubSub) (stop func(), err chan error) {
	ctx, cancel := context.WithCancel(context.Background())
	err = make(chan error, 1)
	go func() { err <- ps.Run(ctx) }() // ends with stop
	synctest.Wait()
	return cancel, err
}

func TestSeveralRunsRunTheAdapterOnceUntilTheLastOfThemEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := new(pubsubtest.Hub)
		a, far := &counted{Adapter: hub.Node("a")}, pubsub.New(pubsub.Config{Adapter: hub.Node("far")})
		ps := pubsub.New(pubsub.Config{Adapter: a})
		var stops [4]func()
		var errs [4]chan error
		for i := range stops {
			stops[i], errs[i] = start(ps)
		}
		in := new(inbox)
		subscribe(t, ps, "t", in)
		var want []string
		for _, stop := range []int{0, 2, 3, 1} { // some before their turn has come
			a.expect(t, 1)
			broadcast(t, far, "t", "e")
			synctest.Wait()
			want = append(want, "e")
			in.expect(t, want...)
			stops[stop]()
			if err := <-errs[stop]; !errors.Is(err, context.Canceled) {
				t.Errorf("Run %d ended with %v", stop, err)
			}
		}
		a.expect(t, 0)
	})
}

func TestARunWhoseAdapterFailsHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &counted{Adapter: new(pubsubtest.Hub).Node("a"), quit: make(chan error)}
		ps := pubsub.New(pubsub.Config{Adapter: a})
		_, first := start(ps)
		stop, second := start(ps)
		a.expect(t, 1)
		broken := errors.New("broken")
		a.quit <- broken
		if err := <-first; !errors.Is(err, broken) {
			t.Errorf("the first Run ended with %v, want the adapter's error", err)
		}
		a.expect(t, 1)
		stop()
		if err := <-second; !errors.Is(err, context.Canceled) {
			t.Errorf("the second Run ended with %v", err)
		}
		a.expect(t, 0)
	})
}

func TestARunWhoseContextIsDoneDoesNotRunTheAdapter(t *testing.T) {
	a := &counted{Adapter: new(pubsubtest.Hub).Node("a")}
	ps := pubsub.New(pubsub.Config{Adapter: a})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		if err := ps.Run(ctx); !errors.Is(err, context.Canceled) || a.ever.Load() != 0 {
			t.Fatalf("Run: %v, and the adapter ran %d times", err, a.ever.Load())
		}
	}
}
