package pubsub

import (
	"context"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/roostgo/roost/internal/lane"
)

// Seat is a subscription whose messages are delivered on a lane. It is part of
// its subscriber, because there is one for every joined channel: 32 bytes.
//
// It is reserved first, off the lane, and then activated on the lane: only
// from then on messages come in. Since the lane runs its tasks in order, what
// was posted to it before Activate is done before the first message.
type Seat struct {
	to    Subscriber
	group *group
	index int32 // place in group.seats; owned by the lane
	state atomic.Uint32
}

// The life of a seat.
const (
	unused uint32 = iota
	reserved
	active
	left
)

// Reserve prepares s, a zero Seat, for delivery on a lane: from now on
// broadcasts pass by that lane. It returns when messages of other nodes do,
// too; the error wraps ErrAdapter. It may block, and must not be called on a
// lane.
func (ps *PubSub) Reserve(ctx context.Context, s *Seat, topic string, l *lane.Lane, to Subscriber) error {
	return ps.ReserveThen(ctx, s, topic, l, to, func() {})
}

// ReserveThen is Reserve that calls then before it waits for other nodes: what
// then posts to the lane runs before every broadcast of this node that is
// published after it.
func (ps *PubSub) ReserveThen(ctx context.Context, s *Seat, topic string, l *lane.Lane, to Subscriber, then func()) error {
	s.to = to
	t, first := ps.enter(topic, to, func(t *entry) {
		s.group = t.groupOf(l)
		s.group.refs++
	})
	s.state.Store(reserved)
	then()
	if err := ps.link(ctx, t, first); err != nil {
		s.Release()
		return err
	}
	return nil
}

// Activate lets messages in. Only the lane calls it, after Reserve.
func (s *Seat) Activate() {
	if s.state.CompareAndSwap(reserved, active) {
		s.group.add(s)
	}
}

// Cancel ends the seat; ending it again, or one that was never reserved, does
// nothing. Only the lane calls it.
func (s *Seat) Cancel() {
	switch s.state.Swap(left) {
	case unused, left:
		return
	case active:
		s.group.remove(s)
	}
	s.uncount()
}

// Release is Cancel for those who are not on the lane. It returns at once.
func (s *Seat) Release() {
	if s.state.Load() == unused || s.group.lane.Post(lane.Func(s.Cancel), nil) {
		return
	}
	if was := s.state.Swap(left); was != left { // the lane is no more: nobody walks over its seats
		s.uncount()
	}
}

func (s *Seat) uncount() {
	s.group.topic.leave(s.to, func(t *entry) {
		if s.group.refs--; s.group.refs == 0 {
			t.groups = without(t.groups, s.group)
		}
	})
}

// group is a topic's seats on one lane.
type group struct {
	// Immutable.
	lane  *lane.Lane
	topic *entry

	refs  int     // reserved and active; guarded by the topic's shard
	seats []*Seat // owned by the lane
}

// groupOf finds or makes the topic's group of a lane. The shard is locked.
func (t *entry) groupOf(l *lane.Lane) *group {
	for _, g := range t.groups {
		if g.lane == l {
			return g
		}
	}
	g := &group{lane: l, topic: t}
	t.groups = append(slices.Clip(t.groups), g)
	return g
}

// Run delivers one message on the lane. It goes from the last to the first, so
// that a subscriber which cancels itself while it is called disturbs nobody.
func (g *group) Run(m any) {
	msg := m.(*Message)
	from := msg.From
	if from != nil && !reflect.TypeOf(from).Comparable() {
		from = nil
	}
	for i := len(g.seats) - 1; i >= 0; i-- {
		if s := g.seats[i]; from == nil || s.to != from {
			s.to.Deliver(msg)
		}
	}
}

func (g *group) add(s *Seat) {
	s.index = int32(len(g.seats)) //nolint:gosec // bounded by the connections of a process
	g.seats = append(g.seats, s)
}

// remove puts the last seat in s's place.
func (g *group) remove(s *Seat) {
	last := len(g.seats) - 1
	moved := g.seats[last]
	g.seats[s.index] = moved
	moved.index = s.index
	g.seats[last] = nil
	g.seats = g.seats[:last]
	if cap(g.seats) > 64 && len(g.seats) < cap(g.seats)/4 {
		g.seats = slices.Clone(g.seats) // a herd's memory goes back
	}
}
