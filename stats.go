package roost

import (
	"sync/atomic"

	"github.com/roostgo/roost/transport/websocket"
)

// Stats are an endpoint's counts.
type Stats struct {
	WebSocket websocket.Stats
	Drain     DrainStats

	Channels             int64  // joined now
	Topics               int    // with subscribers on this node
	Joins                uint64 // accepted, ever
	Crashes              uint64 // of channels, joins included
	NamesTooLong         uint64 // messages that Config.MaxName refused
	MailboxRefusals      uint64 // messages that a full mailbox refused
	MailboxBytesRefusals uint64 // messages that Config.MailboxBytes refused
	MailboxBytesHigh     int64  // the most bytes that ever waited for channels of one connection
	Workers              int    // callbacks that run now
	WorkersHigh          int    // the most that ever ran
	WorkersWaiting       int    // channels that wait for a worker
	Saturations          uint64 // how often all Config.Workers were busy
	EventsDropped        uint64 // that telemetry handlers were too slow for
	Overload             OverloadStats
	Limits               LimitStats
}

type endpointCounters struct {
	channels             atomic.Int64
	joins                atomic.Uint64
	crashes              atomic.Uint64
	namesTooLong         atomic.Uint64
	mailboxRefusals      atomic.Uint64
	mailboxBytesRefusals atomic.Uint64
	mailboxBytesHigh     atomic.Int64
}

// Stats may be called at any time.
func (e *Endpoint) Stats() Stats {
	w := e.workers.Stats()
	return Stats{
		WebSocket:            e.socket.Stats(),
		Drain:                e.drainStats(),
		Channels:             e.count.channels.Load(),
		Topics:               e.bus.Topics(),
		Joins:                e.count.joins.Load(),
		Crashes:              e.count.crashes.Load(),
		NamesTooLong:         e.count.namesTooLong.Load(),
		MailboxRefusals:      e.count.mailboxRefusals.Load(),
		MailboxBytesRefusals: e.count.mailboxBytesRefusals.Load(),
		MailboxBytesHigh:     e.count.mailboxBytesHigh.Load(),
		Workers:              w.Workers - w.Idle,
		WorkersHigh:          w.HighWater,
		WorkersWaiting:       w.Waiting,
		Saturations:          w.Saturated,
		EventsDropped:        e.reports.dropped.Load(),
		Overload:             e.gate.stats(),
		Limits:               e.limits.stats(),
	}
}
