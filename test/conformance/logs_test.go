package conformance

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// logs is a slog.Handler that keeps what an endpoint logged, of every level.
type logs struct {
	mu      sync.Mutex
	records []record      // guarded by mu
	grown   chan struct{} // closed, and replaced, when there is one more; guarded by mu
}

// record is one line of the log.
type record struct {
	Level slog.Level
	Name  string // the message: an event's name
	Attrs map[string]string
}

func newLogs() *logs { return &logs{grown: make(chan struct{})} }

func (l *logs) Enabled(context.Context, slog.Level) bool { return true }
func (l *logs) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logs) WithGroup(string) slog.Handler            { return l }

func (l *logs) Handle(_ context.Context, r slog.Record) error {
	rec := record{Level: r.Level, Name: r.Message, Attrs: make(map[string]string, r.NumAttrs())}
	r.Attrs(func(a slog.Attr) bool {
		rec.Attrs[a.Key] = a.Value.String()
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, rec)
	close(l.grown)
	l.grown = make(chan struct{})
	return nil
}

// expect waits for a record with this name and these attributes (key, value, key, value …).
func (l *logs) expect(t *testing.T, name string, attrs ...string) record {
	t.Helper()
	return l.wait(t, name, func(r record) bool { return r.is(name, attrs) })
}

// expectError waits for such a record whose error has a text in it.
func (l *logs) expectError(t *testing.T, name, text string, attrs ...string) record {
	t.Helper()
	return l.wait(t, name, func(r record) bool { return r.is(name, attrs) && strings.Contains(r.Attrs["error"], text) })
}

func (l *logs) wait(t *testing.T, name string, matches func(record) bool) record {
	t.Helper()
	late := time.After(patience)
	for {
		all, grown := l.snapshot()
		if i := slices.IndexFunc(all, matches); i >= 0 {
			return all[i]
		}
		select {
		case <-grown:
		case <-late:
			t.Fatalf("no such log record %q; there are: %v", name, all)
		}
	}
}

// expectLogged drops the clients and shuts the server down, after which all that happened is in the log, and fails the
// test unless it has n such records.
func (s *server) expectLogged(t *testing.T, n int, name string, attrs ...string) {
	t.Helper()
	for _, c := range s.clients {
		c.Drop()
	}
	s.shutdown(t)
	if got := s.logs.count(name, attrs...); got != n {
		t.Fatalf("%d log records %q %q, want %d", got, name, attrs, n)
	}
}

// count is how many such records there are now.
func (l *logs) count(name string, attrs ...string) (n int) {
	all, _ := l.snapshot()
	for _, r := range all {
		if r.is(name, attrs) {
			n++
		}
	}
	return n
}

func (l *logs) snapshot() ([]record, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.records), l.grown
}

func (r record) is(name string, attrs []string) bool {
	if r.Name != name {
		return false
	}
	for i := 0; i+1 < len(attrs); i += 2 {
		if r.Attrs[attrs[i]] != attrs[i+1] {
			return false
		}
	}
	return true
}

// String is the record in one line.
func (r record) String() string { return fmt.Sprintf("%v %s %v", r.Level, r.Name, r.Attrs) }
