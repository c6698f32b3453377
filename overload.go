package roost

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/internal/gate"
	"github.com/roostgo/roost/internal/gauge"
	"github.com/roostgo/roost/telemetry"
)

// Overload says when a server has enough to do: then connects are answered 503
// with Retry-After, and joins with the reason "overloaded", after a short hold.
// Clients that are connected and joined are served first. The zero value works.
//
// A mark that is exceeded twice in a row, at least 100 ms apart, closes the gate. It opens when all are below four
// fifths of their mark again, Delay below one.
type Overload struct {
	// Delay is how long work may wait, nine times of ten: an event loop for its
	// turn, a goroutine for a processor. Default: 250 ms; negative: any time.
	Delay time.Duration

	// Memory is which part of the memory limit may be in use. The limit is
	// GOMEMLIMIT, or that of the container if it is less. Default: 0.9;
	// negative: any part.
	Memory float64

	// Descriptors is which part of the limit of open files may be in use.
	// Default: 0.95; negative: any part.
	Descriptors float64

	// RetryAfter is about when clients are told to come back: from a half of it
	// to one and a half. Default: 5 s.
	RetryAfter time.Duration

	// Hold is how long a join that is refused waits for its answer, which slows
	// down clients that would try again at once. Default: 500 ms; negative: not
	// at all.
	Hold time.Duration

	// Shadow only counts and logs what would be refused. Default: false.
	Shadow bool
}

func (o Overload) withDefaults() Overload {
	o.Delay = cmp.Or(o.Delay, 250*time.Millisecond)
	o.Memory = cmp.Or(o.Memory, .9)
	o.Descriptors = cmp.Or(o.Descriptors, .95)
	o.RetryAfter = cmp.Or(o.RetryAfter, 5*time.Second)
	o.Hold = cmp.Or(o.Hold, 500*time.Millisecond)
	return o
}

// marks are where the gate closes and opens.
func (o Overload) marks() gate.Marks {
	return gate.Marks{
		High: gate.Reading{Delay: o.Delay, Memory: o.Memory, Descriptors: o.Descriptors},
		Low:  gate.Reading{Delay: o.Delay / 5, Memory: o.Memory * .8, Descriptors: o.Descriptors * .8},
	}
}

// lookEvery is how old a reading may be. Nobody reads while nobody wants to come
// in.
const lookEvery = 100 * time.Millisecond

// overload watches what an endpoint may run short of, whenever somebody wants
// to come in: it has no goroutine and no timer.
type overload struct {
	config Overload
	gate   *gate.Gate
	stream *telemetry.Stream
	turn   func() time.Duration // how long the longest turn of a loop takes already
	at     atomic.Int64         // of the last reading, Unix nanoseconds
	closed atomic.Bool

	mu      sync.Mutex
	runtime *gauge.Runtime // made with the first reading; guarded by mu

	connects atomic.Uint64 // refused
	joins    atomic.Uint64 // refused
}

func newOverload(c Overload, s *telemetry.Stream, turn func() time.Duration) *overload {
	return &overload{config: c, gate: gate.New(c.marks()), stream: s, turn: turn}
}

// full reports whether nobody should come in now, and counts who did not.
func (o *overload) full(count *atomic.Uint64) bool {
	o.look(time.Now())
	if !o.closed.Load() {
		return false
	}
	count.Add(1)
	return !o.config.Shadow
}

// look takes a reading, unless there is one that is new enough or somebody else
// does.
func (o *overload) look(now time.Time) {
	last := o.at.Load()
	if now.UnixNano()-last < int64(lookEvery) || !o.at.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.runtime == nil {
		o.runtime = gauge.NewRuntime()
	}
	o.judge(gate.Reading{
		Delay:       max(time.Duration(o.runtime.Waited()*float64(time.Second)), o.turn()),
		Memory:      o.runtime.Memory(),
		Descriptors: gauge.Descriptors(),
	}, now)
}

// judge shows the gate a reading and tells what came of it.
func (o *overload) judge(r gate.Reading, now time.Time) {
	change, cause, lasted := o.gate.Show(r, now)
	switch change {
	case gate.Closed:
		o.closed.Store(true)
		o.stream.Emit(context.Background(), telemetry.OverloadBegan{Cause: cause, Shadow: o.config.Shadow})
	case gate.Opened:
		o.closed.Store(false)
		o.stream.Emit(context.Background(), telemetry.OverloadEnded{Cause: cause, Lasted: lasted})
	case gate.None:
	}
}

// OverloadStats says how an endpoint's gate has been.
type OverloadStats struct {
	Closed          bool          // now, as of the last reading
	Cause           string        // why; "" while it is open
	Closes          uint64        // how often it closed
	Connects, Joins uint64        // refused, or that would have been in shadow
	Delay           time.Duration // the longest that was read
	Memory          float64       // the largest part of the limit that was read
	Descriptors     float64       // the same
}

func (o *overload) stats() OverloadStats {
	s := o.gate.Stats()
	return OverloadStats{
		Closed: s.Closed, Cause: s.Cause, Closes: s.Closes, Connects: o.connects.Load(), Joins: o.joins.Load(),
		Delay: s.Highest.Delay, Memory: s.Highest.Memory, Descriptors: s.Highest.Descriptors,
	}
}
