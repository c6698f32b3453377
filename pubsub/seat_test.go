package pubsub_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"unsafe"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/pubsub/pubsubtest"
)

// runner is a lane and the goroutine that owns it.
type runner struct {
	lane *lane.Lane
	wake chan struct{}
	quit chan struct{}
}

// runLane starts a lane that ends with the test.
func runLane(t *testing.T) *runner {
	r := &runner{wake: make(chan struct{}, 1), quit: make(chan struct{})}
	r.lane = lane.New(func() { r.wake <- struct{}{} }, 0)
	go r.run() // ends with quit
	t.Cleanup(func() { close(r.quit) })
	return r
}

func (r *runner) run() {
	for {
		r.lane.Drain()
		if !r.lane.Rest() {
			continue
		}
		select {
		case <-r.wake:
		case <-r.quit:
			return
		}
	}
}

// do runs f on the lane, and waits.
func (r *runner) do(f func()) {
	done := make(chan struct{})
	r.lane.Post(lane.Func(func() {
		defer close(done)
		f()
	}), nil)
	<-done
}

// join reserves a seat and activates it.
func (r *runner) join(t *testing.T, ps *pubsub.PubSub, topic string, to pubsub.Subscriber) *pubsub.Seat {
	t.Helper()
	s := reserve(t, ps, topic, r, to)
	r.do(s.Activate)
	return s
}

func reserve(t *testing.T, ps *pubsub.PubSub, topic string, r *runner, to pubsub.Subscriber) *pubsub.Seat {
	t.Helper()
	s := new(pubsub.Seat)
	if err := ps.Reserve(context.Background(), s, topic, r.lane, to); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestASeatIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(pubsub.Seat{}); n > 32 {
		t.Errorf("%d bytes", n)
	}
}

func TestASeatGetsMessagesFromItsActivationToItsEnd(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), runLane(t)
	in := new(inbox)
	s := reserve(t, ps, "t", l, in)
	holds(t, ps, "t", 1)
	broadcast(t, ps, "t", "before")
	l.do(s.Activate)
	broadcast(t, ps, "t", "during")
	l.do(s.Cancel)
	broadcast(t, ps, "t", "after")
	l.do(func() {})
	in.expect(t, "during")
	holds(t, ps, "t", 0)
}

func TestWhatWasPostedBeforeActivateIsDoneBeforeTheFirstMessage(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), runLane(t)
	in := new(inbox)
	s := reserve(t, ps, "t", l, in)
	l.lane.Post(lane.Func(func() { in.Deliver(&pubsub.Message{Event: "reply"}) }), nil)
	l.lane.Post(lane.Func(s.Activate), nil)
	broadcast(t, ps, "t", "first") // O6
	l.do(func() {})
	in.expect(t, "reply", "first")
}

func TestASeatMayBeCancelledBeforeItIsActivated(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), runLane(t)
	in := new(inbox)
	s := reserve(t, ps, "t", l, in)
	s.Cancel() // off the lane
	s.Cancel()
	l.do(s.Activate)
	broadcast(t, ps, "t", "e")
	l.do(func() {})
	in.expect(t)
	holds(t, ps, "t", 0)
}

func TestAnUnusedSeatMayBeCancelled(t *testing.T) {
	new(pubsub.Seat).Cancel()
}

func TestFromIsSkippedOnALane(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), runLane(t)
	from, other := new(inbox), new(inbox)
	l.join(t, ps, "t", from)
	l.join(t, ps, "t", other)
	ps.BroadcastLocal(&pubsub.Message{Topic: "t", Event: "e", From: from})
	l.do(func() {})
	from.expect(t)
	other.expect(t, "e")
}

func TestAFromThatCannotBeComparedSkipsNobodyOnALane(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), runLane(t)
	got := 0
	f := pubsub.SubscriberFunc(func(*pubsub.Message) { got++ })
	l.join(t, ps, "t", f)
	ps.BroadcastLocal(&pubsub.Message{Topic: "t", Event: "e", From: f})
	l.do(func() {})
	if got != 1 {
		t.Errorf("delivered %d times, want once", got)
	}
}

// leaver cancels its own seat when a message comes.
type leaver struct {
	inbox
	seat *pubsub.Seat
}

func (l *leaver) Deliver(m *pubsub.Message) {
	l.inbox.Deliver(m)
	l.seat.Cancel()
}

