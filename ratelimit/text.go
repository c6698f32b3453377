package ratelimit

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrText is wrapped by what ParseLimit returns for a text that is no limit.
var ErrText = errors.New("ratelimit: not a limit")

// off is the text of no limit.
const off = "off"

// forms is what the errors teach.
const forms = `write a rate such as "100/s", "5/m burst 20" or "1000/h burst 50 shadow", or "off"`

// units are the times that a rate can be over, in seconds.
var units = [...]struct {
	name    string
	seconds float64
}{{"s", 1}, {"m", 60}, {"h", 60 * 60}, {"d", 24 * 60 * 60}}

// ParseLimit reads a limit such as "100/s" or "5/m burst 20 shadow"; "off" is
// none. The units are s, m, h and d. Without a burst it is what the text
// names: "5/m" lets 5 pass at once. What String writes reads as the same
// limit.
//
// Errors wrap ErrText or ErrImpossible.
func ParseLimit(text string) (Limit, error) {
	words := strings.Fields(text)
	if len(words) == 1 && words[0] == off {
		return Limit{}, nil
	}
	if len(words) == 0 {
		return Limit{}, fmt.Errorf("%w: the text is empty: %s", ErrText, forms)
	}
	l, err := parseRate(words[0])
	if err == nil {
		err = l.parseRest(words[1:])
	}
	if err == nil {
		err = l.Validate()
	}
	if err != nil {
		return Limit{}, fmt.Errorf("limit %q: %w", text, err)
	}
	return l, nil
}

// parseRate reads "100/s".
func parseRate(word string) (Limit, error) {
	number, unit, found := strings.Cut(word, "/")
	if !found {
		return Limit{}, fmt.Errorf("%w: %q does not say per what time: %s", ErrText, word, forms)
	}
	count, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.Trim(number, "0123456789.") != "" {
		return Limit{}, fmt.Errorf("%w: %q is not a number of events: %s", ErrText, number, forms)
	}
	if count == 0 {
		return Limit{}, fmt.Errorf("%w: a rate of 0 would let nothing pass, ever: write \"off\" for no limit", ErrText)
	}
	for _, u := range units {
		if u.name == unit {
			return Limit{Rate: count / u.seconds, Burst: burstOf(count)}, nil
		}
	}
	return Limit{}, fmt.Errorf("%w: %q is no unit of time: use s, m, h or d, as in \"100/s\"", ErrText, unit)
}

// parseRest reads "burst 20" and "shadow".
func (l *Limit) parseRest(words []string) error {
	if len(words) > 0 && words[0] == "burst" {
		if len(words) == 1 {
			return fmt.Errorf("%w: nothing follows \"burst\": say how many may come at once, as in \"burst 20\"", ErrText)
		}
		n, err := strconv.ParseUint(words[1], 10, 31)
		if err != nil || n == 0 {
			return fmt.Errorf("%w: %q is not a burst: use a whole number from 1 to %d", ErrText, words[1], maxBurst)
		}
		l.Burst, words = int(n), words[2:]
	}
	if len(words) > 0 && words[0] == "shadow" {
		l.Shadow, words = true, words[1:]
	}
	if len(words) > 0 {
		return fmt.Errorf("%w: %q is not understood here: %s", ErrText, words[0], forms)
	}
	return nil
}

// String is the limit as ParseLimit reads it, in the unit that needs no
// fraction: "100/s", "5/m burst 20 shadow", "off".
func (l Limit) String() string {
	if !l.Limited() {
		return off
	}
	text, burst := l.rate()
	if l.burst() != burst {
		text += " burst " + strconv.Itoa(l.burst())
	}
	if l.Shadow {
		text += " shadow"
	}
	return text
}

// rate is the limit's rate, and the burst that goes without saying.
func (l Limit) rate() (text string, burst int) {
	for _, u := range units {
		if count := math.Round(l.Rate * u.seconds); count/u.seconds == l.Rate {
			return strconv.FormatFloat(count, 'f', -1, 64) + "/" + u.name, burstOf(count)
		}
	}
	return strconv.FormatFloat(l.Rate, 'f', -1, 64) + "/s", burstOf(l.Rate)
}

// MarshalText writes what String does, for flags and files.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what ParseLimit does, for flags and files.
func (l *Limit) UnmarshalText(text []byte) error {
	parsed, err := ParseLimit(string(text))
	if err == nil {
		*l = parsed
	}
	return err
}
