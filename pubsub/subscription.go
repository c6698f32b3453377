package pubsub

import (
	"context"
	"reflect"
	"sync/atomic"

	"github.com/roostgo/roost/internal/lane"
)

// Subscriber receives a topic's messages. Deliver is called on the publisher's
// goroutine, or on the lane that the subscription was made for. It must not
// block, and must not change the message.
type Subscriber interface {
	Deliver(m *Message)
}

// SubscriberFunc is a Subscriber made of a function.
type SubscriberFunc func(*Message)

// Deliver calls f.
func (f SubscriberFunc) Deliver(m *Message) { f(m) }

// Subscription is one subscriber's place in one topic. The same subscriber may
// have several, and then gets each message as many times.
type Subscription struct {
	to    Subscriber
	topic *entry
	group *group      // nil without lane
	stop  func() bool // forgets the context; nil on a lane
	index int32       // place in group.subs; owned by the lane
	state atomic.Uint32
}

// The life of a subscription. Those of a lane are reserved first.
const (
	unused uint32 = iota
	reserved
	active
	cancelled
)

// Subscribe delivers a topic's messages to a subscriber until the subscription
// is cancelled or ctx is done. It returns when messages of other nodes arrive
// too; the error wraps ErrAdapter.
func (ps *PubSub) Subscribe(ctx context.Context, topic string, to Subscriber) (*Subscription, error) {
	s := &Subscription{to: to}
	t, first := ps.enter(topic, func(t *entry) { t.subs = append(t.subs, s) })
	s.topic = t
	s.state.Store(active)
	if err := ps.link(ctx, t, first); err != nil {
		s.Cancel()
		return nil, err
	}
	if ctx.Done() != nil {
		s.stop = context.AfterFunc(ctx, s.expire)
	}
	return s, nil
}

// Reserve prepares s, a zero Subscription, for delivery on a lane: from now on
// broadcasts pass by that lane, and Activate, on the lane, lets them in.
// It may block, and must not be called on a lane.
func (ps *PubSub) Reserve(ctx context.Context, s *Subscription, topic string, l *lane.Lane, to Subscriber) error {
	s.to = to
	t, first := ps.enter(topic, func(t *entry) {
		s.group = t.groupOf(l)
		s.group.refs++
	})
	s.topic = t
	s.state.Store(reserved)
	if err := ps.link(ctx, t, first); err != nil {
		s.Cancel()
		return err
	}
	return nil
}

// Activate lets messages in. Only the lane calls it, after Reserve.
func (s *Subscription) Activate() {
	if s.state.CompareAndSwap(reserved, active) {
		s.group.add(s)
	}
}

// Cancel ends the subscription; ending it again does nothing. One that is
// active on a lane is cancelled on that lane.
func (s *Subscription) Cancel() {
	was := s.state.Swap(cancelled)
	switch {
	case was == unused || was == cancelled:
		return
	case s.group == nil:
		s.withdraw()
		return
	case was == active:
		s.group.remove(s)
	}
	s.topic.leave(func(t *entry) {
		if s.group.refs--; s.group.refs == 0 {
			t.groups = without(t.groups, s.group)
		}
	})
}

// withdraw takes a subscription without lane out of its topic.
func (s *Subscription) withdraw() {
	if s.stop != nil {
		s.stop()
	}
	s.topic.leave(func(t *entry) { t.subs = without(t.subs, s) })
}

// expire is Cancel for a context that is done.
func (s *Subscription) expire() {
	if s.state.Swap(cancelled) == active {
		s.topic.leave(func(t *entry) { t.subs = without(t.subs, s) })
	}
}

// Unsubscribe cancels all subscriptions that Subscribe made for this topic and
// this subscriber. None is not an error.
func (ps *PubSub) Unsubscribe(topic string, to Subscriber) {
	sh := ps.shard(topic)
	sh.mu.RLock()
	var subs []*Subscription
	if t := sh.topics[topic]; t != nil {
		subs = t.subs
	}
	sh.mu.RUnlock()
	for _, s := range subs {
		if same(s.to, to) {
			s.Cancel()
		}
	}
}

// same compares subscribers; those of a type that cannot be compared, such as
// functions, are never the same.
func same(a, b Subscriber) bool {
	return reflect.TypeOf(a).Comparable() && reflect.TypeOf(b).Comparable() && a == b
}
