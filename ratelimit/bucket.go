package ratelimit

import (
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/internal/highwater"
)

// Bucket is the state of one limit for one thing: eight bytes that stand in
// its owner's struct. The zero value is a full bucket. It belongs to one
// goroutine at a time and to one Limiter.
type Bucket struct{ arrival int64 } // nanoseconds since the limiter was born

// Limiter judges buckets that their owners keep, such as those of sockets and
// channels. It is safe for concurrent use; its buckets are not.
//
// All who ask it count on the same few bytes. Where that is felt, each event
// loop has one of its own, and [Stats.Plus] adds them up.
type Limiter struct {
	// Immutable.
	born  time.Time
	limit Limit
	pace  pace

	allowed, refused, shadowed atomic.Uint64
	usedHigh                   atomic.Int64
}

// NewLimiter returns a limiter. The error is that of [Limit.Validate].
func NewLimiter(l Limit) (*Limiter, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	return &Limiter{born: time.Now(), limit: l, pace: l.pace()}, nil
}

// Limit is what it was made with.
func (l *Limiter) Limit() Limit { return l.limit }

// Take asks for an event that costs so much, 1 or its bytes, and takes that
// from the bucket if it passes. A cost below 1 is free. It does not allocate.
func (l *Limiter) Take(b *Bucket, cost int) Decision {
	var wait time.Duration
	if l.limit.Limited() {
		now := int64(time.Since(l.born))
		b.arrival, wait = l.pace.take(b.arrival, now, cost)
		highwater.Raise(&l.usedHigh, int64(l.pace.used(b.arrival, now)))
	}
	d := l.limit.Decide(wait)
	l.count(d)
	return d
}

// Ask says what Take would, and takes nothing: for an event that others may refuse
// as well. A refusal counts; what may pass counts when it is taken.
func (l *Limiter) Ask(b Bucket, cost int) Decision {
	var wait time.Duration
	if l.limit.Limited() {
		_, wait = l.pace.take(b.arrival, int64(time.Since(l.born)), cost)
	}
	d := l.limit.Decide(wait)
	if !d.Allowed {
		l.count(d)
	}
	return d
}

// Charge takes what an event costs from the bucket, or what is left of it, and
// counts it as allowed: for an event that must pass whatever came before it.
func (l *Limiter) Charge(b *Bucket, cost int) {
	if l.limit.Limited() {
		now := int64(time.Since(l.born))
		b.arrival = l.pace.charge(b.arrival, now, cost)
		highwater.Raise(&l.usedHigh, int64(l.pace.used(b.arrival, now)))
	}
	l.allowed.Add(1)
}

func (l *Limiter) count(d Decision) {
	switch {
	case d.Shadowed:
		l.shadowed.Add(1)
	case d.Allowed:
		l.allowed.Add(1)
	default:
		l.refused.Add(1)
	}
}

// Stats are the decisions so far; of keys it knows nothing.
func (l *Limiter) Stats() Stats {
	return Stats{Allowed: l.allowed.Load(), Refused: l.refused.Load(), Shadowed: l.shadowed.Load(), UsedHigh: int(l.usedHigh.Load())}
}
