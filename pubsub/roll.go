package pubsub

import (
	"slices"
	"sync/atomic"
)

// roll is a topic's subscriptions that have no lane. The topic's shard guards
// it, so that publishers read it side by side. They walk over it when they have
// left the lock: what was lent to them is not changed but replaced, once,
// however many leave then.
type roll struct {
	list []*Subscription
	lent atomic.Bool // set with the lock held for reading
}

// lend returns the list as it is now, for whoever goes on without the lock.
func (r *roll) lend() []*Subscription {
	if len(r.list) > 0 && !r.lent.Load() { // most often it is lent already: a publisher then writes nothing
		r.lent.Store(true)
	}
	return r.list
}

// add appends s. Who was lent the list does not see so far.
func (r *roll) add(s *Subscription) {
	s.index = len(r.list)
	r.list = append(r.list, s)
}

// remove puts the last subscription in s's place: each subscriber gets a
// publisher's messages in order, and among subscribers there is none.
func (r *roll) remove(s *Subscription) {
	if r.lent.Swap(false) {
		r.list = slices.Clone(r.list)
	}
	last := len(r.list) - 1
	moved := r.list[last]
	r.list[s.index], moved.index = moved, s.index
	r.list[last] = nil
	r.list = r.list[:last]
	if cap(r.list) > 64 && len(r.list) < cap(r.list)/4 {
		r.list = slices.Clone(r.list) // a herd's memory goes back
	}
}
