package pubsub_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/roostgo/roost/pubsub"
)

// TestTheAdaptersCallsStayBalanced has subscribers of all sorts come and go at
// once, on few topics, with a link that fails now and then. In the end nothing
// is wanted, and nothing was ever given up that was not wanted.
func TestTheAdaptersCallsStayBalanced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		buses, nodes := cluster(t, "a")
		c := &churn{t: t, ps: buses[0], lanes: []*runner{runLane(t), runLane(t)}}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 300 {
					c.step()
				}
			})
		}
		wg.Go(func() {
			for range 100 {
				nodes[0].Fail(errors.New("broken"))
				c.step()
				nodes[0].Fail(nil)
				c.step()
			}
		})
		wg.Wait()
		synctest.Wait()
		balanced(t, nodes[0])
		if n := c.ps.Topics(); n != 0 {
			t.Errorf("%d topics are left", n)
		}
	})
}

// churn is what comes and goes.
type churn struct {
	t     *testing.T
	ps    *pubsub.PubSub
	lanes []*runner
}

// step is the life of one subscriber.
func (c *churn) step() {
	topic := strconv.Itoa(rand.IntN(3)) //nolint:gosec // a test's choice guards nothing
	switch rand.IntN(5) {               //nolint:gosec // likewise
	case 0:
		c.cancel(topic)
	case 1:
		c.unsubscribe(topic)
	case 2:
		c.expire(topic)
	case 3:
		c.sit(topic)
	case 4:
		broadcastOrFail(c.ps, topic)
	}
}

func (c *churn) cancel(topic string) {
	s, err := c.ps.Subscribe(context.Background(), topic, new(inbox))
	if err == nil {
		s.Cancel()
	}
}

// unsubscribe ends a subscription while it is being made.
func (c *churn) unsubscribe(topic string) {
	in := new(inbox)
	var wg sync.WaitGroup
	wg.Go(func() { c.ps.Unsubscribe(topic, in) })
	_, _ = c.ps.Subscribe(context.Background(), topic, in)
	wg.Wait()
	c.ps.Unsubscribe(topic, in)
}

// expire lets a context end a subscription, or the making of it.
func (c *churn) expire(topic string) {
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	if s, err := c.ps.Subscribe(ctx, topic, new(inbox)); err == nil {
		s.EndWith(ctx)
	}
}

func (c *churn) sit(topic string) {
	l := c.lanes[rand.IntN(len(c.lanes))] //nolint:gosec // likewise
	s := new(pubsub.Seat)
	if err := c.ps.Reserve(context.Background(), s, topic, l.lane, new(inbox)); err != nil {
		return
	}
	if rand.IntN(4) == 0 { //nolint:gosec // likewise
		s.Cancel()
		return
	}
	l.do(s.Activate)
	l.do(s.Cancel)
}

// broadcastOrFail publishes; the link may be broken at this moment.
func broadcastOrFail(ps *pubsub.PubSub, topic string) {
	_ = ps.Broadcast(context.Background(), &pubsub.Message{Topic: topic, Event: "e"})
}
