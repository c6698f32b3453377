//go:build !race

package pubsub_test

import (
	"testing"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/pubsub"
)

// Not with the race detector, which allocates itself.

func TestDeliveringDoesNotAllocate(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), lane.New(func() {}, 0)
	got := 0
	count := pubsub.SubscriberFunc(func(*pubsub.Message) { got++ })
	subscribe(t, ps, "t", count)
	for range 100 {
		s := new(pubsub.Seat)
		if err := ps.Reserve(t.Context(), s, "t", l, count); err != nil {
			t.Fatal(err)
		}
		s.Activate()
	}
	m := &pubsub.Message{Topic: "t", Event: "e"}
	deliver := func() {
		ps.BroadcastLocal(m)
		l.Drain()
	}
	deliver() // the lane's lists grow
	if n := testing.AllocsPerRun(100, deliver); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if got != 102*101 { // AllocsPerRun runs once more
		t.Errorf("delivered %d times", got)
	}
}
