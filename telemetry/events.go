package telemetry

import (
	"log/slog"
	"time"
)

// Socket says which connection an event is about.
type Socket struct {
	Transport string // "websocket"
	ID        string // socket id; "" when it has none
}

// Channel says which channel an event is about.
type Channel struct {
	Topic    string
	SocketID string
}

func (c Channel) attrs(more ...slog.Attr) []slog.Attr {
	a := []slog.Attr{slog.String("topic", c.Topic)}
	if c.SocketID != "" {
		a = append(a, slog.String("socket_id", c.SocketID))
	}
	return append(a, more...)
}

// SocketConnected is emitted for every connect that was accepted or refused by
// the application; not when origin, version or subprotocol refused it
// [§14.1].
type SocketConnected struct {
	Socket
	OK         bool
	Err        error // why it was refused; nil when it was not said
	Serializer string
	Params     Params
	Duration   time.Duration
}

// ConnectRefused is emitted when a connect was refused before the application
// was asked: origin, version, subprotocol, auth token.
type ConnectRefused struct {
	Socket
	Check  string // "origin", "version", …
	Remote string
	Err    error
}

// ConnectCrashed is emitted when Connect panicked.
type ConnectCrashed struct {
	Socket
	Panic any
	Stack []byte
}

// SocketClosed is emitted when a connection ended.
type SocketClosed struct {
	Socket
	Reason error
}

// SlowConsumer is emitted when a connection is cut because it reads too slowly.
type SlowConsumer struct {
	Socket
	Queued int // bytes that waited
	Bound  int // bytes that may wait
}

// ChannelJoined is emitted when Join accepted or refused; not when it crashed,
// the topic matched no route, or a bound was hit [§14.1].
type ChannelJoined struct {
	Channel
	OK       bool
	Params   Params
	Duration time.Duration
	LogLevel slog.Level // of its route; Silent: the log leaves it out
}

// JoinUnmatched is emitted when a client joins a topic that has no route.
type JoinUnmatched struct{ Channel }

// TooManyChannels is emitted when a join is refused by the bound on channels.
type TooManyChannels struct {
	Channel
	Bound int
}

// DuplicateJoin is emitted when a join replaces a channel that was joined.
type DuplicateJoin struct{ Channel }

// ChannelHandledIn is emitted for every message that a channel handled, to
// verbose handlers only.
type ChannelHandledIn struct {
	Channel
	Event    string
	Params   Params
	Duration time.Duration
	LogLevel slog.Level // of its route; Silent: the log leaves it out
}

// PayloadInvalid is emitted when a client's payload was not what a binding
// expects and was refused, to verbose handlers only.
type PayloadInvalid struct {
	Channel
	Event string
	Err   error
}

// ChannelCrashed is emitted once when a callback failed or panicked.
type ChannelCrashed struct {
	Channel
	Callback string // "Join", "HandleIn", …
	Event    string
	Err      error
	Stack    []byte // of a panic
}

// InfoUnhandled is emitted when a channel was sent a value that it has no
// handler for.
type InfoUnhandled struct {
	Channel
	Type string
}

// MailboxFull is emitted when a channel does not keep up and a message for it
// was refused.
type MailboxFull struct {
	Channel
	Event string
	Bound int
}

// OverloadBegan is emitted when the server begins to turn away new clients and
// joins.
type OverloadBegan struct {
	Cause  string
	Shadow bool // it only counts them
}

// OverloadEnded is emitted when it takes them again.
type OverloadEnded struct {
	Cause  string
	Lasted time.Duration
}

// EncodeFailed is emitted once for a broadcast that clients of a serializer do
// not get, because it cannot be encoded for them.
type EncodeFailed struct {
	Channel
	Event      string
	Serializer string
	Err        error
}

// Level is a warning for a version and an error for the other checks [§14.2].
func (e ConnectRefused) Level() slog.Level {
	if e.Check == "version" { // clause 23
		return slog.LevelWarn
	}
	return slog.LevelError // clause 46
}

// Level is what the channel's route says. Clause 286.
func (e ChannelJoined) Level() slog.Level { return e.LogLevel }

// Level is what the channel's route says. Clause 286.
func (e ChannelHandledIn) Level() slog.Level { return e.LogLevel }

// Names of the events.
func (SocketConnected) Name() string  { return "socket_connected" }
func (ConnectRefused) Name() string   { return "connect_refused" }
func (ConnectCrashed) Name() string   { return "connect_crashed" }
func (SocketClosed) Name() string     { return "socket_closed" }
func (SlowConsumer) Name() string     { return "slow_consumer" }
func (ChannelJoined) Name() string    { return "channel_joined" }
func (JoinUnmatched) Name() string    { return "join_unmatched" }
func (TooManyChannels) Name() string  { return "too_many_channels" }
func (DuplicateJoin) Name() string    { return "duplicate_join" }
func (ChannelHandledIn) Name() string { return "channel_handled_in" }
func (PayloadInvalid) Name() string   { return "payload_invalid" }
func (ChannelCrashed) Name() string   { return "channel_crashed" }
func (InfoUnhandled) Name() string    { return "info_unhandled" }
func (MailboxFull) Name() string      { return "mailbox_full" }
func (EncodeFailed) Name() string     { return "encode_failed" }
func (OverloadBegan) Name() string    { return "overload_began" }
func (OverloadEnded) Name() string    { return "overload_ended" }

// Levels of the events [§14.2].
func (SocketConnected) Level() slog.Level { return slog.LevelInfo }
func (ConnectCrashed) Level() slog.Level  { return slog.LevelError }
func (SocketClosed) Level() slog.Level    { return slog.LevelDebug }
func (SlowConsumer) Level() slog.Level    { return slog.LevelWarn }
func (JoinUnmatched) Level() slog.Level   { return slog.LevelWarn }
func (TooManyChannels) Level() slog.Level { return slog.LevelError }
func (DuplicateJoin) Level() slog.Level   { return slog.LevelDebug }
func (PayloadInvalid) Level() slog.Level  { return slog.LevelDebug }
func (ChannelCrashed) Level() slog.Level  { return slog.LevelError }
func (InfoUnhandled) Level() slog.Level   { return slog.LevelWarn }
func (MailboxFull) Level() slog.Level     { return slog.LevelWarn }
func (EncodeFailed) Level() slog.Level    { return slog.LevelWarn }
func (OverloadBegan) Level() slog.Level   { return slog.LevelWarn }
func (OverloadEnded) Level() slog.Level   { return slog.LevelWarn }
