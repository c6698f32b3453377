package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/ratelimit"
)

// patternLimits are limits of what has names: topics and events.
type patternLimits struct {
	topics []topicLimit
	events []roost.EventLimit
}

// topicLimit is how often the topics of a pattern may be joined.
type topicLimit struct {
	pattern string
	joins   ratelimit.Limit
}

// topic reads a -topic-join-rate.
func (p *patternLimits) topic(text string) error {
	pattern, l, err := parsePatternLimit(text)
	if err != nil {
		return err
	}
	for _, t := range p.topics {
		if beginning, wild := strings.CutSuffix(t.pattern, "*"); t.pattern == pattern || wild && strings.HasPrefix(pattern, beginning) {
			return fmt.Errorf("%q is never reached, because %q before it matches the same topics and the first match wins: put it first, or leave it out", pattern, t.pattern)
		}
	}
	p.topics = append(p.topics, topicLimit{pattern, l})
	return nil
}

// messages reads an -event-rate.
func (p *patternLimits) messages(text string) error {
	return p.event(text, func(e *roost.EventLimit, l ratelimit.Limit) { e.Messages = l })
}

// bytes reads an -event-byte-rate.
func (p *patternLimits) bytes(text string) error {
	return p.event(text, func(e *roost.EventLimit, l ratelimit.Limit) { e.Bytes = l })
}

// event adds to what there is of a pattern: it may have both limits.
func (p *patternLimits) event(text string, set func(*roost.EventLimit, ratelimit.Limit)) error {
	pattern, l, err := parsePatternLimit(text)
	if err != nil {
		return err
	}
	events := slices.Clone(p.events)
	i := slices.IndexFunc(events, func(e roost.EventLimit) bool { return e.Event == pattern })
	if i < 0 {
		i = len(events)
		events = append(events, roost.EventLimit{Event: pattern})
	}
	set(&events[i], l)
	if err := (roost.RouteLimits{Events: events}).Validate(); err != nil {
		return err
	}
	p.events = events
	return nil
}

// parsePatternLimit reads a pattern and its limit, "room:*=50/s". The limit is
// behind the last "=": topics may have some.
func parsePatternLimit(text string) (pattern string, l ratelimit.Limit, err error) {
	i := strings.LastIndexByte(text, '=')
	if i <= 0 {
		return "", l, fmt.Errorf("%q is no pattern with a limit: write them with a = between, as in \"room:*=50/s\"", text)
	}
	pattern = strings.TrimSpace(text[:i])
	if star := strings.IndexByte(pattern, '*'); pattern == "" || star >= 0 && star < len(pattern)-1 {
		return "", l, fmt.Errorf("%q is no pattern: it is a name, or the beginning of names with one * at its end, as in \"room:*\"", text[:i])
	}
	l, err = ratelimit.ParseLimit(text[i+1:])
	return pattern, l, err
}

// route has an endpoint relay, within these limits.
func (p *patternLimits) route(e *roost.Endpoint) {
	for _, t := range p.topics {
		e.Channel(t.pattern, newRelay, roost.WithLimits(roost.RouteLimits{Joins: t.joins, Events: p.events}))
	}
	if len(p.topics) > 0 && p.topics[len(p.topics)-1].pattern == "*" {
		return
	}
	e.Channel("*", newRelay, roost.WithLimits(roost.RouteLimits{Events: p.events}))
}
