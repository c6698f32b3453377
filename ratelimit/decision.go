package ratelimit

import (
	"math"
	"time"
)

// Never is how long to wait for what can never pass: it costs more than the
// burst.
const Never = time.Duration(math.MaxInt64)

// Decision is the answer to one event.
type Decision struct {
	// Allowed says that the event may pass.
	Allowed bool

	// Shadowed says that it may only because the limit is in shadow mode.
	Shadowed bool

	// RetryAfter is how long until the same event would pass, if no other
	// comes before it: 0 if it passes now, Never if it costs more than the
	// burst. A shadowed event has it, too.
	RetryAfter time.Duration
}

// Decide is the decision about an event that would have to wait so long; 0 is
// not at all. It is for those who write a Store.
func (l Limit) Decide(wait time.Duration) Decision {
	return Decision{
		Allowed:    wait <= 0 || l.Shadow,
		Shadowed:   wait > 0 && l.Shadow,
		RetryAfter: max(wait, 0),
	}
}
