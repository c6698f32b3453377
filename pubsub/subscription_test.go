package pubsub_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/pubsub/pubsubtest"
)

func TestASecondSubscriptionDeliversAgainAndUnsubscribeEndsAll(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	var in, other inbox
	subscribe(t, ps, "t", &in)
	subscribe(t, ps, "t", &in)
	subscribe(t, ps, "t", &other)
	broadcast(t, ps, "t", "1")
	ps.Unsubscribe("t", &in) // clause 238
	broadcast(t, ps, "t", "2")
	in.expect(t, "1", "1")
	other.expect(t, "1", "2")
	holds(t, ps, "t", 1)
}

func TestUnsubscribingWhatIsNotSubscribedDoesNothing(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	var in, other inbox
	subscribe(t, ps, "t", &in)
	ps.Unsubscribe("t", &other) // clause 239
	ps.Unsubscribe("other", &in)
	ps.Unsubscribe("t", pubsub.SubscriberFunc(in.Deliver))
	holds(t, ps, "t", 1)
}

func TestCancelEndsOneSubscription(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	var in inbox
	first := subscribe(t, ps, "t", &in)
	second := subscribe(t, ps, "t", &in)
	first.Cancel()
	first.Cancel() // ends nothing else
	broadcast(t, ps, "t", "e")
	in.expect(t, "e")
	second.Cancel()
	holds(t, ps, "t", 0)
	if ps.Topics() != 0 {
		t.Errorf("%d topics are left", ps.Topics())
	}
}

func TestASubscriptionEndsWithTheContextThatItWasGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ps := pubsub.New(pubsub.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 {
			subscribe(t, ps, "t", new(inbox)).EndWith(ctx)
		}
		cancel()
		synctest.Wait()
		holds(t, ps, "t", 0) // clause 240
	})
}

func TestASubscriptionOutlivesTheContextOfSubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, ps := newSlowLink()
		ctx, cancel := context.WithCancel(t.Context())
		in := new(inbox)
		go func() { a.answer <- nil }()
		if _, err := ps.Subscribe(ctx, "t", in); err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		broadcast(t, ps, "t", "e")
		in.expect(t, "e")
	})
}

func TestACancelledSubscriptionForgetsItsContext(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	ctx := &countingContext{Context: context.Background(), done: make(chan struct{})}
	s := subscribe(t, ps, "t", new(inbox))
	s.EndWith(ctx)
	if ctx.waiting != 1 {
		t.Errorf("%d wait for the context, want 1", ctx.waiting)
	}
	s.Cancel()
	if ctx.waiting != 0 {
		t.Errorf("%d wait for the context, want none", ctx.waiting)
	}
}

// countingContext counts who waits for it.
type countingContext struct {
	context.Context
	done    chan struct{}
	waiting int
}

func (c *countingContext) Done() <-chan struct{} { return c.done }

func (c *countingContext) AfterFunc(func()) (stop func() bool) {
	c.waiting++
	return func() bool {
		c.waiting--
		return true
	}
}

func TestFromIsSkippedOnce(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	var from, other inbox
	subscribe(t, ps, "t", &from)
	subscribe(t, ps, "t", &other)
	ps.BroadcastLocal(&pubsub.Message{Topic: "t", Event: "e", From: &from}) // clause 242
	from.expect(t)
	other.expect(t, "e")
}

func TestAFromThatCannotBeComparedSkipsNobody(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	got := 0
	f := pubsub.SubscriberFunc(func(*pubsub.Message) { got++ })
	subscribe(t, ps, "t", f)
	ps.BroadcastLocal(&pubsub.Message{Topic: "t", Event: "e", From: f})
	if got != 1 {
		t.Errorf("delivered %d times, want once", got)
	}
}

func TestASubscriberMayUnsubscribeWhileItIsCalled(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	var others [2]inbox
	subscribe(t, ps, "t", &others[0])
	quitter := &quitter{ps: ps}
	subscribe(t, ps, "t", quitter)
	subscribe(t, ps, "t", &others[1])
	broadcast(t, ps, "t", "1")
	broadcast(t, ps, "t", "2")
	for i := range others {
		others[i].expect(t, "1", "2")
	}
	quitter.expect(t, "1")
}

// quitter is an inbox that has enough after one message.
type quitter struct {
	inbox
	ps *pubsub.PubSub
}

func (q *quitter) Deliver(m *pubsub.Message) {
	q.inbox.Deliver(m)
	q.ps.Unsubscribe(m.Topic, q)
}

