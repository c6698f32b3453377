package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// LogBurst is how many warnings and errors of one name a log has room for in a
// second. A client can cause very many.
const LogBurst = 100

// Log returns a handler that writes events to a logger. Of more than LogBurst
// warnings or errors of the same name in a second the rest is left out, and how
// many that were is said when the next one is written.
func Log(l *slog.Logger) Handler {
	return &logHandler{log: l, recent: make(map[string]*recent)}
}

type logHandler struct {
	log *slog.Logger

	mu     sync.Mutex
	recent map[string]*recent // by name, of which there are a few; guarded by mu
}

// recent is what has become of the events of one name lately.
type recent struct {
	since   time.Time // when the second began
	written int       // in it
	left    int       // left out since one was written
}

func (h *logHandler) Handle(ctx context.Context, e Event) {
	if e.Level() == Silent || !h.log.Enabled(ctx, e.Level()) {
		return
	}
	left, write := h.room(e, time.Now())
	if !write {
		return
	}
	attrs := e.Attrs()
	if left > 0 {
		attrs = append(attrs, slog.Int("left_out", left))
	}
	h.log.LogAttrs(ctx, e.Level(), e.Name(), attrs...)
}

// room reports whether an event is to be written, and how many were not before
// it.
func (h *logHandler) room(e Event, now time.Time) (left int, write bool) {
	if e.Level() < slog.LevelWarn { // whoever wants these wants all
		return 0, true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.recent[e.Name()]
	if r == nil {
		r = new(recent)
		h.recent[e.Name()] = r
	}
	if now.Sub(r.since) >= time.Second {
		r.since, r.written = now, 0
	}
	if r.written == LogBurst {
		r.left++
		return 0, false
	}
	r.written++
	left, r.left = r.left, 0
	return left, true
}

func (h *logHandler) Enabled(level slog.Level) bool {
	return h.log.Enabled(context.Background(), level)
}
