package roost

import (
	"sync/atomic"

	"github.com/roostgo/roost/transport/websocket"
)

// Stats are an endpoint's counts.
type Stats struct {
	WebSocket websocket.Stats
	Drain     DrainStats

	ConnectsRefused      uint64 // by Config.Connect, or for their version; WebSocket.Refused and Limits count the others
	ConnectsCrashed      uint64 // Config.Connect panicked: answered 500
	ConnectsGone         uint64 // the client went away before it had its answer
	ConnectsFailed       uint64 // PubSub could not be reached: answered 503
	Channels             int64  // joined now
	ChannelsHigh         int64  // the most that one client had, as Config.MaxChannels bounds it
	ChannelRefusals      uint64 // joins that Config.MaxChannels refused
	Topics               int    // with subscribers on this node
	Joins                uint64 // accepted, ever
	Crashes              uint64 // of channels, joins included
	NamesTooLong         uint64 // messages that Config.MaxName refused
	MailboxBytesRefusals uint64 // messages that Config.MailboxBytes refused
	MailboxBytesHigh     int64  // the most bytes that ever waited for channels of one connection
	MailboxRefusals      uint64 // messages that a full mailbox refused
	MailboxHigh          int64  // the most messages that waited for one channel
	Workers              int    // callbacks that run now
	WorkersHigh          int    // the most that ever ran
	WorkersWaiting       int    // channels that wait for a worker
	Saturations          uint64 // how often all Config.Workers were busy
	EventsDropped        uint64 // that telemetry handlers were too slow for
	Overload             OverloadStats
	Limits               LimitStats
	RouteLimits          []RouteLimitStats // of the routes that have limits, in the order of definition
}

type endpointCounters struct {
	channels             atomic.Int64
	joins                atomic.Uint64
	crashes              atomic.Uint64
	mailboxRefusals      atomic.Uint64
	mailboxHigh          atomic.Int64
	connectsRefused      atomic.Uint64
	connectsCrashed      atomic.Uint64
	connectsGone         atomic.Uint64
	connectsFailed       atomic.Uint64
	channelsHigh         atomic.Int64
	channelRefusals      atomic.Uint64
	namesTooLong         atomic.Uint64
	mailboxBytesRefusals atomic.Uint64
	mailboxBytesHigh     atomic.Int64
}

// Stats may be called at any time.
func (e *Endpoint) Stats() Stats {
	w := e.workers.Stats()
	return Stats{
		WebSocket:            e.socket.Stats(),
		Drain:                e.drainStats(),
		ConnectsRefused:      e.count.connectsRefused.Load(),
		ConnectsCrashed:      e.count.connectsCrashed.Load(),
		ConnectsGone:         e.count.connectsGone.Load(),
		ConnectsFailed:       e.count.connectsFailed.Load(),
		Channels:             e.count.channels.Load(),
		ChannelsHigh:         e.count.channelsHigh.Load(),
		ChannelRefusals:      e.count.channelRefusals.Load(),
		Topics:               e.bus.Topics(),
		Joins:                e.count.joins.Load(),
		Crashes:              e.count.crashes.Load(),
		NamesTooLong:         e.count.namesTooLong.Load(),
		MailboxBytesRefusals: e.count.mailboxBytesRefusals.Load(),
		MailboxBytesHigh:     e.count.mailboxBytesHigh.Load(),
		MailboxRefusals:      e.count.mailboxRefusals.Load(),
		MailboxHigh:          e.count.mailboxHigh.Load(),
		Workers:              w.Workers - w.Idle,
		WorkersHigh:          w.HighWater,
		WorkersWaiting:       w.Waiting,
		Saturations:          w.Saturated,
		EventsDropped:        e.reports.dropped.Load(),
		Overload:             e.gate.stats(),
		Limits:               e.limits.stats(),
		RouteLimits:          e.routes.Load().limits(),
	}
}
