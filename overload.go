package roost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
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
// Somebody who wants to come in has a reading taken, every 100 ms at most. What is
// above its mark twice in a row closes the gate, until it is below a lower one:
// Delay below a fifth, the others 3 % below. Joins need no descriptors, so a lack of
// those turns away connects only.
type Overload struct {
	// Delay is how long work may wait: an event loop for the end of its turn,
	// nine of ten goroutines for a processor, a callback for one of
	// Config.Workers. Default: 250 ms; negative: any time.
	Delay time.Duration

	// Memory is which part of the memory limit may be used up, by what no
	// collection frees: the limit is GOMEMLIMIT and, on Linux, that of each
	// control group (container) which the process is in. Of a group's limit
	// garbage takes its part as well, unless GOMEMLIMIT leaves room for what
	// the group uses besides. Default: 0.9; negative: any part.
	Memory float64

	// Descriptors is which part of the limit of open files may be in use (Linux
	// 6.2 and newer). Default: 0.95; negative: any part.
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

// validate reports all that is impossible.
func (o Overload) validate() error {
	var errs []error
	for _, part := range []struct {
		name  string
		value float64
	}{{"Memory", o.Memory}, {"Descriptors", o.Descriptors}} {
		if !(part.value <= 1) { // also what is no number
			errs = append(errs, fmt.Errorf("the mark Overload.%s is %v: it is a part of the limit, at most 1, as in 0.9 for 90 %%; "+
				"leave it 0 for the default, or make it negative for no mark", part.name, part.value))
		}
	}
	if o.RetryAfter < 0 {
		errs = append(errs, fmt.Errorf("the time Overload.RetryAfter is %v: it cannot be negative; leave it 0 for the default", o.RetryAfter))
	}
	return errors.Join(errs...)
}

// shortage is one of the things that an endpoint may run short of.
type shortage int

const (
	shortOfTime shortage = iota
	shortOfMemory
	shortOfDescriptors
	shortages // how many there are
)

// reading is what there is of each.
type reading [shortages]float64

// gates returns one for each.
func (o Overload) gates() [shortages]*gate.Gate {
	const slightly = .97 // what does not flow would not leave by itself
	return [shortages]*gate.Gate{
		shortOfTime:        gate.New(gate.Marks{High: o.Delay.Seconds(), Low: o.Delay.Seconds() / 5}),
		shortOfMemory:      gate.New(gate.Marks{High: o.Memory, Low: o.Memory * slightly}),
		shortOfDescriptors: gate.New(gate.Marks{High: o.Descriptors, Low: o.Descriptors * slightly}),
	}
}

// cause says what there is too much of.
func (o Overload) cause(s shortage, r float64) string {
	switch s {
	case shortOfTime:
		return fmt.Sprintf("work waits for %v; the gate closes above %v", seconds(r).Round(time.Millisecond), o.Delay)
	case shortOfMemory:
		return fmt.Sprintf("%.0f %% of the memory limit is used up; the gate closes above %.0f %%", 100*r, 100*o.Memory)
	default:
		return fmt.Sprintf("%.0f %% of the open-files limit is in use; the gate closes above %.0f %%", 100*r, 100*o.Descriptors)
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// lookEvery is how old a reading may be. Nobody reads while nobody wants to come
// in.
const lookEvery = 100 * time.Millisecond

// overload watches what an endpoint may run short of, whenever somebody wants
// to come in: it has no timer.
type overload struct {
	// Immutable.
	config Overload
	gates  [shortages]*gate.Gate
	stream *telemetry.Stream
	waits  []func() time.Duration // how long work waits, by others than the runtime
	began  time.Time

	at atomic.Int64 // of the last reading: nanoseconds since began, that do not follow the system's clock

	mu        sync.Mutex
	scheduler *gauge.Scheduler // made with the first reading, as memory is; guarded by mu
	memory    *gauge.Memory    // guarded by mu

	connects atomic.Uint64 // refused
	joins    atomic.Uint64 // refused
}

func newOverload(c Overload, s *telemetry.Stream, waits ...func() time.Duration) *overload {
	o := &overload{config: c, gates: c.gates(), stream: s, waits: waits, began: time.Now()}
	o.at.Store(int64(-lookEvery)) // the first one is due
	return o
}

// refusesConnect reports whether nobody should connect now, and counts who did
// not.
func (o *overload) refusesConnect() bool {
	if o.due() {
		o.judge(o.read())
	}
	return o.refuses(&o.connects, shortOfTime, shortOfMemory, shortOfDescriptors)
}

// refusesJoin reports whether nobody should join now, as of the last reading, and
// counts who did not. It runs on a lane, which reads no files: a reading that is due
// is taken beside it, and not by a worker, since those may all be busy. A join takes
// no descriptor.
func (o *overload) refusesJoin() bool {
	if o.due() {
		go func() { o.judge(o.read()) }() // ends by itself, after some tens of microseconds
	}
	return o.refuses(&o.joins, shortOfTime, shortOfMemory)
}

func (o *overload) refuses(count *atomic.Uint64, of ...shortage) bool {
	for _, s := range of {
		if o.gates[s].Closed() {
			count.Add(1)
			return !o.config.Shadow
		}
	}
	return false
}

// due reports whether the caller has to take a reading: there is none that is new
// enough, and nobody else takes one.
func (o *overload) due() bool {
	last, now := o.at.Load(), int64(time.Since(o.began))
	return now-last >= int64(lookEvery) && o.at.CompareAndSwap(last, now)
}

func (o *overload) read() reading {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.memory == nil {
		o.scheduler, o.memory = gauge.NewScheduler(), gauge.NewMemory(os.DirFS("/"))
	}
	waited := seconds(o.scheduler.Waited())
	for _, wait := range o.waits {
		waited = max(waited, wait())
	}
	return reading{waited.Seconds(), o.memory.Part(), gauge.Descriptors()}
}

// judge shows the gates a reading and tells what came of it.
func (o *overload) judge(r reading) {
	now := time.Now()
	for s, g := range o.gates {
		cause := shortage(s)
		switch change, lasted := g.Show(r[s], now); change {
		case gate.Closed:
			o.stream.Emit(context.Background(), telemetry.OverloadBegan{Cause: o.config.cause(cause, r[s]), Shadow: o.config.Shadow})
		case gate.Opened:
			o.stream.Emit(context.Background(), telemetry.OverloadEnded{Cause: o.config.cause(cause, r[s]), Lasted: lasted, Shadow: o.config.Shadow})
		case gate.None:
		}
	}
}

// OverloadStats says how an endpoint's gate has been.
type OverloadStats struct {
	Closed          bool          // now, as of the last reading; to connects at least
	Cause           string        // why, as of the last reading; "" while it is open
	Closes          uint64        // how often there was too much of something
	Connects, Joins uint64        // refused, or that would have been in shadow
	Delay           time.Duration // the longest that was read
	Memory          float64       // the largest part of the limit that was read
	Descriptors     float64       // the same
}

func (o *overload) stats() OverloadStats {
	var causes []string
	var all [shortages]gate.Stats
	var closes uint64
	for s, g := range o.gates {
		all[s] = g.Stats()
		closes += all[s].Closes
		if all[s].Closed {
			causes = append(causes, o.config.cause(shortage(s), all[s].Last))
		}
	}
	return OverloadStats{
		Closed: len(causes) > 0, Cause: strings.Join(causes, "; "), Closes: closes,
		Connects: o.connects.Load(), Joins: o.joins.Load(),
		Delay: seconds(all[shortOfTime].Highest), Memory: all[shortOfMemory].Highest, Descriptors: all[shortOfDescriptors].Highest,
	}
}
