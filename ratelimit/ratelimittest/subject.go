package ratelimittest

import (
	"context"
	"fmt"
	"time"

	"github.com/roostgo/roost/ratelimit"
)

// subject is the store under test.
type subject struct {
	ctx   context.Context
	store ratelimit.Store
	pass  func(time.Duration)
}

// event is a key, a limit and a cost.
type event struct {
	key   string
	limit ratelimit.Limit
	cost  int
}

// take asks the store, and holds the answer against itself.
func (s *subject) take(e event) (ratelimit.Decision, error) {
	d, err := s.store.Take(s.ctx, e.key, e.limit, e.cost)
	switch {
	case err != nil:
		return d, fmt.Errorf("%v: %w", e, err)
	case d.Allowed && !d.Shadowed && d.RetryAfter != 0:
		return d, fmt.Errorf("%v is allowed, and should wait: %+v", e, d)
	case (!d.Allowed || d.Shadowed) && d.RetryAfter <= 0:
		return d, fmt.Errorf("%v is over the limit, and need not wait: %+v", e, d)
	case d.Shadowed && !d.Allowed:
		return d, fmt.Errorf("%v is refused by a limit in shadow mode: %+v", e, d)
	}
	return d, nil
}

// allows wants so many events in a row to pass, and not for being in shadow
// mode.
func (s *subject) allows(times int, e event) error {
	for i := range times {
		d, err := s.take(e)
		if err != nil {
			return err
		}
		if !d.Allowed || d.Shadowed {
			return fmt.Errorf("event %d of %d, %v, does not pass: %+v", i+1, times, e, d)
		}
	}
	return nil
}

// refuses wants an event refused.
func (s *subject) refuses(e event) (ratelimit.Decision, error) {
	d, err := s.take(e)
	if err == nil && d.Allowed {
		err = fmt.Errorf("%v passes: %+v", e, d)
	}
	return d, err
}

// exhausts takes a burst, and wants the next event refused.
func (s *subject) exhausts(burst int, e event) error {
	if err := s.allows(burst, e); err != nil {
		return err
	}
	_, err := s.refuses(e)
	return err
}

func (e event) String() string {
	return fmt.Sprintf("key %.40q, %v, cost %d", e.key, e.limit, e.cost)
}