// TestSubscribersMayComeAndGoDuringDelivery: whoever stays gets everything,
// whoever goes gets what came before.
func TestSubscribersMayComeAndGoDuringDelivery(t *testing.T) {
	const messages = 500
	ps := pubsub.New(pubsub.Config{})
	stays := new(numbered)
	subscribe(t, ps, "t", stays)
	quit := make(chan struct{})
	var churn sync.WaitGroup
	for range 4 {
		churn.Go(func() {
			for {
				select {
				case <-quit:
					return
				default:
					s := subscribe(t, ps, "t", new(inbox))
					s.Cancel()
				}
			}
		})
	}
	publishAll(t, []*pubsub.PubSub{ps}, 2, messages)
	close(quit)
	churn.Wait()
	stays.expect(t, 2*messages)
	holds(t, ps, "t", 1)
}

// slowLink is an adapter whose Subscribe waits for an answer.
type slowLink struct {
	pubsub.Adapter
	node   *pubsubtest.Node // that does it
	answer chan error
}

func (s *slowLink) Subscribe(ctx context.Context, topic string) error {
	select {
	case err := <-s.answer:
		if err != nil {
			return err
		}
		return s.node.Subscribe(ctx, topic)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newSlowLink() (*slowLink, *pubsub.PubSub) {
	n := new(pubsubtest.Hub).Node("a")
	a := &slowLink{n, n, make(chan error)}
	return a, pubsub.New(pubsub.Config{Adapter: a})
}

// balanced fails the test unless nothing is wanted of a link any more, and
// nothing was given up that was not wanted.
func balanced(t *testing.T, n *pubsubtest.Node) {
	t.Helper()
	if wants := n.Wants(); len(wants) != 0 || n.Faults() != 0 {
		t.Errorf("%v is still wanted, %d Unsubscribes too many", wants, n.Faults())
	}
}

func TestATopicIsLinkedOnceForAllItsSubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		buses, nodes := cluster(t, "a")
		var subs []*pubsub.Subscription
		for range 3 {
			subs = append(subs, subscribe(t, buses[0], "t", new(inbox)))
		}
		if n := nodes[0].Wants()["t"]; n != 1 {
			t.Errorf("wanted %d times, want once", n)
		}
		holds(t, buses[0], "t", 3)
		for _, s := range subs {
			s.Cancel()
		}
		balanced(t, nodes[0])
	})
}

func TestSubscribersWaitForTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, ps := newSlowLink()
		var ready sync.WaitGroup
		for range 3 {
			ready.Go(func() { subscribe(t, ps, "t", new(inbox)) })
		}
		synctest.Wait()
		a.answer <- nil
		ready.Wait()
		holds(t, ps, "t", 3)
		if n := a.node.Wants()["t"]; n != 1 {
			t.Errorf("wanted %d times, want once", n)
		}
	})
}

func TestALinkThatFailsIsAnErrorForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, ps := newSlowLink()
		broken := errors.New("broken")
		errs := make(chan error, 4)
		for range 3 {
			go func() {
				_, err := ps.Subscribe(context.Background(), "t", new(inbox))
				errs <- err
			}()
		}
		go func() { errs <- ps.Reserve(context.Background(), new(pubsub.Seat), "t", runLane(t).lane, new(inbox)) }()
		synctest.Wait()
		a.answer <- broken
		for range 4 {
			if err := <-errs; !errors.Is(err, pubsub.ErrAdapter) || !errors.Is(err, broken) {
				t.Errorf("got %v, want ErrAdapter and its reason", err)
			}
		}
		holds(t, ps, "t", 0)
		balanced(t, a.node)
	})
}

func TestASubscriberThatGivesUpDoesNotEndTheLinkOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, ps := newSlowLink()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var first, second error
		go func() { _, first = ps.Subscribe(ctx, "t", new(inbox)) }()
		synctest.Wait()
		go func() { _, second = ps.Subscribe(context.Background(), "t", new(inbox)) }()
		synctest.Wait()
		<-ctx.Done()
		synctest.Wait()
		if !errors.Is(first, context.DeadlineExceeded) {
			t.Errorf("the first got %v, want its context's error", first)
		}
		a.answer <- nil
		synctest.Wait()
		if second != nil {
			t.Errorf("the second got %v", second)
		}
		holds(t, ps, "t", 1)
	})
}

func TestATopicThatEverybodyGaveUpIsUnlinkedWhenItIsLinked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, ps := newSlowLink()
		in := new(inbox)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = ps.Subscribe(ctx, "t", new(inbox)) }()
		go func() { _, _ = ps.Subscribe(context.Background(), "t", in) }()
		synctest.Wait()
		cancel()
		ps.Unsubscribe("t", in)
		synctest.Wait()
		balanced(t, a.node)
		a.answer <- nil
		synctest.Wait()
		balanced(t, a.node)
		if ps.Topics() != 0 {
			t.Errorf("%d topics are left", ps.Topics())
		}
	})
}
