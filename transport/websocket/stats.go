package websocket

import (
	"sync/atomic"

	"github.com/roostgo/roost/internal/highwater"
)

// Stats counts what a handler's connections have done.
type Stats struct {
	Connections  int64  // open now
	Accepted     uint64 // ever adopted
	MessagesIn   uint64
	FramesOut    uint64
	Writes       uint64 // system calls; several frames may leave in one
	BytesIn      uint64
	BytesOut     uint64
	IdleTimeouts uint64

	MessageTimeouts uint64 // closed because a message took too long
	// Connections closed because of Config.MaxFrame, MaxMessage, MaxFragments,
	// MaxRatio and CloseTimeout, and of any other rule that a client broke.
	OverFrame, OverMessage, OverFragments, OverRatio, CloseTimeouts, Violations uint64

	// Incomplete is how many bytes of incomplete messages are kept now, as
	// Config.MaxIncomplete bounds them; IncompleteHigh the most there ever were.
	Incomplete, IncompleteHigh int64
	OverIncomplete             uint64 // connections closed because of it

	Refused uint64 // upgrades, for their origin, subprotocol or token, or because the system had no room

	SlowConsumers   uint64 // cut because their outbox was full
	WriteTimeouts   uint64 // cut because they took nothing of what waited
	Thinned         uint64 // how often a client fell so far behind that broadcasts were dropped
	DroppedOldest   uint64 // broadcasts dropped because too much waited
	DroppedOutdated uint64 // broadcasts dropped because a newer one came (keep_latest)

	MessageHigh int64  // the most bytes that a message had, reassembled and inflated
	OutboxHigh  int64  // the most bytes that ever waited for one client
	LaneHigh    int    // the most tasks that ever waited for one lane
	LaneWaits   uint64 // how often a publisher had to wait for a lane
}

// plus adds counters and keeps the higher of two high-water marks.
func (s Stats) plus(o Stats) Stats {
	s.Connections += o.Connections
	s.Accepted += o.Accepted
	s.MessagesIn += o.MessagesIn
	s.FramesOut += o.FramesOut
	s.Writes += o.Writes
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	s.IdleTimeouts += o.IdleTimeouts
	s.MessageTimeouts += o.MessageTimeouts
	s.OverFrame += o.OverFrame
	s.OverMessage += o.OverMessage
	s.OverFragments += o.OverFragments
	s.OverRatio += o.OverRatio
	s.CloseTimeouts += o.CloseTimeouts
	s.Violations += o.Violations
	s.OverIncomplete += o.OverIncomplete
	s.Refused += o.Refused
	s.SlowConsumers += o.SlowConsumers
	s.WriteTimeouts += o.WriteTimeouts
	s.Thinned += o.Thinned
	s.DroppedOldest += o.DroppedOldest
	s.DroppedOutdated += o.DroppedOutdated
	s.MessageHigh = max(s.MessageHigh, o.MessageHigh)
	s.OutboxHigh = max(s.OutboxHigh, o.OutboxHigh)
	s.LaneHigh = max(s.LaneHigh, o.LaneHigh)
	s.LaneWaits += o.LaneWaits
	return s
}

// counters are written by one lane, or those of one engine, and read by anybody.
type counters struct {
	connections  atomic.Int64
	accepted     atomic.Uint64
	messagesIn   atomic.Uint64
	framesOut    atomic.Uint64
	writes       atomic.Uint64
	bytesIn      atomic.Uint64
	bytesOut     atomic.Uint64
	idleTimeouts atomic.Uint64
	messageHigh  atomic.Int64
	outboxHigh   atomic.Int64

	messageTimeouts atomic.Uint64
	overFrame       atomic.Uint64
	overMessage     atomic.Uint64
	overFragments   atomic.Uint64
	overRatio       atomic.Uint64
	crowded         atomic.Uint64
	closeTimeouts   atomic.Uint64
	violations      atomic.Uint64

	slowConsumers   atomic.Uint64
	writeTimeouts   atomic.Uint64
	thinned         atomic.Uint64
	droppedOldest   atomic.Uint64
	droppedOutdated atomic.Uint64
}

func (c *counters) snapshot() Stats {
	return Stats{
		Connections: c.connections.Load(), Accepted: c.accepted.Load(),
		MessagesIn: c.messagesIn.Load(), FramesOut: c.framesOut.Load(), Writes: c.writes.Load(),
		BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
		MessageTimeouts: c.messageTimeouts.Load(),
		IdleTimeouts:    c.idleTimeouts.Load(), MessageHigh: c.messageHigh.Load(), OutboxHigh: c.outboxHigh.Load(),
		OverFrame: c.overFrame.Load(), OverMessage: c.overMessage.Load(), OverFragments: c.overFragments.Load(), OverRatio: c.overRatio.Load(),
		OverIncomplete: c.crowded.Load(), CloseTimeouts: c.closeTimeouts.Load(), Violations: c.violations.Load(),
		SlowConsumers: c.slowConsumers.Load(), WriteTimeouts: c.writeTimeouts.Load(), Thinned: c.thinned.Load(),
		DroppedOldest: c.droppedOldest.Load(), DroppedOutdated: c.droppedOutdated.Load(),
	}
}

// queued records how many bytes wait for one client.
func (c *counters) queued(bytes int) { highwater.Raise(&c.outboxHigh, int64(bytes)) }

// received counts a message, or a control frame, of so many bytes.
func (c *counters) received(bytes int) {
	c.messagesIn.Add(1)
	highwater.Raise(&c.messageHigh, int64(bytes))
}
