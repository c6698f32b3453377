//go:build linux

package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"
)

// slow is fanout during which some subscribers stop reading: what do the others
// notice, what does the server keep for those, and what becomes of them?
type slow struct {
	fanout
	percent float64
	policy  string
	outbox  int
	calm    time.Duration
}

// What the others and the server may notice of those who are stuck, for what is
// asked is that both stay as they were: two runs of the same differ as much on a
// machine that is not idle.
const (
	slowP99Target    = 1.5
	slowMemoryTarget = 1.1
)

func (o *slow) register(fs *flag.FlagSet) {
	o.fanout.register(fs)
	fs.Float64Var(&o.percent, "stuck", 1, "subscribers that stop reading, in `%` of -n")
	fs.StringVar(&o.policy, "policy", "close", "of a server of its own: close, drop_oldest or keep_latest")
	fs.IntVar(&o.outbox, "outbox", 256<<10, "of a server of its own: `bytes` that may wait for one client")
	fs.DurationVar(&o.calm, "calm", 10*time.Second, "how long to publish before they stop, and again once they read on")
	// Small messages, or few, would not fill the kernel's buffers, and what a herd
	// leaves behind takes some seconds to go.
	o.size, o.duration, o.warmup = 4096, 20*time.Second, 8*time.Second
	for _, name := range []string{"size", "duration", "warmup"} {
		f := fs.Lookup(name)
		f.DefValue = f.Value.String()
	}
}

// stuck is how many stop reading.
func (o *slow) stuck() int { return max(1, int(float64(o.n)*o.percent/100)) }

func (o *slow) check() error {
	err := o.fanout.check()
	if o.percent <= 0 || o.n-o.stuck() < max(o.topics, o.probes) {
		err = errors.Join(err, errors.New("-stuck has to be positive, and leave the publishers and the probes of -n"))
	}
	if o.rate == 0 || o.calm <= 0 {
		err = errors.Join(err, errors.New("-rate and -calm have to be positive: the publications before are compared with those during"))
	}
	if _, known := policies[o.policy]; !known {
		err = errors.Join(err, fmt.Errorf("-policy %q: there are close, drop_oldest and keep_latest", o.policy))
	}
	o.target = []string{"-policy", o.policy, "-outbox", strconv.Itoa(o.outbox)}
	return err
}

// squads puts those who will stop reading into the last worker.
func (o *slow) squads() []squad {
	readers := *o
	readers.n -= o.stuck()
	return append(readers.fanout.squads(), squad{conns: o.stuck(), firstTopic: readers.n})
}

func (o *slow) measure(ctx context.Context, s *session) error {
	s.readersNote()
	f, err := s.launch(ctx, o.topics, o.squads())
	if err != nil {
		return err
	}
	defer f.stop()
	if err := s.connectAll(ctx, f, connectOrder{Inflight: 256}); err != nil {
		return err
	}
	last := len(f.members) - 1
	readers := &fleet{members: f.members[:last], topics: f.topics, clock: f.clock}
	if o.warmup > 0 {
		if _, _, err := o.publish(ctx, s, readers, o.warmup); err != nil {
			return fmt.Errorf("%w (while warming up)", err)
		}
	}
	before, err := o.period(ctx, s, readers, "before", o.calm)
	if err != nil {
		return err
	}
	stuck := f.members[last].process
	if _, err := ask[struct{}](ctx, stuck, "stall", stallOrder{Stalled: true}); err != nil {
		return err
	}
	during, err := o.period(ctx, s, readers, "during", o.duration)
	if err != nil {
		return err
	}
	if err := o.wake(ctx, s, stuck); err != nil {
		return err
	}
	after, err := o.period(ctx, s, readers, "after", o.calm)
	if err != nil {
		return err
	}
	o.compare(s.report, before, during, after)
	return nil
}

// fare is how those who read and the server fared in a period.
type fare struct {
	delivery histogram
	p99s     []float64 // of the slices, in milliseconds
	peak     uint64    // of the server's memory, in bytes
}

// slowSlice is what a p99 is taken of: a single pause of the machine is then one
// slice's, and the median of all slices does not know it.
const slowSlice = 2 * time.Second

