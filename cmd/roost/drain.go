package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/telemetry"
)

// drainFlags say how `roost serve` ends.
type drainFlags struct {
	delay   time.Duration
	spread  time.Duration
	timeout time.Duration
}

func (f *drainFlags) register(fs *flag.FlagSet) {
	fs.DurationVar(&f.delay, "drain-delay", 0, "how long everything is still served, with /readyz at 503, before the server stops accepting")
	fs.DurationVar(&f.spread, "drain-spread", 0, "how long the closing of connections is spread over, so that clients do not all come back at once; negative: not at all\n"+
		"default: 15s, or less: 1,000 connections are closed each second at least")
	fs.DurationVar(&f.timeout, "drain-timeout", 30*time.Second, "when connections and channels that are still there are cut")
}

func (f *drainFlags) check() error {
	switch {
	case f.delay < 0:
		return fmt.Errorf("flag -drain-delay: %v is negative: leave it out for no delay", f.delay)
	case f.timeout <= 0:
		return fmt.Errorf("flag -drain-timeout: %v is no time at all: clients need some to go; the default is 30s", f.timeout)
	case f.spread > f.timeout/3*2:
		return fmt.Errorf("flag -drain-spread: %v is over two thirds of -drain-timeout, which is %v: clients that are told last need time to go, too", f.spread, f.timeout)
	}
	return nil
}

// drain is what the endpoint asks at the end.
func (f *drainFlags) drain() roost.Drain {
	return roost.Drain{Off: f.spread < 0, Spread: max(f.spread, 0)}
}

// progress tells of a drain on standard output, about once a second.
type progress struct {
	mu   sync.Mutex
	out  io.Writer
	told int
	last time.Time
}

// begin tells that the end was asked for, and what comes first.
func (p *progress) begin(delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := "connections are told to come back"
	if delay > 0 {
		first = fmt.Sprintf("everything is served for %v more, with /readyz at 503", delay)
	}
	fmt.Fprintf(p.out, "Stopping: %s. A second signal ends at once.\n", first)
}

// Enabled implements telemetry.Handler.
func (*progress) Enabled(slog.Level) bool { return false } // no event is made for its sake alone

// Handle implements telemetry.Handler.
func (p *progress) Handle(_ context.Context, e telemetry.Event) {
	wave, ok := e.(telemetry.SocketDrain)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told += wave.Count
	if wave.Index > 1 && p.told < wave.Total && time.Since(p.last) < time.Second {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.out, "Draining: %d of %d connections told to come back (wave %d of %d).\n", p.told, wave.Total, wave.Index, wave.Rounds)
}
