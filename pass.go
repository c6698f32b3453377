package roost

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/roostgo/roost/ratelimit"
)

// pass is a connection's leave to be here. A nil pass has no limits.
type pass struct {
	limits  *limiter
	address netip.Addr // the key
	limited bool       // by its address
	id      string     // counted; "" if none is

	// Owned by the connection's lane.
	joins, messages, bytes ratelimit.Bucket
}

// enter asks for a new connection's pass. A refusal says when to come back.
func (l *limiter) enter(ctx context.Context, from netip.Addr) (*pass, *refusal, time.Duration) {
	if l == nil {
		return nil, nil, 0
	}
	p := &pass{limits: l}
	p.address, p.limited = l.config.Address.Key(from)
	if p.limited && l.config.Connects.Limited() {
		if r, after := l.rules.connects.judge(ctx, l.stream, l.connects.Take(p.address, 1), from); r != nil {
			return nil, r, after
		}
	}
	taken, err := p.acquire()
	switch {
	case err == nil:
		return p, nil, 0
	case errors.Is(err, ratelimit.ErrKeyFull):
		return p, l.rules.address.place(ctx, l.stream, taken, from.String()), spread(comeBack)
	default:
		return p, l.rules.connections.place(ctx, l.stream, taken, ""), spread(comeBack)
	}
}

// comeBack is when to try again for a place among those there may be at once.
const comeBack = 5 * time.Second

func (p *pass) acquire() (taken bool, err error) {
	if p.limited {
		return p.limits.connections.Judge(p.address)
	}
	return p.limits.connections.JudgeExempt()
}

// name counts the connection under its socket id.
func (p *pass) name(ctx context.Context, id string) *refusal {
	if p == nil || id == "" {
		return nil
	}
	id = strings.Clone(id) // it may be a piece of the request
	taken, err := p.limits.ids.Judge(id)
	if taken {
		p.id = id
	}
	if err != nil {
		return p.limits.rules.id.place(ctx, p.limits.stream, taken, brief(id))
	}
	return nil
}

// leave gives back what the connection counted for. It is called once.
func (p *pass) leave() {
	if p == nil {
		return
	}
	if p.id != "" {
		p.limits.ids.Release(p.id)
	}
	if p.limited {
		p.limits.connections.Release(p.address)
	} else {
		p.limits.connections.ReleaseExempt()
	}
}

// message asks for a message of so many bytes. One that is refused takes nothing.
func (p *pass) message(size int) (*refusal, time.Duration) {
	if p == nil {
		return nil, 0
	}
	l := p.limits
	r, after := l.ask(&l.rules.messages, l.messages, p.messages, 1)
	if r == nil {
		r, after = l.ask(&l.rules.bytes, l.bytes, p.bytes, size)
	}
	if r == nil {
		l.take(&l.rules.messages, l.messages, &p.messages, 1)
		l.take(&l.rules.bytes, l.bytes, &p.bytes, size)
	}
	return r, after
}

// charge takes what a message costs, or what is left, and refuses nothing.
func (p *pass) charge(size int) {
	if p != nil {
		charge(p.limits.messages, &p.messages, 1)
		charge(p.limits.bytes, &p.bytes, size)
	}
}

// join asks for a join. One that is refused takes nothing.
func (p *pass) join() (*refusal, time.Duration) {
	if p == nil {
		return nil, 0
	}
	l := p.limits
	r, after := l.ask(&l.rules.socketJoins, l.socketJoins, p.joins, 1)
	if r == nil && p.limited && l.config.Joins.Limited() {
		r, after = l.rules.joins.judge(context.Background(), l.stream, l.joins.Take(p.address, 1), p.address)
	}
	if r == nil {
		l.take(&l.rules.socketJoins, l.socketJoins, &p.joins, 1)
	}
	return r, after
}

// ask asks a limit of a connection's own, and takes nothing yet.
func (l *limiter) ask(r *rule, limit *ratelimit.Limiter, b ratelimit.Bucket, cost int) (*refusal, time.Duration) {
	if !limit.Limit().Limited() { // all connections count in one place
		return nil, 0
	}
	return r.refuse(l.stream, limit.Ask(b, cost))
}

// take takes what was asked for.
func (l *limiter) take(r *rule, limit *ratelimit.Limiter, b *ratelimit.Bucket, cost int) {
	if limit.Limit().Limited() { // as in ask
		r.judge(context.Background(), l.stream, limit.Take(b, cost), netip.Addr{})
	}
}

// charge takes from a limit of a connection's own, if it is one.
func charge(limit *ratelimit.Limiter, b *ratelimit.Bucket, cost int) {
	if limit.Limit().Limited() { // as in ask
		limit.Charge(b, cost)
	}
}
