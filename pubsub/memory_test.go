package pubsub_test

import (
	"context"
	"runtime"
	"strconv"
	"testing"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/internal/testleak"
	"github.com/roostgo/roost/pubsub"
)

// givesBack fails the test when more than a twentieth of the memory that come
// took is left after leave.
func givesBack(t *testing.T, come, leave func()) {
	t.Helper()
	before := testleak.Heap()
	come()
	full := testleak.Heap() - before
	leave()
	left := testleak.Heap() - before
	if left > full/20 {
		t.Errorf("%d of %d bytes are left", left, full)
	}
}

func TestAHerdOfTopicsLeavesNothing(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	names, subs := make([]string, 1<<16), make([]*pubsub.Subscription, 1<<16)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	to := new(inbox)
	givesBack(t, func() {
		for i, name := range names {
			subs[i] = subscribe(t, ps, name, to)
		}
	}, func() {
		for _, s := range subs {
			s.Cancel()
		}
		clear(subs)
	})
	runtime.KeepAlive(ps)
	runtime.KeepAlive(names)
	runtime.KeepAlive(subs)
}

func TestAHerdOfSubscribersLeavesATopicSmall(t *testing.T) {
	ps, to := pubsub.New(pubsub.Config{}), new(inbox)
	subscribe(t, ps, "t", to) // stays, and so does the topic
	subs := make([]*pubsub.Subscription, 1<<16)
	givesBack(t, func() {
		for i := range subs {
			subs[i] = subscribe(t, ps, "t", to)
		}
	}, func() {
		for _, s := range subs {
			s.Cancel()
		}
		clear(subs)
	})
	runtime.KeepAlive(ps)
	runtime.KeepAlive(subs)
}

func TestAHerdOfSeatsLeavesItsGroupSmall(t *testing.T) {
	ps, l, to := pubsub.New(pubsub.Config{}), lane.New(func() {}, 0), new(inbox)
	seats := make([]pubsub.Seat, 1<<16) // are the subscribers' own
	givesBack(t, func() {
		for i := range seats {
			if err := ps.Reserve(context.Background(), &seats[i], "t", l, to); err != nil {
				t.Fatal(err)
			}
			seats[i].Activate()
		}
	}, func() {
		for i := range seats[1:] { // the first stays, and so does the group
			seats[i+1].Cancel()
		}
	})
	runtime.KeepAlive(ps)
	runtime.KeepAlive(seats)
}
