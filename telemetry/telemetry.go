// Package telemetry is the stream of facts about what sockets and channels do.
//
// Those who act emit events and know nothing of who listens. Logs are one
// listener among others.
package telemetry

import (
	"context"
	"log/slog"
)

// Event is a fact. Its concrete types are in this package; a handler that wants
// more than name and attributes switches on them.
type Event interface {
	// Name is stable: "socket_connected".
	Name() string
	// Level is how loudly a log should say it.
	Level() slog.Level
	// Attrs are the measurements and what they are about.
	Attrs() []slog.Attr
}

// Handler receives events. An endpoint calls it with one event after the other,
// on a goroutine that may block: a slow handler delays no connection, it loses
// events, which are counted. One that several endpoints share is called
// concurrently. It must not publish.
type Handler interface {
	Handle(ctx context.Context, e Event)

	// Enabled says whether it wants events of a level at all. Those of every
	// message are slog.LevelDebug, those of every connect and join
	// slog.LevelInfo.
	Enabled(level slog.Level) bool
}

// Stream hands events to handlers. A nil Stream hands them to nobody.
type Stream struct {
	handlers []Handler
}

// NewStream returns a stream to these handlers.
func NewStream(handlers ...Handler) *Stream {
	return &Stream{handlers: handlers}
}

// Emit hands e to all handlers.
func (s *Stream) Emit(ctx context.Context, e Event) {
	if s == nil {
		return
	}
	for _, h := range s.handlers {
		emit(ctx, h, e)
	}
}

// emit keeps a handler that panics, or an event whose error does when it is
// asked what it says, from ending more than this one emission.
func emit(ctx context.Context, h Handler, e Event) {
	defer func() {
		if v := recover(); v != nil {
			slog.LogAttrs(ctx, slog.LevelError, "telemetry handler panicked", slog.String("event", e.Name()), slog.Any("panic", v))
		}
	}()
	h.Handle(ctx, e)
}

// Enabled reports whether somebody wants events of a level. Who emits many of
// them asks first.
func (s *Stream) Enabled(level slog.Level) bool {
	if s == nil {
		return false
	}
	for _, h := range s.handlers {
		if h.Enabled(level) {
			return true
		}
	}
	return false
}

// Log returns a handler that writes events to a logger.
func Log(l *slog.Logger) Handler { return logHandler{l} }

type logHandler struct{ log *slog.Logger }

func (h logHandler) Handle(ctx context.Context, e Event) {
	if e.Level() != Silent && h.log.Enabled(ctx, e.Level()) {
		h.log.LogAttrs(ctx, e.Level(), e.Name(), e.Attrs()...)
	}
}

func (h logHandler) Enabled(level slog.Level) bool {
	return h.log.Enabled(context.Background(), level)
}
