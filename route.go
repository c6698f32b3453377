package roost

import (
	"fmt"
	"slices"
	"strings"

	"github.com/roostgo/roost/transport"
)

// route leads a topic to a channel.
type route struct {
	pattern string
	prefix  bool // the pattern ended in "*", which is cut off
	factory Factory
	assigns Assigns

	thinning *transport.Thinning // of clients that read too slowly; nil cuts them
	limits   *routeLimiter       // nil without
	number   uint32              // from 1 in the order of definition
	levels   logLevels
}

// RouteOption says more about a route.
type RouteOption func(*route)

// WithAssigns gives the channels of a route static values, merged into those
// of the connection at the join.
func WithAssigns(a Assigns) RouteOption {
	return func(r *route) { r.assigns = r.assigns.merged(a) }
}

// newRoute panics on a pattern that can never match as meant [§7.4, clause 15].
func newRoute(pattern string, f Factory, opts []RouteOption) *route {
	if i := strings.IndexByte(pattern, '*'); i >= 0 && i != len(pattern)-1 {
		panic(fmt.Sprintf("roost: topic pattern %q has a * before its end: only one at the very end is a wildcard, as in %q", pattern, pattern[:i+1]))
	}
	if f == nil {
		panic(fmt.Sprintf("roost: topic pattern %q has no channel: pass roost.ChannelOf(...) or a Factory", pattern))
	}
	r := &route{factory: f, levels: usualLevels}
	r.pattern, r.prefix = strings.CutSuffix(pattern, "*")
	for _, o := range opts {
		o(r)
	}
	return r
}

func (r *route) matches(topic string) bool {
	if r.prefix {
		return strings.HasPrefix(topic, r.pattern)
	}
	return topic == r.pattern
}

// String is the pattern as it was defined.
func (r *route) String() string {
	if r.prefix {
		return r.pattern + "*"
	}
	return r.pattern
}

// A channel keeps which route it came by in what its flags leave free, if that
// route thins or limits its messages: a field of its own would be one more word
// in every channel.
const routeShift = 8

// remember keeps the route of a channel, before it is shared.
func (s *Socket) remember(r *route) {
	if r.thinning != nil || r.limits.metered() {
		s.flags.Or(r.number << routeShift)
	}
}

// route is what remember kept; nil is nothing.
func (s *Socket) route() *route {
	n := s.flags.Load() >> routeShift
	if n == 0 {
		return nil
	}
	return (*s.client.kind.endpoint.routes.Load())[n-1]
}

// limits are those of the messages to a channel; nil is none.
func (s *Socket) limits() *routeLimiter {
	if r := s.route(); r != nil && r.limits.metered() {
		return r.limits
	}
	return nil
}

// routes are tried in the order in which they were defined. None is ever taken
// out: channels know theirs by its number.
type routes []*route

// with returns the routes and one more.
func (rs routes) with(r *route) routes {
	r.number = uint32(len(rs) + 1) //nolint:gosec // somebody writes them
	return append(slices.Clone(rs), r)
}

func (rs routes) find(topic string) *route {
	for _, r := range rs {
		if r.matches(topic) {
			return r
		}
	}
	return nil
}
