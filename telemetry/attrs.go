package telemetry

import (
	"fmt"
	"log/slog"
)

func (s Socket) attrs(more ...slog.Attr) []slog.Attr {
	a := []slog.Attr{slog.String("transport", s.Transport)}
	if s.ID != "" {
		a = append(a, slog.String("socket_id", Cut(s.ID)))
	}
	return append(a, more...)
}

// because adds an error, when there is one.
func because(attrs []slog.Attr, err error) []slog.Attr {
	if err == nil {
		return attrs
	}
	return append(attrs, slog.String("error", cut(text(err), maxError)))
}

// text is what an error says, also one of an application whose Error panics.
func text(err error) (s string) {
	defer func() {
		if v := recover(); v != nil {
			s = fmt.Sprintf("(%T, whose Error method panicked: %v)", err, v)
		}
	}()
	return err.Error()
}

func result(ok bool) slog.Attr {
	if ok {
		return slog.String("result", "ok")
	}
	return slog.String("result", "error")
}

// Attrs implements Event.
func (e SocketConnected) Attrs() []slog.Attr {
	a := e.Socket.attrs(result(e.OK), slog.String("serializer", e.Serializer), slog.Duration("duration", e.Duration))
	return because(e.Params.with(a), e.Err)
}

// Attrs implements Event.
func (e ConnectRefused) Attrs() []slog.Attr {
	return because(e.Socket.attrs(slog.String("check", e.Check), slog.String("remote", Cut(e.Remote))), e.Err)
}

// Attrs implements Event.
func (e ConnectCrashed) Attrs() []slog.Attr {
	return e.Socket.attrs(slog.Any("panic", e.Panic), slog.String("stack", string(e.Stack)))
}

// Attrs implements Event.
func (e SocketClosed) Attrs() []slog.Attr { return because(e.Socket.attrs(), e.Reason) }

// Attrs implements Event.
func (e SlowConsumer) Attrs() []slog.Attr {
	return e.Socket.attrs(slog.Int("queued_bytes", e.Queued), slog.Int("bound_bytes", e.Bound),
		slog.String("mend", "raise WebSocket.Outbox, send less, let the client reconnect, or let its topics drop broadcasts with roost.WithSlowConsumer"))
}

// Attrs implements Event.
func (e ClientThinned) Attrs() []slog.Attr {
	return e.Socket.attrs(slog.String("topic", Cut(e.Topic)), slog.String("policy", e.Policy), slog.Int("queued_bytes", e.Queued),
		slog.String("mend", "send less to this topic, or raise the bounds that its route has from roost.WithSlowConsumer"))
}

// Attrs implements Event.
func (e ClientStalled) Attrs() []slog.Attr {
	return e.Socket.attrs(slog.Int("queued_bytes", e.Queued), slog.Duration("timeout", e.Timeout),
		slog.String("mend", "the client or its network has stopped and will come back; raise WebSocket.WriteTimeout for clients that pause longer"))
}

// Attrs implements Event.
func (e BoundHit) Attrs() []slog.Attr {
	return because(e.Socket.attrs(slog.String("bound", e.Bound), slog.String("limit", e.Limit),
		slog.String("mend", "if good clients do this, raise WebSocket."+e.Bound)), e.Err)
}

// Attrs implements Event.
func (e SocketDrain) Attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("path", e.Path), slog.Int("count", e.Count), slog.Int("total", e.Total),
		slog.Int("index", e.Index), slog.Int("rounds", e.Rounds), slog.Duration("interval", e.Interval),
	}
}

// Attrs implements Event.
func (e ChannelJoined) Attrs() []slog.Attr {
	return e.Params.with(e.Channel.attrs(result(e.OK), slog.Duration("duration", e.Duration)))
}

// Attrs implements Event.
func (e JoinUnmatched) Attrs() []slog.Attr {
	return e.Channel.attrs(slog.String("mend", "route the topic with Endpoint.Channel"))
}

// Attrs implements Event.
func (e TooManyChannels) Attrs() []slog.Attr {
	return e.Channel.attrs(slog.Int("bound", e.Bound), slog.String("mend", "raise Config.MaxChannels, or leave topics that are not needed"))
}

// Attrs implements Event.
func (e NameTooLong) Attrs() []slog.Attr {
	return e.Channel.attrs(slog.Int("bound", e.Bound), slog.String("mend", "have the client put what is long into the payload, or raise Config.MaxName"))
}

// Attrs implements Event.
func (e DuplicateJoin) Attrs() []slog.Attr { return e.Channel.attrs() }

// Attrs implements Event.
func (e ChannelHandledIn) Attrs() []slog.Attr {
	return e.Params.with(e.Channel.attrs(slog.String("event", Cut(e.Event)), slog.Duration("duration", e.Duration)))
}

// Attrs implements Event.
func (e PayloadInvalid) Attrs() []slog.Attr {
	return because(e.Channel.attrs(slog.String("event", Cut(e.Event))), e.Err)
}

// Attrs implements Event.
func (e ChannelCrashed) Attrs() []slog.Attr {
	a := e.Channel.attrs(slog.String("callback", e.Callback))
	if e.Event != "" {
		a = append(a, slog.String("event", Cut(e.Event)))
	}
	a = because(a, e.Err)
	if len(e.Stack) > 0 {
		a = append(a, slog.String("stack", string(e.Stack)))
	}
	return a
}

// Attrs implements Event.
func (e PushedInsideJoin) Attrs() []slog.Attr {
	return e.Channel.attrs(slog.String("call", e.Call), slog.String("mend", "send yourself a value with SendInfo: it is handled after the reply"))
}

// Attrs implements Event.
func (e InfoUnhandled) Attrs() []slog.Attr {
	return e.Channel.attrs(slog.String("type", e.Type), slog.String("mend", "bind the type with roost.Info"))
}

// Attrs implements Event.
func (e MailboxFull) Attrs() []slog.Attr {
	if e.BoundBytes > 0 {
		return e.Channel.attrs(slog.String("event", Cut(e.Event)), slog.Int("bound_bytes", e.BoundBytes),
			slog.String("mend", "make the handler faster, send smaller messages, or raise Config.MailboxBytes"))
	}
	return e.Channel.attrs(slog.String("event", Cut(e.Event)), slog.Int("bound", e.Bound),
		slog.String("mend", "make the handler faster, or raise Config.Mailbox"))
}

// Attrs implements Event.
func (e EncodeFailed) Attrs() []slog.Attr {
	return because(e.Channel.attrs(slog.String("event", Cut(e.Event)), slog.String("serializer", e.Serializer)), e.Err)
}

// Attrs implements Event.
func (e OverloadBegan) Attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("cause", e.Cause), slog.Bool("shadow", e.Shadow),
		slog.String("mend", "add a node, raise what is short, or raise Config.Overload"),
	}
}

// Attrs implements Event.
func (e OverloadEnded) Attrs() []slog.Attr {
	return []slog.Attr{slog.String("cause", e.Cause), slog.Duration("lasted", e.Lasted), slog.Bool("shadow", e.Shadow)}
}

// Attrs implements Event.
func (e LimitHit) Attrs() []slog.Attr {
	a := []slog.Attr{slog.String("limit", e.Limit), slog.String("key", Cut(e.Key)), slog.Bool("shadow", e.Shadow)}
	if e.Pattern != "" {
		a = append(a, slog.String("pattern", e.Pattern))
	}
	if e.Event != "" {
		a = append(a, slog.String("event", e.Event))
	}
	return a
}