func TestASeatMayBeCancelledWhileItIsServed(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), runLane(t)
	var leavers [50]leaver
	var stay [50]inbox
	for i := range leavers {
		s := reserve(t, ps, "t", l, &leavers[i])
		leavers[i].seat = s
		l.do(s.Activate)
		l.join(t, ps, "t", &stay[i])
	}
	broadcast(t, ps, "t", "1")
	broadcast(t, ps, "t", "2")
	l.do(func() {})
	for i := range leavers {
		leavers[i].expect(t, "1")
		stay[i].expect(t, "1", "2")
	}
	holds(t, ps, "t", 50)
}

func TestLanesHaveTheirOwnGroups(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	lanes := []*runner{runLane(t), runLane(t), runLane(t)}
	in := make([]inbox, 30)
	seats := make([]*pubsub.Seat, len(in))
	for i := range in {
		seats[i] = lanes[i%3].join(t, ps, "t", &in[i])
	}
	broadcast(t, ps, "t", "1")
	for i := 1; i < len(in); i += 3 { // all of one lane
		lanes[1].do(seats[i].Cancel)
	}
	broadcast(t, ps, "t", "2")
	again := new(inbox)
	lanes[1].join(t, ps, "t", again)
	broadcast(t, ps, "t", "3")
	for _, l := range lanes {
		l.do(func() {})
	}
	for i := range in {
		if i%3 == 1 {
			in[i].expect(t, "1")
		} else {
			in[i].expect(t, "1", "2", "3")
		}
	}
	again.expect(t, "3")
	holds(t, ps, "t", 21)
}

// TestABroadcastVisitsEachLaneOnce: the cost of a broadcast does not grow with
// the subscribers of a lane.
func TestABroadcastVisitsEachLaneOnce(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), lane.New(func() {}, 0)
	in := make([]inbox, 1000)
	for i := range in {
		s := new(pubsub.Seat)
		if err := ps.Reserve(t.Context(), s, "t", l, &in[i]); err != nil {
			t.Fatal(err)
		}
		s.Activate()
	}
	broadcast(t, ps, "t", "e")
	if n := l.Drain(); n != 1 {
		t.Errorf("%d postings for %d subscribers, want one", n, len(in))
	}
	for i := range in {
		in[i].expect(t, "e")
	}
}

func TestAHerdThatLeavesLeavesOnlyTheOthers(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), lane.New(func() {}, 0)
	seats := make([]pubsub.Seat, 1000)
	in := make([]inbox, len(seats))
	for i := range seats {
		if err := ps.Reserve(t.Context(), &seats[i], "t", l, &in[i]); err != nil {
			t.Fatal(err)
		}
		seats[i].Activate()
	}
	for i := range seats {
		if i%100 != 0 {
			seats[i].Cancel()
		}
	}
	broadcast(t, ps, "t", "e")
	l.Drain()
	for i := range in {
		if i%100 == 0 {
			in[i].expect(t, "e")
		} else {
			in[i].expect(t)
		}
	}
}

func TestSeatsAreLinkedAndUnlinked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		buses, nodes := cluster(t, "a", "b")
		l, in := runLane(t), new(inbox)
		s := l.join(t, buses[1], "t", in)
		broadcast(t, buses[0], "t", "1")
		synctest.Wait()
		l.do(s.Cancel)
		broadcast(t, buses[0], "t", "2")
		synctest.Wait()
		in.expect(t, "1")
		balanced(t, nodes[1])
	})
}

func TestAReservationThatCannotBeLinkedIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(pubsubtest.Hub).Node("a")
		ps, broken := pubsub.New(pubsub.Config{Adapter: n}), errors.New("broken")
		n.Fail(broken)
		s := new(pubsub.Seat)
		err := ps.Reserve(t.Context(), s, "t", runLane(t).lane, new(inbox))
		if !errors.Is(err, pubsub.ErrAdapter) || !errors.Is(err, broken) {
			t.Errorf("got %v, want ErrAdapter and its reason", err)
		}
		holds(t, ps, "t", 0)
		s.Cancel()
		balanced(t, n)
		n.Fail(nil)
		subscribe(t, ps, "t", new(inbox)).Cancel()
		balanced(t, n)
	})
}

func TestEachMessageReachesTheSeatsInOneOrder(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), runLane(t)
	one, two := new(inbox), new(inbox)
	l.join(t, ps, "t", one)
	l.join(t, ps, "t", two)
	publishAll(t, []*pubsub.PubSub{ps}, 4, 100)
	l.do(func() {})
	if !slices.Equal(one.events, two.events) || len(one.events) != 400 {
		t.Errorf("%d and %d messages, want the same 400", len(one.events), len(two.events))
	}
}
