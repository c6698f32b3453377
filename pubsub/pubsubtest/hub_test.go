package pubsubtest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/pubsub/pubsubtest"
)

func TestTheNodesOfAHubAreAdapters(t *testing.T) {
	pubsubtest.Run(t, func(*testing.T) (a, b pubsub.Adapter) {
		hub := new(pubsubtest.Hub)
		return hub.Node("a"), hub.Node("b")
	})
}

// pair is two nodes of which b wants a topic; got counts what comes to b.
func pair(t *testing.T) (a, b *pubsubtest.Node, got func() int) {
	t.Helper()
	hub := new(pubsubtest.Hub)
	a, b = hub.Node("a"), hub.Node("b")
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	go func() { _ = b.Run(ctx, func(*pubsub.Message) { n++ }) }() // ends with the test
	t.Cleanup(cancel)
	if err := b.Subscribe(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	return a, b, func() int {
		synctest.Wait()
		return n
	}
}

func TestANodeFailsWhenToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, got := pair(t)
		broken := errors.New("broken")
		a.Fail(broken)
		m := &pubsub.Message{Topic: "t"}
		for what, err := range map[string]error{
			"Broadcast": a.Broadcast(t.Context(), m),
			"Direct":    a.Direct(t.Context(), "b", m),
			"Subscribe": a.Subscribe(t.Context(), "t"),
		} {
			if !errors.Is(err, broken) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if n := got(); n != 0 || len(a.Wants()) != 0 {
			t.Errorf("%d messages came, %v is wanted", n, a.Wants())
		}
		a.Fail(nil)
		if err := a.Broadcast(t.Context(), m); err != nil || got() != 1 {
			t.Errorf("%v, %d messages came", err, got())
		}
	})
}

func TestACutNodeLosesMessagesSilently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, got := pair(t)
		for _, n := range []*pubsubtest.Node{a, b} {
			n.Cut()
			if err := a.Broadcast(t.Context(), &pubsub.Message{Topic: "t"}); err != nil || got() != 0 {
				t.Errorf("%v, %d messages came", err, got())
			}
			n.Mend()
		}
		if err := a.Broadcast(t.Context(), &pubsub.Message{Topic: "t"}); err != nil || got() != 1 {
			t.Errorf("%v, %d messages came", err, got())
		}
	})
}

func TestPublishersWaitForANodeThatDoesNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := new(pubsubtest.Hub)
		a, b := hub.Node("a"), hub.Node("b")
		if err := b.Subscribe(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		sent := 0
		go func() {
			for ; err == nil; sent++ {
				err = a.Broadcast(ctx, &pubsub.Message{Topic: "t"})
			}
		}()
		synctest.Wait()
		if sent != 1024 {
			t.Errorf("%d messages were sent", sent)
		}
		cancel()
		synctest.Wait()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
		if err := b.Run(ctx, func(*pubsub.Message) {}); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		for range 2000 { // nobody waits for a node that has ended
			if err := a.Broadcast(context.Background(), &pubsub.Message{Topic: "t"}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAHubCountsWhatIsWanted(t *testing.T) {
	n := new(pubsubtest.Hub).Node("a")
	for range 2 {
		if err := n.Subscribe(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
	}
	if n.Wants()["t"] != 2 {
		t.Errorf("%v is wanted, want t twice", n.Wants())
	}
	n.Unsubscribe("t")
	n.Unsubscribe("t")
	if len(n.Wants()) != 0 || n.Faults() != 0 {
		t.Errorf("%v is wanted, %d faults, want none", n.Wants(), n.Faults())
	}
	n.Unsubscribe("t")
	if n.Faults() != 1 {
		t.Errorf("%d faults, want 1", n.Faults())
	}
}

func TestNamesOfNodesAreUnique(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two nodes have one name")
		}
	}()
	hub := new(pubsubtest.Hub)
	hub.Node("a")
	hub.Node("a")
}
