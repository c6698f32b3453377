package roost

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/roostgo/roost/internal/mailbox"
	"github.com/roostgo/roost/internal/workers"
	"github.com/roostgo/roost/telemetry"
)

// reporter carries events from lanes, where nothing may block, to the handlers
// of telemetry, which may: a log that nobody reads, say. It is itself a
// handler, and keeps the events of one lane in order.
type reporter struct {
	stream  *telemetry.Stream
	workers *workers.Pool
	bound   int         // Config.Reports
	verbose atomic.Bool // a handler wants events of every connection's end; lanes do not ask themselves
	waiting mailbox.Mailbox[telemetry.Event]
	dropped atomic.Uint64
}

// Handle implements telemetry.Handler. What is over the bound is dropped and
// counted.
func (r *reporter) Handle(_ context.Context, e telemetry.Event) {
	switch r.waiting.Put(e, r.bound) {
	case mailbox.Schedule:
		r.workers.Submit(r)
	case mailbox.Full:
		r.dropped.Add(1)
	}
}

// Enabled implements telemetry.Handler. For slog.LevelDebug it knows the answer,
// also on a lane; else it asks the application's handlers: not on a lane.
func (r *reporter) Enabled(level slog.Level) bool {
	if level == slog.LevelDebug {
		return r.verbose.Load()
	}
	return r.stream.Enabled(level)
}

// ask asks anew what the handlers want.
func (r *reporter) ask() { r.verbose.Store(r.stream.Enabled(slog.LevelDebug)) }

// Work hands on what waits. It implements workers.Task. A handler that takes its
// goroutine with it is not the end.
func (r *reporter) Work() {
	done := false
	defer func() {
		if !done {
			r.workers.Submit(r)
		}
	}()
	defer r.ask()
	for {
		e, ok := r.waiting.Take()
		if !ok {
			done = true
			return
		}
		r.stream.Emit(context.Background(), e)
	}
}
