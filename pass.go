package roost

import (
	"context"
	"errors"
	"net/netip"
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
	if p.limited {
		if r, after := l.rules.connects.judge(ctx, l.stream, l.connects.Take(p.address, 1), from); r != nil {
			return nil, r, after
		}
	}
	taken, err := p.acquire()
	switch {
	case err == nil:
		return p, nil, 0
	case errors.Is(err, ratelimit.ErrKeyFull):
		return p, l.rules.address.place(ctx, l.stream, taken, from.String()), comeBack
	default:
		return p, l.rules.connections.place(ctx, l.stream, taken, ""), comeBack
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
	taken, err := p.limits.ids.Judge(id)
	if taken {
		p.id = id
	}
	if err != nil {
		return p.limits.rules.id.place(ctx, p.limits.stream, taken, id)
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

// message asks for a message of so many bytes.
func (p *pass) message(size int) (*refusal, time.Duration) {
	if p == nil {
		return nil, 0
	}
	l, ctx := p.limits, context.Background()
	if r, after := l.rules.messages.judge(ctx, l.stream, l.messages.Take(&p.messages, 1), netip.Addr{}); r != nil {
		return r, after
	}
	return l.rules.bytes.judge(ctx, l.stream, l.bytes.Take(&p.bytes, size), netip.Addr{})
}

// join asks for a join.
func (p *pass) join() (*refusal, time.Duration) {
	if p == nil {
		return nil, 0
	}
	l, ctx := p.limits, context.Background()
	r, after := l.rules.socketJoins.judge(ctx, l.stream, l.socketJoins.Take(&p.joins, 1), netip.Addr{})
	if r == nil && p.limited {
		r, after = l.rules.joins.judge(ctx, l.stream, l.joins.Take(p.address, 1), p.address)
	}
	return r, after
}
