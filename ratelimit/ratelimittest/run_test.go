package ratelimittest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/ratelimit"
)

func TestMemoryIsAStore(t *testing.T) {
	Run(t, func(*testing.T) (ratelimit.Store, func(time.Duration)) { return ratelimit.NewMemory(0), nil })
}

// faulty is a store with one fault.
type faulty func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error)

func (f faulty) bind() ratelimit.Store { return bound{f, ratelimit.NewMemory(0)} }

type bound struct {
	take faulty
	m    *ratelimit.Memory
}

func (b bound) Take(ctx context.Context, key string, l ratelimit.Limit, cost int) (ratelimit.Decision, error) {
	return b.take(ctx, b.m, event{key, l, cost})
}

// faults are what the clauses are there to find.
var faults = map[string]faulty{
	"a burst passes at once, and no more": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		if e.limit.Burst > 1 {
			e.limit.Burst++
		}
		return m.Take(ctx, e.key, e.limit, e.cost)
	},
	"a limit without a burst has that of a second, at least 1": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		if e.limit.Limited() && e.limit.Burst == 0 {
			e.limit.Burst = 10
		}
		return m.Take(ctx, e.key, e.limit, e.cost)
	},
	"each key has a bucket of its own": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		return m.Take(ctx, strings.TrimSpace(e.key), e.limit, e.cost)
	},
	"an event takes what it costs": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		return m.Take(ctx, e.key, e.limit, min(e.cost, 1))
	},
	"what is refused takes nothing": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		d, err := m.Take(ctx, e.key, e.limit, e.cost)
		if err == nil && !d.Allowed {
			_, err = m.Take(ctx, e.key, e.limit, 1)
		}
		return d, err
	},
	"what costs nothing passes, and takes nothing": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		return m.Take(ctx, e.key, e.limit, max(e.cost, 1))
	},
	"what costs more than the burst never passes": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		d, err := m.Take(ctx, e.key, e.limit, e.cost)
		d.RetryAfter = min(d.RetryAfter, time.Hour)
		return d, err
	},
	"who waits as long as told passes": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		d, err := m.Take(ctx, e.key, e.limit, e.cost)
		if d.RetryAfter > 1 {
			d.RetryAfter /= 10
		}
		return d, err
	},
	"who waits is told to wait for one event, not for a full bucket": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		d, err := m.Take(ctx, e.key, e.limit, e.cost)
		if !d.Allowed && err == nil {
			d.RetryAfter = 10 * time.Hour
		}
		return d, err
	},
	"a bucket holds no more than its burst": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		d, err := m.Take(ctx, e.key, e.limit, e.cost)
		if !d.Allowed && err == nil {
			return m.Take(ctx, e.key+"2", e.limit, e.cost)
		}
		return d, err
	},
	"without a limit everything passes": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		d, err := m.Take(ctx, e.key, e.limit, e.cost)
		if !e.limit.Limited() {
			d = ratelimit.Decision{RetryAfter: 1}
		}
		return d, err
	},
	"shadow mode says what it would refuse, and lets it pass": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		e.limit.Shadow = false
		return m.Take(ctx, e.key, e.limit, e.cost)
	},
	"a limit may change": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		return m.Take(ctx, e.key+e.limit.String(), e.limit, e.cost)
	},
	"an impossible limit is an error": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		if e.limit.Validate() != nil {
			return ratelimit.Decision{Allowed: true}, nil
		}
		return m.Take(ctx, e.key, e.limit, e.cost)
	},
	"a context that is done is an error": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		return m.Take(context.WithoutCancel(ctx), e.key, e.limit, e.cost)
	},
	"many at once get no more than the burst": func(ctx context.Context, m *ratelimit.Memory, e event) (ratelimit.Decision, error) {
		d, err := m.Take(ctx, e.key, e.limit, e.cost)
		if !d.Allowed && err == nil {
			return m.Take(ctx, e.key+"2", e.limit, e.cost)
		}
		return d, err
	},
}

func TestEveryClauseFindsItsFault(t *testing.T) {
	for _, c := range clauses {
		fault, ok := faults[c.name]
		if !ok {
			t.Errorf("%s: no fault that it finds", c.name)
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			if err := c.check(&subject{t.Context(), fault.bind(), wait}); err == nil {
				t.Errorf("%s: passes a store with that fault", c.name)
			}
			good := &subject{t.Context(), ratelimit.NewMemory(0), wait}
			if err := c.check(good); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		})
	}
}

func TestAnswersThatContradictThemselvesAreFound(t *testing.T) {
	for _, d := range []ratelimit.Decision{
		{Allowed: true, RetryAfter: 1},
		{Allowed: false, RetryAfter: 0},
		{Allowed: true, Shadowed: true},
		{Allowed: false, Shadowed: true, RetryAfter: 1},
	} {
		lie := faulty(func(context.Context, *ratelimit.Memory, event) (ratelimit.Decision, error) { return d, nil })
		if _, err := (&subject{t.Context(), lie.bind(), wait}).take(event{}); err == nil {
			t.Errorf("%+v is taken for an answer", d)
		}
	}
}

func TestAnErrorOfTheStoreIsReported(t *testing.T) {
	lost := errors.New("lost")
	broken := faulty(func(context.Context, *ratelimit.Memory, event) (ratelimit.Decision, error) {
		return ratelimit.Decision{}, lost
	})
	for _, c := range clauses {
		if err := c.check(&subject{t.Context(), broken.bind(), wait}); err == nil {
			t.Errorf("%s: passes a store that is out of reach", c.name)
		}
	}
}
