package roost

import (
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/wire"
)

// match finds the route of a join; nil is none.
func (c *client) match(m *wire.Message) *route {
	if m.OddTopic { // clause 153
		return nil
	}
	return c.kind.endpoint.routes.Load().find(m.Topic)
}

// full reports whether the client has as many channels as it may have.
func (c *client) full() bool { return c.channels.len() >= c.kind.endpoint.config.MaxChannels }

// admit makes the socket of a join, or answers why there is none [§7.4].
func (c *client) admit(m *wire.Message, r *route) *Socket {
	switch {
	case r == nil: // clause 152
		c.emit(telemetry.JoinUnmatched{Channel: c.facts(m)})
		c.answer(m, "", statusError, unmatchedTopic)
		return nil
	case c.full(): // clause 154
		c.kind.endpoint.count.channelRefusals.Add(1)
		c.emit(telemetry.TooManyChannels{Channel: c.facts(m), Bound: c.kind.endpoint.config.MaxChannels})
		c.answer(m, m.JoinRef, statusError, tooManyChannels)
		return nil
	}
	s := &Socket{client: c, topic: c.kind.endpoint.bus.Intern(m.Topic)}
	if a := c.profile.values().merged(r.assigns); len(a) > 0 { // clause 12
		s.extra().assigns = a
	}
	s.remember(r)
	if r.levels != usualLevels {
		s.set(ownLevels)
	}
	s.joinRef = keepRef(m.JoinRef)
	if m.JoinRef.IsNull() {
		s.set(joinRefNull)
		s.joinRef = keepRef(m.Ref)
	}
	return s
}
