package roost

import (
	"errors"
	"fmt"
	"strings"

	"github.com/roostgo/roost/ratelimit"
)

// RouteLimits bound what clients may do with the topics of one route. The zero
// value bounds nothing; each limit is there on its own, and has a shadow mode.
type RouteLimits struct {
	// Joins is how often the route's topics are joined, by everybody together:
	// what a join costs the application, such as a query, is bounded. One client
	// can use all of it up, so give each less: Limits.SocketJoins, Limits.Joins.
	Joins ratelimit.Limit

	// Messages is how many messages one connection may send to the route's
	// topics: whoever has joined a hundred of them may send no more than with one.
	// Joins, leaves and heartbeats do not count, and are never refused by it.
	Messages ratelimit.Limit

	// Bytes is how many bytes these messages may have, as Limits.Bytes counts
	// them.
	Bytes ratelimit.Limit

	// Events are limits of some of these messages, by event. The first that
	// matches holds, beside Messages and Bytes.
	Events []EventLimit
}

// EventLimit bounds the messages of some events that one connection may send to
// a route's topics.
type EventLimit struct {
	// Event is the event's name, or with a "*" at its end the beginning of its
	// name. "*" is every event.
	Event string

	// Messages is how many. Default: no limit; an EventLimit without limits keeps
	// its event out of those that follow.
	Messages ratelimit.Limit

	// Bytes is how many bytes they may have. Default: no limit.
	Bytes ratelimit.Limit
}

// WithLimits bounds what clients may do with the topics of a route. It stands
// beside Config.Limits, which is asked first. It panics on limits that are
// impossible.
//
// What a connection has used up is kept, eight bytes for each limit, from its
// first message to the route until its end: to leave and join again gains
// nothing.
func WithLimits(l RouteLimits) RouteOption {
	if err := l.Validate(); err != nil {
		panic("roost: WithLimits: these limits cannot work:\n" + err.Error())
	}
	return func(r *route) { r.limits = newRouteLimiter(r.String(), l) }
}

// Validate reports all that is impossible, which WithLimits panics on.
func (l RouteLimits) Validate() error {
	errs := []error{ofLimit("Joins", l.Joins), ofLimit("Messages", l.Messages), ofLimit("Bytes", l.Bytes)}
	for i, e := range l.Events {
		name := fmt.Sprintf("Events[%d], of %q: ", i, e.Event)
		errs = append(errs, ofLimit(name+"Messages", e.Messages), ofLimit(name+"Bytes", e.Bytes), e.possible(l.Events[:i], name))
	}
	return errors.Join(errs...)
}

func ofLimit(name string, l ratelimit.Limit) error {
	if err := l.Validate(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// possible says why a pattern can never match as meant, after those before it.
func (e EventLimit) possible(before []EventLimit, name string) error {
	star := strings.IndexByte(e.Event, '*')
	switch {
	case e.Event == "":
		return fmt.Errorf("%sno event: give its name, or \"*\" for every event", name)
	case star >= 0 && star < len(e.Event)-1:
		return fmt.Errorf("%sit has a * before its end: only one at the very end is a wildcard, as in %q", name, e.Event[:star+1])
	case e.Event == eventJoin:
		return fmt.Errorf("%sa join is no message to a channel: limit it with RouteLimits.Joins", name)
	case e.Event == eventLeave:
		return fmt.Errorf("%snobody is kept from leaving: take it out", name)
	}
	for _, b := range before {
		if eventPattern(b.Event).covers(e.Event) {
			return fmt.Errorf("%sit is never reached, because %q before it matches the same events and the first match wins: put it before that, or take it out", name, b.Event)
		}
	}
	return nil
}

// eventPattern is an event's name, or with a "*" at its end the beginning of it.
type eventPattern string

func (p eventPattern) matches(event string) bool {
	if beginning, ok := strings.CutSuffix(string(p), "*"); ok {
		return strings.HasPrefix(event, beginning)
	}
	return event == string(p)
}

// covers reports whether all that another pattern matches is matched. Names have
// no "*" (a client's event may, and only a pattern of beginnings matches it).
func (p eventPattern) covers(other string) bool {
	beginning, wild := strings.CutSuffix(string(p), "*")
	if !wild {
		return string(p) == other
	}
	return strings.HasPrefix(strings.TrimSuffix(other, "*"), beginning)
}
