package roost

import (
	"context"
	"net/netip"
	"time"

	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/telemetry"
)

// routeLimiter is a route's limits at work. It is safe for concurrent use; the
// buckets that it judges are the connections' own.
type routeLimiter struct {
	// Immutable.
	pattern string
	joins   *ratelimit.Keyed[struct{}] // of everybody together
	rule    rule                       // of the joins
	events  []eventMeters              // the first that matches holds
	all     meters
	buckets int // how many a connection has
}

// eventMeters are those of an EventLimit.
type eventMeters struct {
	event  eventPattern
	meters meters
}

// meters are a limit of messages and one of their bytes.
type meters struct{ messages, bytes meter }

// meter is one limit of each connection.
type meter struct {
	limiter *ratelimit.Limiter // nil without a limit
	place   int                // of its bucket among the connection's
	rule    rule
}

// newRouteLimiter makes the limits of a route that were validated.
func newRouteLimiter(pattern string, l RouteLimits) *routeLimiter {
	r := &routeLimiter{
		pattern: pattern, rule: rule{refusal: refusedRouteJoins, pattern: pattern},
		joins:  valid(ratelimit.NewKeyed[struct{}](ratelimit.Config{Limit: l.Joins, Keys: 1})),
		events: make([]eventMeters, len(l.Events)),
	}
	for i, e := range l.Events {
		r.events[i].event = eventPattern(e.Event)
		r.furnish(&r.events[i].meters.messages, e.Messages, refusedEvents, e.Event)
		r.furnish(&r.events[i].meters.bytes, e.Bytes, refusedEventBytes, e.Event)
	}
	r.furnish(&r.all.messages, l.Messages, refusedRouteMessages, "")
	r.furnish(&r.all.bytes, l.Bytes, refusedRouteBytes, "")
	return r
}

// furnish makes a meter of a limit, if it is one.
func (l *routeLimiter) furnish(m *meter, limit ratelimit.Limit, why *refusal, event string) {
	if !limit.Limited() {
		return
	}
	m.limiter, m.place = valid(ratelimit.NewLimiter(limit)), l.buckets
	m.rule.refusal, m.rule.pattern, m.rule.event = why, l.pattern, event
	l.buckets++
}

// metered reports whether messages are limited.
func (l *routeLimiter) metered() bool { return l != nil && l.buckets > 0 }

// join asks for a join of one of the route's topics.
func (l *routeLimiter) join(s *telemetry.Stream) (*refusal, time.Duration) {
	if l == nil {
		return nil, 0
	}
	return l.rule.judge(context.Background(), s, l.joins.Take(struct{}{}, 1), netip.Addr{})
}

// message asks for a message to one of the route's topics, with the connection's
// buckets. One that is refused takes nothing of any.
func (l *routeLimiter) message(s *telemetry.Stream, own []ratelimit.Bucket, event string, size int) (*refusal, time.Duration) {
	e := l.of(event)
	r, after := e.ask(s, own, size)
	if r == nil {
		r, after = l.all.ask(s, own, size)
	}
	if r == nil {
		e.take(s, own, size)
		l.all.take(s, own, size)
	}
	return r, after
}

// of are the meters of an event; nil is none.
func (l *routeLimiter) of(event string) *meters {
	for i := range l.events {
		if l.events[i].event.matches(event) {
			return &l.events[i].meters
		}
	}
	return nil
}

// ask asks both limits, and takes nothing yet. Nil meters refuse nothing.
func (m *meters) ask(s *telemetry.Stream, own []ratelimit.Bucket, size int) (*refusal, time.Duration) {
	if m == nil {
		return nil, 0
	}
	if r, after := m.messages.ask(s, own, 1); r != nil {
		return r, after
	}
	return m.bytes.ask(s, own, size)
}

// take takes what was asked for.
func (m *meters) take(s *telemetry.Stream, own []ratelimit.Bucket, size int) {
	if m != nil {
		m.messages.take(s, own, 1)
		m.bytes.take(s, own, size)
	}
}

func (m *meter) ask(s *telemetry.Stream, own []ratelimit.Bucket, cost int) (*refusal, time.Duration) {
	if m.limiter == nil {
		return nil, 0
	}
	return m.rule.refuse(s, m.limiter.Ask(own[m.place], cost))
}

func (m *meter) take(s *telemetry.Stream, own []ratelimit.Bucket, cost int) {
	if m.limiter != nil {
		m.rule.judge(context.Background(), s, m.limiter.Take(&own[m.place], cost), netip.Addr{})
	}
}

func (m *meter) stats() (s ratelimit.Stats) {
	if m.limiter != nil {
		s = m.limiter.Stats()
	}
	return s
}

// RouteLimitStats say what the limits of one route have decided.
type RouteLimitStats struct {
	Pattern  string // of the route's topics
	Joins    ratelimit.Stats
	Messages ratelimit.Stats
	Bytes    ratelimit.Stats
	Events   []EventLimitStats // in the order of RouteLimits.Events
}

// EventLimitStats say what a route's limits of some events have decided.
type EventLimitStats struct {
	Event    string // the pattern
	Messages ratelimit.Stats
	Bytes    ratelimit.Stats
}

func (l *routeLimiter) stats() RouteLimitStats {
	s := RouteLimitStats{
		Pattern: l.pattern, Joins: l.joins.Stats(), Messages: l.all.messages.stats(), Bytes: l.all.bytes.stats(),
		Events: make([]EventLimitStats, len(l.events)),
	}
	for i := range l.events {
		e := &l.events[i]
		s.Events[i] = EventLimitStats{Event: string(e.event), Messages: e.meters.messages.stats(), Bytes: e.meters.bytes.stats()}
	}
	return s
}

// limits are those of the routes that have some, in the order of definition.
func (rs routes) limits() (all []RouteLimitStats) {
	for _, r := range rs {
		if r.limits != nil {
			all = append(all, r.limits.stats())
		}
	}
	return all
}
