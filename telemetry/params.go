package telemetry

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
)

// Silent is the level of an event that no log says. Other handlers get it.
const Silent = slog.Level(math.MinInt32)

// Params are what a client sent with a connect, a join or a message. They are
// decoded when somebody looks at them, and a log, or whoever prints them, sees
// what the filter leaves: the first 100 entries of maps and lists, 255 bytes of a
// text, 4 KiB in all. The zero value has nothing to show.
type Params struct {
	decode func() any
	filter *Filter
}

// NewParams returns parameters that decode makes, at any time and maybe more
// than once. A nil filter is the default one.
func NewParams(filter *Filter, decode func() any) Params {
	return Params{decode: decode, filter: filter}
}

// Unfiltered decodes the parameters as they were sent, with their secrets; nil
// without.
func (p Params) Unfiltered() any {
	if p.decode == nil {
		return nil
	}
	return p.decode()
}

// Filtered decodes what a log may show of them, however much that is.
func (p Params) Filtered() any {
	switch {
	case p.decode == nil:
		return nil
	case p.filter == nil:
		return Filter{}.Apply(p.decode())
	}
	return p.filter.Apply(p.decode())
}

// shown is what a log shows of them.
func (p Params) shown() any {
	return (&room{bytes: maxShownBytes, entries: maxShownEntries}).show(p.Filtered())
}

// LogValue implements slog.LogValuer.
func (p Params) LogValue() slog.Value { return slog.AnyValue(p.shown()) }

// String is what a log shows.
func (p Params) String() string { return fmt.Sprint(p.shown()) }

// Format has every verb print String: none looks inside.
func (p Params) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, p.String()) }

// MarshalJSON encodes what a log shows.
func (p Params) MarshalJSON() ([]byte, error) { return json.Marshal(p.shown()) }

// with adds the parameters, where there are any.
func (p Params) with(attrs []slog.Attr) []slog.Attr {
	if p.decode == nil {
		return attrs
	}
	return append(attrs, slog.Any("params", p))
}
