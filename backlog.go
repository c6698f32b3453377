package roost

import "github.com/roostgo/roost/internal/highwater"

// A client's messages that wait for its channels are bounded in bytes, over all
// channels of the connection: their number alone would let one client keep
// Config.MaxChannels times Config.Mailbox of the longest frames. They are counted
// when they are posted, on the lane, and given back when they have been handled
// or dropped, by a worker.

// mailCost is what waiting costs a message beside its bytes: its mail, and the
// mailbox's node.
const mailCost = 128

// maxMailboxBytes is the largest bound: what waits is counted in 32 bits, for
// which a client has room.
const maxMailboxBytes = 1 << 30

// weight is what a client's message, or a broadcast that waits for HandleOut, counts
// for, in bytes. All other mail is the server's own, and weighs nothing.
func (m *mail) weight() uint32 {
	if m.kind != mailIn && m.kind != mailOut {
		return 0
	}
	n := mailCost + len(m.ref) + len(m.event) + len(m.payload.Bytes())
	return uint32(min(n, maxMailboxBytes)) //nolint:gosec // not negative
}

// load counts a message that is about to wait, and reports whether there is room
// for it. One for which nothing needs to wait always has room.
func (c *client) load(weight uint32) bool {
	e := c.kind.endpoint
	if e.config.MailboxBytes < 0 {
		return true
	}
	if waiting := c.waiting.Load(); waiting > 0 && int64(waiting)+int64(weight) > int64(e.config.MailboxBytes) {
		return false
	}
	highwater.Raise(&e.count.mailboxBytesHigh, int64(c.waiting.Add(weight)))
	return true
}

// unload takes back what load counted. Any goroutine may.
func (c *client) unload(weight uint32) {
	if weight > 0 && c.kind.endpoint.config.MailboxBytes >= 0 {
		c.waiting.Add(-weight)
	}
}

// dropped is told of mail that nobody will handle.
func (s *Socket) dropped(m mail) { s.client.unload(m.weight()) }
