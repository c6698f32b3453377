package roost

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/roostgo/roost/telemetry"
)

// Drain says how an endpoint closes its connections at the end: in waves, so
// that clients, which come back at once, do not all come at once [§13]. The zero
// value works; what is negative counts as zero.
type Drain struct {
	// Off closes all connections at once, in one go. Default: false.
	Off bool

	// BatchSize is how many connections a wave closes. Waves that are not done
	// by the deadline are cut short: who is left is closed then. Default: as
	// many as Spread asks for.
	BatchSize int

	// BatchInterval is the time from wave to wave. Default: 100 ms.
	BatchInterval time.Duration

	// Spread is how long the waves take together; at most two thirds of what is
	// left until the deadline. Without effect beside BatchSize. Default: 15 s,
	// or less, so that at least 1,000 connections are closed each second.
	Spread time.Duration
}

const (
	defaultBatchInterval = 100 * time.Millisecond
	defaultSpread        = 15 * time.Second

	// drainPace is the rate, in connections a second, at which nobody needs to
	// be spared: a small server ends at once.
	drainPace = 1000
)

// waves are a Drain worked out for a number of connections.
type waves struct {
	size     int
	rounds   int
	interval time.Duration
}

// plan works out the waves for so many connections and so much time. No rounds
// means that there are no waves.
func (d Drain) plan(total int, left time.Duration) waves {
	if d.Off || left <= 0 {
		return waves{}
	}
	w := waves{size: d.BatchSize, interval: d.BatchInterval}
	if w.interval <= 0 {
		w.interval = defaultBatchInterval
	}
	if w.size <= 0 {
		w.size = d.batch(total, w.interval, left)
	}
	w.rounds = ceilDiv(total, w.size)
	return w
}

// batch is the size of waves that are done within Spread.
func (d Drain) batch(total int, interval, left time.Duration) int {
	spread, least := d.Spread, 1
	if spread <= 0 {
		spread, least = defaultSpread, int(drainPace*interval/time.Second)
	}
	rounds := max(int(min(spread, left/3*2)/interval), 1)
	return max(ceilDiv(total, rounds), least, 1)
}

// ceilDiv is for a that is positive, and b of any size.
func ceilDiv(a, b int) int { return (a-1)/b + 1 }

// drain closes connections in waves, until all have been told, or ctx is done.
// The error is a panic in Config.Drain, instead of which the defaults hold.
func (e *Endpoint) drain(ctx context.Context) error {
	select {
	case e.draining <- struct{}{}:
		defer func() { <-e.draining }()
	case <-ctx.Done(): // another Shutdown drains
		return nil
	}
	total := e.connections()
	e.wave.CompareAndSwap(nil, &wave{total: total})
	if total == 0 {
		return nil
	}
	options, err := e.drainOptions()
	if w := options.plan(total, timeLeft(ctx)); w.rounds > 0 {
		e.closeIn(ctx, w, total)
	}
	return err
}

// closeIn closes one wave after the other.
func (e *Endpoint) closeIn(ctx context.Context, w waves, total int) {
	began := time.Now()
	for index := 1; ; index++ {
		n := e.socket.CloseSome(w.size)
		if n == 0 {
			return
		}
		e.wave.Store(&wave{total: total, index: index, rounds: w.rounds})
		e.stream.Emit(ctx, telemetry.SocketDrain{
			Path: e.config.Path, Count: n, Total: total, Index: index, Rounds: w.rounds, Interval: w.interval,
		})
		if n < w.size || !e.pause(ctx, began.Add(time.Duration(index)*w.interval)) {
			return
		}
	}
}

// pause waits until the next wave is due. It reports false when there is nobody
// left for it, or no time.
func (e *Endpoint) pause(ctx context.Context, due time.Time) bool {
	for wait := time.Until(due); wait > 0; wait = time.Until(due) {
		if e.connections() == 0 {
			return false
		}
		select {
		case <-time.After(min(wait, defaultBatchInterval)):
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// connections are those of all transports.
func (e *Endpoint) connections() int { return int(e.socket.Stats().Connections) }

// drainOptions asks Config.Drain.
func (e *Endpoint) drainOptions() (d Drain, err error) {
	defer func() {
		if v := recover(); v != nil {
			d, err = Drain{}, fmt.Errorf("roost: Config.Drain: %w", &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	return e.config.Drain(), nil
}

// timeLeft is the time until ctx's deadline; without one it is long.
func timeLeft(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	if deadline, ok := ctx.Deadline(); ok {
		return time.Until(deadline)
	}
	return 24 * time.Hour
}

// wave is how far a drain is.
type wave struct{ total, index, rounds int }

// DrainStats is how far the end of an endpoint is.
type DrainStats struct {
	Draining bool // from the beginning of Shutdown on
	Total    int  // connections when it began
	Left     int  // connections that are still there
	Index    int  // waves that were closed
	Rounds   int  // waves there will be; 0 when there are none
}

func (e *Endpoint) drainStats() DrainStats {
	w := e.wave.Load()
	if w == nil {
		return DrainStats{}
	}
	return DrainStats{Draining: true, Total: w.total, Left: e.connections(), Index: w.index, Rounds: w.rounds}
}
