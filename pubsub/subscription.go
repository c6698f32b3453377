package pubsub

import (
	"context"
	"reflect"
	"sync/atomic"
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

// same compares subscribers; those of a type that cannot be compared, such as
// functions, are never the same.
func same(a, b Subscriber) bool {
	return a != nil && b != nil && reflect.TypeOf(a).Comparable() && a == b
}

// Subscription is one subscriber's place in one topic. The same subscriber may
// have several, and then gets each message as many times.
type Subscription struct {
	to        Subscriber
	topic     *entry
	index     int                         // place in topic.subs; guarded by the topic's shard
	stop      atomic.Pointer[func() bool] // forgets the context; nil without one
	cancelled atomic.Bool
}

// Subscribe delivers a topic's messages to a subscriber until the subscription
// is cancelled. It returns when messages of other nodes arrive too; ctx bounds
// that wait and nothing else: see EndWith. The error is that of ctx, or wraps
// ErrAdapter.
func (ps *PubSub) Subscribe(ctx context.Context, topic string, to Subscriber) (*Subscription, error) {
	s := &Subscription{to: to}
	t, first := ps.enter(topic, to, func(t *entry) {
		s.topic = t
		t.subs.add(s)
	})
	if err := ps.link(ctx, t, first); err != nil {
		s.Cancel()
		return nil, err
	}
	return s, nil
}

// EndWith has the subscription end when ctx is done, too. It is called once at
// most, by whoever subscribed.
func (s *Subscription) EndWith(ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	stop := context.AfterFunc(ctx, s.withdraw)
	s.stop.Store(&stop)
	if s.cancelled.Load() { // by Unsubscribe, meanwhile
		stop()
	}
}

// Cancel ends the subscription; ending it again does nothing. A message that
// is being published at this moment may still be delivered. It may be called
// from any goroutine.
func (s *Subscription) Cancel() {
	if stop := s.stop.Load(); stop != nil {
		(*stop)()
	}
	s.withdraw()
}

// withdraw takes the subscription out of its topic, once.
func (s *Subscription) withdraw() {
	if !s.cancelled.Swap(true) {
		s.topic.leave(s.to, func(t *entry) { t.subs.remove(s) })
	}
}

// Unsubscribe cancels all subscriptions that Subscribe made for this topic and
// this subscriber. None is not an error.
func (ps *PubSub) Unsubscribe(topic string, to Subscriber) {
	for _, s := range ps.subscriptions(topic, to) {
		s.Cancel()
	}
}

// subscriptions are those of one subscriber to one topic. It looks for them
// under the lock: a list that was lent is copied when the first of them leaves.
func (ps *PubSub) subscriptions(topic string, to Subscriber) (found []*Subscription) {
	sh := ps.shard(topic)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	t := sh.topics.Find(topic)
	if t == nil {
		return nil
	}
	for _, s := range t.subs.list {
		if same(s.to, to) {
			found = append(found, s)
		}
	}
	return found
}