// period publishes for so long, to those who read, and says how they and the
// server fared.
func (o *slow) period(ctx context.Context, s *session, readers *fleet, name string, lasting time.Duration) (fare, error) {
	var (
		all    fare
		slices = max(lasting/slowSlice, 1)
		peak   = s.subject.watchMemory()
		err    error
	)
	for range slices {
		if err = o.slice(ctx, s, readers, lasting/slices, &all); err != nil {
			break
		}
	}
	all.peak = peak()
	if err != nil {
		return all, fmt.Errorf("%w (%s)", err, name)
	}
	memory, err := s.subject.resident()
	s.report.latency(name+".delivery", &all.delivery)
	s.report.add(name+".delivery.median_p99_ms", median(all.p99s), "ms")
	s.report.add(name+".server_rss_bytes", float64(memory.rss), "B")
	s.report.add(name+".server_rss_peak_bytes", float64(all.peak), "B")
	s.report.add(name+".kernel_tcp_bytes", float64(kernelMemoryNow().tcp), "B")
	return all, err
}

// slice is a part of a period, in which every delivery has to be made.
func (o *slow) slice(ctx context.Context, s *session, readers *fleet, lasting time.Duration, sum *fare) error {
	_, expected, err := o.publish(ctx, s, readers, lasting)
	if err != nil {
		return err
	}
	got, err := readers.counts(ctx, true)
	if err != nil {
		return err
	}
	sum.delivery.merge(got.Delivery)
	sum.p99s = append(sum.p99s, float64(got.Delivery.quantile(.99))/1e6)
	return o.verdict(result{expected: expected}, got)
}

// compare says whether those who are stuck cost anybody else anything. What
// differs between before and after is the machine's.
func (o *slow) compare(r *report, before, during, after fare) {
	base := median(before.p99s)
	p99, memory := median(during.p99s)/base, float64(during.peak)/float64(before.peak)
	r.add("p99_during_to_before", p99, "")
	r.add("p99_after_to_before", median(after.p99s)/base, "")
	r.add("server_rss_peak_during_to_before", memory, "")
	r.add("server_rss_peak_after_to_before", float64(after.peak)/float64(before.peak), "")
	r.note("the others' p99 during ÷ before is %.2f, the target %.2g at most: %s", p99, slowP99Target, metOrMissed(p99 <= slowP99Target))
	r.note("the server's peak memory during ÷ before is %.3f, the target %.2g at most: %s", memory, slowMemoryTarget, metOrMissed(memory <= slowMemoryTarget))
	fate := "closed"
	if o.policy != "close" {
		fate = "thinned"
	}
	n, _ := r.value("stuck." + fate)
	r.note("%.0f of the %d that were stuck were %s (-policy %s), the target all: %s", n, o.stuck(), fate, o.policy, metOrMissed(int(n) == o.stuck()))
}

func metOrMissed(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}

// wake has those who were stuck read again, and says what became of them.
func (o *slow) wake(ctx context.Context, s *session, stuck *process) error {
	if _, err := ask[struct{}](ctx, stuck, "stall", stallOrder{}); err != nil {
		return err
	}
	var got countAnswer
	for before := -1; got.Delivered > before; { // until no more comes
		before = got.Delivered
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
		var err error
		if got, err = ask[countAnswer](ctx, stuck, "count", countOrder{}); err != nil {
			return err
		}
	}
	s.report.add("stuck", float64(o.stuck()), "")
	s.report.add("stuck.closed", float64(o.stuck()-got.Joined), "")
	s.report.add("stuck.thinned", float64(got.Thinned), "")
	s.report.add("stuck.deliveries_dropped", float64(got.Lost), "")
	s.report.causes("stuck.drops", got.Drops)
	return nil
}

// stallOrder has a worker stop reading what arrives, or go on.
type stallOrder struct {
	Stalled bool `json:"stalled"`
}

// stall obeys it. What came meanwhile is read at once: its events have passed.
func (w *worker) stall(o stallOrder) {
	w.stalled = o.Stalled
	for i := range w.conns {
		if !w.stalled && w.conns[i].state == joined {
			w.read(i, true)
		}
	}
}

// thinned is how many connections go on although they missed something.
func (w *worker) thinned() (n int) {
	for i := range w.conns {
		if c := &w.conns[i]; c.missed && c.state == joined {
			n++
		}
	}
	return n
}
