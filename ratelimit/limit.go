package ratelimit

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrImpossible is wrapped by what Validate returns.
var ErrImpossible = errors.New("ratelimit: impossible limit")

const (
	maxRate  = 1e12 // a terabyte a second, if these are bytes
	maxBurst = math.MaxInt32
	maxFill  = 10 * 366 * 24 * time.Hour // far from where nanoseconds overflow
)

// Limit is a rate and a burst. The zero value is no limit.
type Limit struct {
	// Rate is how many events per second pass in the long run.
	// Default: no limit.
	Rate float64

	// Burst is how many pass at once after a quiet time, and the greatest cost
	// that a single event can have. Default: those of one second, at least 1.
	Burst int

	// Shadow lets everything pass, and counts what would be refused.
	// Default: refuse.
	Shadow bool
}

// Limited says whether there is a limit at all.
func (l Limit) Limited() bool { return l.Rate != 0 }

// Validate reports what contradicts itself, wrapping ErrImpossible.
func (l Limit) Validate() error {
	switch {
	case math.IsNaN(l.Rate) || l.Rate < 0 || l.Rate > maxRate:
		return fmt.Errorf("%w: the rate is %v a second: use 0 for no limit, or a number up to %v", ErrImpossible, l.Rate, maxRate)
	case l.Burst < 0 || l.Burst > maxBurst:
		return fmt.Errorf("%w: the burst is %d: use 0 for what comes in a second, or a number up to %d", ErrImpossible, l.Burst, maxBurst)
	case l.Burst > 0 && !l.Limited():
		return fmt.Errorf("%w: a burst of %d without a rate: say how fast it comes back, as in \"10/s burst %d\"", ErrImpossible, l.Burst, l.Burst)
	case l.Limited() && l.fill() > maxFill.Seconds():
		return fmt.Errorf("%w: with %v it takes more than ten years until the whole burst is there again: raise the rate or lower the burst",
			ErrImpossible, l)
	}
	return nil
}

// burst is Burst or its default.
func (l Limit) burst() int {
	if l.Burst > 0 {
		return l.Burst
	}
	return burstOf(l.Rate)
}

// fill is how many seconds an empty bucket takes to be full again.
func (l Limit) fill() float64 { return float64(l.burst()) / l.Rate }

// burstOf is the burst of a limit that says only how many come in some time.
func burstOf(count float64) int {
	return int(max(1, min(math.Ceil(count), maxBurst)))
}
