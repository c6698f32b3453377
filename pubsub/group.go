package pubsub

import (
	"slices"

	"github.com/roostgo/roost/internal/lane"
)

// group is a topic's subscribers on one lane.
type group struct {
	lane *lane.Lane
	refs int             // reserved and active; guarded by the topic's shard
	subs []*Subscription // owned by the lane
}

// groupOf finds or makes the topic's group of a lane. The shard is locked.
func (t *entry) groupOf(l *lane.Lane) *group {
	for _, g := range t.groups {
		if g.lane == l {
			return g
		}
	}
	g := &group{lane: l}
	t.groups = append(slices.Clip(t.groups), g)
	return g
}

// Run delivers one message on the lane. It goes from the last to the first, so
// that a subscriber which cancels itself while it is called disturbs nobody.
func (g *group) Run(m any) {
	msg := m.(*Message)
	for i := len(g.subs) - 1; i >= 0; i-- {
		if s := g.subs[i]; s != msg.From {
			s.to.Deliver(msg)
		}
	}
}

func (g *group) add(s *Subscription) {
	s.index = int32(len(g.subs)) //nolint:gosec // bounded by the connections of a process
	g.subs = append(g.subs, s)
}

// remove puts the last subscriber in s's place.
func (g *group) remove(s *Subscription) {
	last := len(g.subs) - 1
	moved := g.subs[last]
	g.subs[s.index] = moved
	moved.index = s.index
	g.subs[last] = nil
	g.subs = g.subs[:last]
	if cap(g.subs) > 64 && len(g.subs) < cap(g.subs)/4 {
		g.subs = slices.Clone(g.subs) // a herd's memory goes back
	}
}
