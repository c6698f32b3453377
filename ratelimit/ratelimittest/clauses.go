package ratelimittest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/ratelimit"
)

// clauses are what every store must do.
var clauses = []struct {
	name  string
	check func(*subject) error
}{
	{"a burst passes at once, and no more", burstPasses},
	{"a limit without a burst has that of a second, at least 1", burstHasDefault},
	{"each key has a bucket of its own", keysAreApart},
	{"an event takes what it costs", costIsTaken},
	{"what is refused takes nothing", refusalIsFree},
	{"what costs nothing passes, and takes nothing", nothingIsFree},
	{"what costs more than the burst never passes", muchNeverPasses},
	{"who waits as long as told passes", waitIsEnough},
	{"who waits is told to wait for one event, not for a full bucket", waitIsShort},
	{"a bucket holds no more than its burst", burstIsBound},
	{"without a limit everything passes", noLimit},
	{"shadow mode says what it would refuse, and lets it pass", shadow},
	{"a limit may change", limitMayChange},
	{"an impossible limit is an error", impossible},
	{"a context that is done is an error", contextDone},
	{"many at once get no more than the burst", many},
}

// slow gives nothing back while a test runs.
func slow(burst int) ratelimit.Limit {
	return ratelimit.Limit{Rate: 1.0 / (24 * 60 * 60), Burst: burst}
}

// fast gives an event back every 20 ms.
func fast(burst int) ratelimit.Limit { return ratelimit.Limit{Rate: 50, Burst: burst} }

func burstPasses(s *subject) error {
	for _, burst := range []int{1, 2, 10, 100} {
		if err := s.exhausts(burst, event{fmt.Sprint("of ", burst), slow(burst), 1}); err != nil {
			return err
		}
	}
	return nil
}

func burstHasDefault(s *subject) error {
	if err := s.exhausts(1, event{"seldom", ratelimit.Limit{Rate: 1.0 / 3600}, 1}); err != nil {
		return err
	}
	often := event{"often", ratelimit.Limit{Rate: 1000}, 1000}
	if err := s.allows(1, often); err != nil {
		return err
	}
	often.cost++
	d, err := s.refuses(often)
	if err == nil && d.RetryAfter != ratelimit.Never {
		err = fmt.Errorf("%v: got %+v, want Never: the burst is 1000", often, d)
	}
	return err
}

// names are keys that may be taken for each other.
var names = []string{
	"", " ", "a", "A", "a ", " a", "a:b", "a:b:c", "a\x00", "a\x00b", "a\n", "ä", "a\u0308", "*", "a*", "{a}", "{a}b", "\xff", "\xfe", "%s",
	strings.Repeat("long", 1000), strings.Repeat("long", 1000) + "er",
}

func keysAreApart(s *subject) error {
	for _, name := range names {
		if err := s.exhausts(3, event{name, slow(3), 1}); err != nil {
			return err
		}
	}
	return nil
}

func costIsTaken(s *subject) error {
	if err := s.allows(2, event{"bytes", slow(1000), 400}); err != nil {
		return err
	}
	if _, err := s.refuses(event{"bytes", slow(1000), 400}); err != nil {
		return err
	}
	return s.exhausts(2, event{"bytes", slow(1000), 100})
}

func refusalIsFree(s *subject) error {
	if err := s.allows(1, event{"k", slow(10), 6}); err != nil {
		return err
	}
	for range 10 {
		if _, err := s.refuses(event{"k", slow(10), 5}); err != nil {
			return err
		}
	}
	return s.allows(1, event{"k", slow(10), 4})
}

func nothingIsFree(s *subject) error {
	for _, cost := range []int{0, -1, math.MinInt} {
		if err := s.allows(5, event{"k", slow(2), cost}); err != nil {
			return err
		}
	}
	if err := s.exhausts(2, event{"k", slow(2), 1}); err != nil {
		return err
	}
	for _, cost := range []int{0, -1, math.MinInt} {
		if err := s.allows(1, event{"k", slow(2), cost}); err != nil {
			return err
		}
	}
	_, err := s.refuses(event{"k", slow(2), 1}) // a negative cost gives nothing back
	return err
}

func muchNeverPasses(s *subject) error {
	for _, cost := range []int{4, 1000, math.MaxInt} {
		e := event{"k", slow(3), cost}
		d, err := s.refuses(e)
		if err != nil {
			return err
		}
		if d.RetryAfter != ratelimit.Never {
			return fmt.Errorf("%v: got %+v, want Never", e, d)
		}
	}
	return s.exhausts(3, event{"k", slow(3), 1})
}

