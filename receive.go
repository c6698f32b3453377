package roost

import (
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/wire"
)

// Receive implements transport.Session.
func (c *client) Receive(data []byte, binary bool) transport.Verdict {
	d := deskOf(c.conn.Lane())
	m := &d.message
	if err := decode(c.kind.serializer, m, binary, data); err != nil { // clauses 92, 100, 101
		c.conn.Close(transport.CloseInternalError)
		return transport.Continue
	}
	limits := c.profile.limits()
	switch {
	case longestName(m) > c.kind.endpoint.config.MaxName:
		limits.charge(len(data))
		c.tooLong(m)
		return transport.Continue
	case mustPass(m):
		limits.charge(len(data))
		return c.dispatch(m, len(data))
	}
	r, after := limits.message(len(data))
	switch {
	case r == nil:
		return c.dispatch(m, len(data))
	case m.Event == eventJoin:
		return c.turnAway(m, r.payloadAfter(after), c.kind.endpoint.config.Overload.Hold)
	}
	c.answer(m, m.JoinRef, statusError, r.payloadAfter(after))
	return transport.Continue
}

// longestName is how long the longest is of what a channel, an event or an answer
// may keep of a message for longer than its payload.
func longestName(m *wire.Message) int {
	return max(len(m.Topic), len(m.Event), len(m.Ref), len(m.JoinRef))
}

// tooLong answers a message with a name that is too long. It repeats that name:
// phoenix.js would not know what the answer is to without.
func (c *client) tooLong(m *wire.Message) {
	e := c.kind.endpoint
	e.count.namesTooLong.Add(1)
	c.emit(telemetry.NameTooLong{Channel: c.facts(m), Bound: e.config.MaxName})
	c.answer(m, m.JoinRef, statusError, nameTooLong)
}

// mustPass reports whether a message is one that no limit may refuse. Any reply
// to phx_leave has phoenix.js believe that it was heard: the channel would be
// leaving for ever there, and joined here. And a client whose heartbeat has no
// answer connects again.
func mustPass(m *wire.Message) bool {
	return m.Event == eventLeave || isHeartbeat(m)
}

func isHeartbeat(m *wire.Message) bool { return m.Topic == topicPhoenix && m.Event == eventHeartbeat }

// dispatch is [§7.3]: the first row that matches. size is how many bytes the
// message had.
func (c *client) dispatch(m *wire.Message, size int) transport.Verdict {
	s := c.channel(m)
	switch {
	case isHeartbeat(m):
		c.answer(m, "", statusOK, empty)
	case m.Event == eventJoin:
		return c.join(m, s)
	case s != nil && s.stale(m.JoinRef): // clauses 167, 168
	case s != nil && m.Event == eventLeave:
		c.leave(s, m)
	case s != nil:
		c.forward(s, m, size)
	case m.Event == eventLeave: // clause 141
		c.answer(m, m.JoinRef, statusOK, empty)
	default: // clause 140
		c.answer(m, "", statusError, unmatchedTopic)
	}
	return transport.Continue
}

// channel finds the channel that a message is for.
func (c *client) channel(m *wire.Message) *Socket {
	if m.OddTopic {
		return nil
	}
	return c.channels.find(m.Topic)
}

// stale reports whether a message was meant for an earlier channel of this
// topic [§7.6].
func (s *Socket) stale(ref wire.Ref) bool {
	return !ref.IsNull() && !s.is(joinRefNull) && ref != s.joinRef
}
