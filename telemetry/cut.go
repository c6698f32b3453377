package telemetry

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// Clients choose topics, events, origins and parameters, and errors repeat them.
// Events wait for the log by their number, so each must be small, and a log line
// is for people.

// MaxText is how many bytes of a text that a client chose stand in an event and
// in a log line.
const MaxText = 255

// How much a log line shows of an error and of parameters.
const (
	maxError        = 1 << 10 // bytes
	maxShownBytes   = 4 << 10 // of all keys and texts together
	maxShownEntries = 100     // of all maps and lists together
)

// Cut shortens a text that a client chose to MaxText bytes and "…". What it
// returns is s itself if that is short enough, else it shares no memory with s.
func Cut(s string) string { return cut(s, MaxText) }

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// CutError returns an error that says the first of what err says, if that is
// long, else err itself. It calls err's Error.
func CutError(err error) error {
	if s := text(err); len(s) > maxError {
		return errors.New(cut(s, maxError))
	}
	return err
}

// room is what is left for parameters in a log line.
type room struct{ bytes, entries int }

// show is what a line has room for of what a Filter left.
func (r *room) show(v any) any {
	switch v := v.(type) {
	case string:
		return r.text(v)
	case map[string]any:
		return r.pairs(v)
	case []any:
		return r.list(v)
	}
	return v
}

// text cuts a text to what there is room for.
func (r *room) text(s string) string {
	s = cut(s, min(MaxText, max(r.bytes, 0)))
	r.bytes -= len(s)
	return s
}

// full reports whether there is no room for one more entry; else it is taken.
func (r *room) full() bool {
	r.entries--
	return r.entries < 0 || r.bytes <= 0
}

// pairs shows the first of a map, by their keys.
func (r *room) pairs(m map[string]any) map[string]any {
	shown := make(map[string]any, min(len(m), maxShownEntries))
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if r.full() {
			shown["…"] = more(len(m) - i)
			break
		}
		shown[r.text(key)] = r.show(m[key])
	}
	return shown
}

// list shows the first of a list.
func (r *room) list(l []any) []any {
	shown := make([]any, 0, min(len(l), maxShownEntries))
	for i, v := range l {
		if r.full() {
			return append(shown, "… "+more(len(l)-i))
		}
		shown = append(shown, r.show(v))
	}
	return shown
}

func more(n int) string { return fmt.Sprintf("%d more", n) }