func waitIsEnough(s *subject) error {
	for _, cost := range []int{1, 3} {
		e := event{fmt.Sprint(cost), fast(3), cost}
		d, err := s.untilRefused(e)
		if err != nil {
			return err
		}
		s.pass(d.RetryAfter)
		if err := s.allows(1, e); err != nil {
			return fmt.Errorf("after %v: %w", d.RetryAfter, err)
		}
	}
	return nil
}

// untilRefused takes until nothing is left. A machine that is slow may see
// something come back meanwhile, but not for ever.
func (s *subject) untilRefused(e event) (ratelimit.Decision, error) {
	for range 1000 {
		if d, err := s.take(e); err != nil || !d.Allowed {
			return d, err
		}
	}
	return ratelimit.Decision{}, fmt.Errorf("%v is never refused", e)
}

func waitIsShort(s *subject) error {
	limit := ratelimit.Limit{Rate: 1.0 / 3600, Burst: 10}
	if err := s.allows(10, event{"k", limit, 1}); err != nil {
		return err
	}
	for _, cost := range []int{1, 3} {
		e := event{"k", limit, cost}
		d, err := s.refuses(e)
		if err != nil {
			return err
		}
		hours := time.Duration(cost) * time.Hour
		if d.RetryAfter > hours+time.Second || d.RetryAfter < hours-time.Minute {
			return fmt.Errorf("%v: wait %v, want %v", e, d.RetryAfter, hours)
		}
	}
	return nil
}

func burstIsBound(s *subject) error {
	const burst, rate = 2, 50
	e := event{"k", ratelimit.Limit{Rate: rate, Burst: burst}, 1}
	if err := s.allows(1, e); err != nil {
		return err
	}
	s.pass(200 * time.Millisecond) // enough for ten
	start := time.Now()
	for n := 0; ; n++ {
		d, err := s.take(e)
		if err != nil || !d.Allowed {
			return err
		}
		if most := burst + rate*time.Since(start).Seconds(); float64(n) >= most {
			return fmt.Errorf("%v: %d events passed at once after a pause", e, n+1)
		}
	}
}

func noLimit(s *subject) error {
	return s.allows(100, event{"k", ratelimit.Limit{}, math.MaxInt})
}

func shadow(s *subject) error {
	l := slow(2)
	if err := s.allows(2, event{"k", l, 1}); err != nil {
		return err
	}
	l.Shadow = true
	for _, cost := range []int{1, 3} { // over what is left, and over the burst
		e := event{"k", l, cost}
		d, err := s.take(e)
		if err == nil && !d.Shadowed {
			err = fmt.Errorf("%v is over the limit, and not shadowed: %+v", e, d)
		}
		if err != nil {
			return err
		}
	}
	return s.allows(1, event{"another", l, 1})
}

func limitMayChange(s *subject) error {
	if err := s.exhausts(5, event{"k", slow(5), 1}); err != nil {
		return err
	}
	if err := s.exhausts(3, event{"k", slow(8), 1}); err != nil {
		return fmt.Errorf("with a greater burst: %w", err)
	}
	e := event{"k", slow(2), 1}
	d, err := s.refuses(e)
	if err == nil && d.RetryAfter > 25*time.Hour {
		err = fmt.Errorf("with a smaller burst %v is told to wait %v, want a day: an empty bucket is no emptier", e, d.RetryAfter)
	}
	return err
}

func impossible(s *subject) error {
	for _, l := range []ratelimit.Limit{
		{Rate: -1}, {Rate: math.NaN()}, {Rate: math.Inf(1)}, {Rate: 1, Burst: -1}, {Burst: 1}, {Rate: 1e-12},
	} {
		if _, err := s.store.Take(s.ctx, "k", l, 1); !errors.Is(err, ratelimit.ErrImpossible) {
			return fmt.Errorf("rate %v, burst %d: got error %w, want ErrImpossible", l.Rate, l.Burst, err)
		}
	}
	return nil
}

func contextDone(s *subject) error {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if _, err := s.store.Take(ctx, "k", slow(1), 1); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("got error %w, want context.Canceled", err)
	}
	return s.exhausts(1, event{"k", slow(1), 1})
}

func many(s *subject) error {
	const burst, askers, each = 100, 8, 50
	var allowed atomic.Int64
	var wg sync.WaitGroup
	var errs [askers]error
	for i := range askers {
		wg.Go(func() {
			for range each {
				d, err := s.take(event{"shared", slow(burst), 1})
				errs[i] = errors.Join(errs[i], err)
				if d.Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := allowed.Load(); n != burst {
		return errors.Join(fmt.Errorf("%d events passed, want %d", n, burst), errors.Join(errs[:]...))
	}
	return errors.Join(errs[:]...)
}
