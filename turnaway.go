package roost

import (
	"time"

	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/wire"
)

// turnedAway is a join that is refused after a while: a client that would try
// again at once is slowed down, and with it everything that it would send
// meanwhile [O2].
type turnedAway struct {
	client *client
	join   wire.Message
	notice Payload
}

// turnAway answers a join with an error, after a hold. There is at most one such
// timer for a connection.
func (c *client) turnAway(m *wire.Message, notice Payload, hold time.Duration) transport.Verdict {
	if hold <= 0 {
		c.answer(m, m.JoinRef, statusError, notice)
		return transport.Continue
	}
	bare := *m
	bare.Payload = Payload{} // nobody will read it
	t := &turnedAway{client: c, join: bare.Clone(), notice: notice}
	lane := c.conn.Lane()
	time.AfterFunc(hold, func() { lane.Post(t, nil) })
	return transport.Hold
}

// Run answers on the lane.
func (t *turnedAway) Run(any) {
	c := t.client
	if c.gone {
		return
	}
	c.answer(&t.join, t.join.JoinRef, statusError, t.notice)
	c.conn.Resume()
}
