package roost

import (
	"testing"

	"github.com/roostgo/roost/ratelimit"
)

func TestAConnectionHasBucketsOfTheRoutesThatItUsesOnly(t *testing.T) {
	limited := RouteLimits{
		Messages: ratelimit.Limit{Rate: 1},
		Events:   []EventLimit{{Event: "a", Bytes: ratelimit.Limit{Rate: 1}}, {Event: "b"}},
	}
	first, second := newRouteLimiter("a", limited), newRouteLimiter("b", RouteLimits{Bytes: ratelimit.Limit{Rate: 1}})
	c := new(client)
	if c.aside != nil {
		t.Fatal("it has something before it needs it")
	}
	own := c.buckets(first)
	if len(own) != 2 || len(c.aside.tabs) != 1 {
		t.Errorf("it has %d buckets of %d routes, want 2 of one", len(own), len(c.aside.tabs))
	}
	if n := len(c.buckets(second)); n != 1 {
		t.Errorf("it has %d buckets of the second route, want 1", n)
	}
	if again := c.buckets(first); &again[0] != &own[0] || len(c.aside.tabs) != 2 {
		t.Error("its buckets are not the same any more")
	}
}

func TestARouteThatLimitsJoinsOnlyIsNotRememberedByItsChannels(t *testing.T) {
	e := NewEndpoint(Config{})
	e.Channel("a", func() Channel { return nil }, WithLimits(RouteLimits{Joins: ratelimit.Limit{Rate: 1}}))
	e.Channel("b", func() Channel { return nil }, WithLimits(RouteLimits{Messages: ratelimit.Limit{Rate: 1}}))
	for i, r := range *e.routes.Load() {
		s := &Socket{client: &client{kind: &clientKind{endpoint: e}}}
		s.remember(r)
		if got := s.limits(); (got != nil) != (i == 1) || got != nil && got != r.limits {
			t.Errorf("route %s: got %+v", r, got)
		}
	}
}
