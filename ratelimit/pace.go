package ratelimit

import (
	"math"
	"time"
)

// pace is a Limit as the algorithm needs it. The zero value is no limit.
type pace struct {
	interval  float64 // nanoseconds from one event to the next
	tolerance int64   // how many nanoseconds an arrival time may be ahead
	burst     int     // 0 is no limit
}

// pace is for limits that are valid.
func (l Limit) pace() pace {
	if !l.Limited() {
		return pace{}
	}
	burst, interval := float64(l.burst()), float64(time.Second)/l.Rate
	if whole := math.Round(interval); math.Abs(interval-whole) <= whole*exact {
		return pace{whole, int64(burst * whole), int(burst)}
	}
	// Each event of a burst is rounded up to a nanosecond. While the clock
	// stands, as in tests, they are all to pass nevertheless; but these
	// nanoseconds together must not be enough for one event more.
	slack := min(burst, math.Ceil(interval)-1)
	return pace{interval, int64(math.Ceil(burst*interval) + slack), int(burst)}
}

// exact is by how much of itself an interval may miss a whole nanosecond: 5/m
// is every 12 s, though its rate is no floating-point number.
const exact = 1e-15

// take is the algorithm: arrival is when the bucket is full again, and next
// when it will be after this event. With a wait, the event came too early,
// and that long, and next is only mended for a clock that went back. Times
// are nanoseconds since the same moment.
func (p pace) take(arrival, now int64, cost int) (next int64, wait time.Duration) {
	switch {
	case p.burst == 0 || cost <= 0:
		return arrival, 0
	case cost > p.burst:
		return arrival, Never
	}
	arrival = min(max(arrival, now), now+p.tolerance)
	next = arrival + p.time(cost)
	if early := next - now - p.tolerance; early > 0 {
		return arrival, time.Duration(early)
	}
	return next, 0
}

// used is how much of the burst is used up at a time.
func (p pace) used(arrival, now int64) int {
	if p.burst == 0 || arrival <= now {
		return 0
	}
	return min(int(math.Ceil(float64(arrival-now)/p.interval)), p.burst)
}

// charge is next of an event that passes in any case: the bucket is empty at
// most.
func (p pace) charge(arrival, now int64, cost int) (next int64) {
	if p.burst == 0 || cost <= 0 {
		return arrival
	}
	return min(max(arrival, now)+p.time(min(cost, p.burst)), now+p.tolerance)
}

// time is how long the bucket takes to get back what an event costs, which is the
// burst at most.
func (p pace) time(cost int) int64 { return int64(math.Ceil(float64(cost) * p.interval)) }
