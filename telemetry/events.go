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
	a := []slog.Attr{slog.String("topic", Cut(c.Topic))}
	if c.SocketID != "" {
		a = append(a, slog.String("socket_id", Cut(c.SocketID)))
	}
	return append(a, more...)
}

// SocketConnected is emitted for every connect that was accepted, or refused by
// the application, for its id, or because the bus could not be reached; not when
// origin, version or subprotocol refused it [§14.1].
type SocketConnected struct {
	Socket
	OK         bool
	Err        error // why it was refused; context.Canceled when the client went away; nil when it was not said
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

// ClientThinned is emitted when a client has fallen so far behind that
// broadcasts for it are dropped, as the route of their topic says. It comes
// once until all that waited has left.
type ClientThinned struct {
	Socket
	Topic  string // of the first broadcast that was dropped
	Policy string // "drop_oldest" or "keep_latest"
	Queued int    // bytes that waited
}

// ClientStalled is emitted when a connection is cut because it took nothing for
// so long although something waited for it.
type ClientStalled struct {
	Socket
	Queued  int // bytes that waited
	Timeout time.Duration
}

// BoundHit is emitted when a connection is closed because of a bound of its
// transport.
type BoundHit struct {
	Socket
	Bound string // of websocket.Config: "MaxFrame", "MaxMessage", "MaxFragments", "MaxRatio", "MaxIncomplete", "MessageTimeout", "Timeout" or "CloseTimeout"
	Limit string // what it is set to
	Err   error  // what the client did; nil if it did nothing
}

// SocketDrain is emitted for every wave of connections that are closed because
// the server goes away [§13].
type SocketDrain struct {
	Path     string        // where the socket is mounted
	Count    int           // connections in this wave
	Total    int           // connections when the drain began
	Index    int           // of this wave, from 1
	Rounds   int           // how many waves there will be; fewer when connections end by themselves
	Interval time.Duration // from wave to wave
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

// NameTooLong is emitted when a message was refused because its topic, its event
// or a ref is too long.
type NameTooLong struct {
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

// PushedInsideJoin is emitted when a channel pushed or broadcast before its Join
// had returned, which makes the join fail.
type PushedInsideJoin struct {
	Channel
	Call string // "Push", …
}

// InfoUnhandled is emitted when a channel was sent a value that it has no
// handler for.
type InfoUnhandled struct {
	Channel
	Type string
}

// MailboxFull is emitted when a channel does not keep up and a message for it
// was refused: one of too many, or of too many bytes for its connection.
type MailboxFull struct {
	Channel
	Event      string
	Bound      int // messages that may wait; 0 if the bytes were too many
	BoundBytes int // bytes of a client's messages that may wait; 0 if they were not
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
	Shadow bool // it only counted them
}

// LimitHit is emitted when a client was refused because of a limit; in shadow mode
// the first time that one would have been.
type LimitHit struct {
	Limit   string // the reason that the client reads; at the door, before there is HTTP, it reads none
	Key     string // whose limit: an address, an id; "" of a connection's own
	Pattern string // topic pattern of the route that it is of; "" of others
	Event   string // event pattern that it is for; "" of others
	Shadow  bool   // it was let pass
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

// Level is a warning for what a client sent. That one says nothing any more
// happens all the time.
func (e BoundHit) Level() slog.Level {
	if e.Err == nil {
		return slog.LevelDebug
	}
	return slog.LevelWarn
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
func (ClientThinned) Name() string    { return "client_thinned" }
func (ClientStalled) Name() string    { return "client_stalled" }
func (BoundHit) Name() string         { return "bound_hit" }
func (SocketDrain) Name() string      { return "socket_drain" }
func (ChannelJoined) Name() string    { return "channel_joined" }
func (JoinUnmatched) Name() string    { return "join_unmatched" }
func (TooManyChannels) Name() string  { return "too_many_channels" }
func (NameTooLong) Name() string      { return "name_too_long" }
func (DuplicateJoin) Name() string    { return "duplicate_join" }
func (ChannelHandledIn) Name() string { return "channel_handled_in" }
func (PayloadInvalid) Name() string   { return "payload_invalid" }
func (ChannelCrashed) Name() string   { return "channel_crashed" }
func (PushedInsideJoin) Name() string { return "pushed_inside_join" }
func (InfoUnhandled) Name() string    { return "info_unhandled" }
func (MailboxFull) Name() string      { return "mailbox_full" }
func (EncodeFailed) Name() string     { return "encode_failed" }
func (LimitHit) Name() string         { return "limit_hit" }
func (OverloadBegan) Name() string    { return "overload_began" }
func (OverloadEnded) Name() string    { return "overload_ended" }

// Levels of the events [§14.2].
func (SocketConnected) Level() slog.Level  { return slog.LevelInfo }
func (ConnectCrashed) Level() slog.Level   { return slog.LevelError }
func (SocketClosed) Level() slog.Level     { return slog.LevelDebug }
func (SlowConsumer) Level() slog.Level     { return slog.LevelWarn }
func (ClientThinned) Level() slog.Level    { return slog.LevelWarn }
func (ClientStalled) Level() slog.Level    { return slog.LevelWarn }
func (SocketDrain) Level() slog.Level      { return slog.LevelInfo }
func (JoinUnmatched) Level() slog.Level    { return slog.LevelWarn }
func (TooManyChannels) Level() slog.Level  { return slog.LevelError }
func (NameTooLong) Level() slog.Level      { return slog.LevelWarn }
func (DuplicateJoin) Level() slog.Level    { return slog.LevelDebug }
func (PayloadInvalid) Level() slog.Level   { return slog.LevelDebug }
func (ChannelCrashed) Level() slog.Level   { return slog.LevelError }
func (PushedInsideJoin) Level() slog.Level { return slog.LevelWarn }
func (InfoUnhandled) Level() slog.Level    { return slog.LevelWarn }
func (MailboxFull) Level() slog.Level      { return slog.LevelWarn }
func (EncodeFailed) Level() slog.Level     { return slog.LevelWarn }
func (LimitHit) Level() slog.Level         { return slog.LevelWarn }
func (OverloadBegan) Level() slog.Level    { return slog.LevelWarn }
func (OverloadEnded) Level() slog.Level    { return slog.LevelWarn }
