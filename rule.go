package roost

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/telemetry"
)

// rule is one limit as clients and operators see it: how it refuses, and of what
// it is. What its pattern and event say is configured, never what a client sent:
// there are as many as there are limits.
type rule struct {
	refusal *refusal
	pattern string // of the topics of the route that it is of; "" of others
	event   string // pattern of the events that it is for; "" of others

	seen atomic.Bool // in shadow mode, it was told that it is hit
}

// judge turns a decision into a refusal, or nil, and tells of it, and says when to
// come back. key is whose limit it is, if it is an address's.
func (r *rule) judge(ctx context.Context, s *telemetry.Stream, d ratelimit.Decision, key netip.Addr) (*refusal, time.Duration) {
	if d.Shadowed {
		r.shadow(ctx, s, keyOf(key))
	}
	if d.Allowed {
		return nil, 0
	}
	if d.RetryAfter == ratelimit.Never {
		d.RetryAfter = 0
	}
	return r.hit(ctx, s, keyOf(key)), later(d.RetryAfter)
}

// refuse turns a decision of a limit that was asked into a refusal, as judge does. Of
// what may pass nothing is told before it is taken.
func (r *rule) refuse(s *telemetry.Stream, d ratelimit.Decision) (*refusal, time.Duration) {
	if d.Allowed {
		return nil, 0
	}
	return r.judge(context.Background(), s, d, netip.Addr{})
}

// hit tells that somebody is refused.
func (r *rule) hit(ctx context.Context, s *telemetry.Stream, key string) *refusal {
	s.Emit(ctx, telemetry.LimitHit{Limit: r.refusal.reason, Key: key, Pattern: r.pattern, Event: r.event})
	return r.refusal
}

// shadow tells, once, that somebody would be refused: who tries a limit out wants
// to know that it is hit, and reads in the counters how often.
func (r *rule) shadow(ctx context.Context, s *telemetry.Stream, key string) {
	if r.seen.CompareAndSwap(false, true) {
		s.Emit(ctx, telemetry.LimitHit{Limit: r.refusal.reason, Key: key, Pattern: r.pattern, Event: r.event, Shadow: true})
	}
}

// place turns what a gauge says into a refusal, or nil, and tells of it.
func (r *rule) place(ctx context.Context, s *telemetry.Stream, taken bool, key string) *refusal {
	if !taken {
		return r.hit(ctx, s, key)
	}
	r.shadow(ctx, s, key)
	return nil
}

// keyOf is an address in an event; "" is none.
func keyOf(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
