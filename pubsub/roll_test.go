package pubsub_test

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/roostgo/roost/pubsub"
)

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestAHerdThatLeavesCopiesItsListOnce: a copy for each of them would be 64 MB.
func TestAHerdThatLeavesCopiesItsListOnce(t *testing.T) {
	const herd, most = 4000, 4 * 8 * 4000
	for name, end := range map[string]func(*pubsub.PubSub, *pubsub.Subscription, *inbox){
		"Cancel":      func(_ *pubsub.PubSub, s *pubsub.Subscription, _ *inbox) { s.Cancel() },
		"Unsubscribe": func(ps *pubsub.PubSub, _ *pubsub.Subscription, in *inbox) { ps.Unsubscribe("t", in) },
	} {
		t.Run(name, func(t *testing.T) {
			ps := pubsub.New(pubsub.Config{})
			in, subs := make([]inbox, herd), make([]*pubsub.Subscription, herd)
			for i := range in {
				subs[i] = subscribe(t, ps, "t", &in[i])
			}
			broadcast(t, ps, "t", "e")
			bytes := allocated(func() {
				for i := range subs {
					end(ps, subs[i], &in[i])
				}
			})
			holds(t, ps, "t", 0)
			perCancel := uint64(herd) * 64 // of Unsubscribe, which lists what it ends
			if bytes > most+perCancel {
				t.Errorf("%d cancels allocated %d bytes, want %d at most", herd, bytes, most+perCancel)
			}
		})
	}
}

// TestWhoeverIsInTheMiddleOfAListKeepsIt: others come and go while a message
// is on its way through the list, and it reaches whom it was published to.
func TestWhoeverIsInTheMiddleOfAListKeepsIt(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	var got [100]atomic.Int32
	var subs []*pubsub.Subscription
	subscribe(t, ps, "t", pubsub.SubscriberFunc(func(*pubsub.Message) { // is first
		for i := range got {
			subs[i].Cancel()
			subscribe(t, ps, "t", new(inbox))
		}
	}))
	for i := range got {
		subs = append(subs, subscribe(t, ps, "t", pubsub.SubscriberFunc(func(*pubsub.Message) { got[i].Add(1) })))
	}
	broadcast(t, ps, "t", "e")
	for i := range got {
		if n := got[i].Load(); n != 1 {
			t.Errorf("subscriber %d got it %d times", i, n)
		}
	}
	holds(t, ps, "t", 101)
}

func TestThoseWhoStayOnARollGetEverythingInOrder(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	in, subs := make([]inbox, 300), make([]*pubsub.Subscription, 300)
	for i := range in {
		subs[i] = subscribe(t, ps, "t", &in[i])
	}
	want := make([]int, len(in)) // messages before its end
	for i := range in {
		broadcast(t, ps, "t", string(rune('a'+i)))
		j := (i * 7) % len(in) // each once, in an order of their own
		if j%2 == 0 {
			subs[j].Cancel()
			want[j] = i + 1
		} else {
			want[j] = len(in)
		}
	}
	for i := range in {
		if n := len(in[i].events); n != want[i] || !slices.IsSorted(in[i].events) {
			t.Errorf("subscriber %d got %d messages, want %d in order", i, n, want[i])
		}
	}
	holds(t, ps, "t", 150)
}
