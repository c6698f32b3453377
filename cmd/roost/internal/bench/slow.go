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
// notice, what does the server keep for those, and what becomes of them? The
// others are measured before, during and after it, for equally long before and
// after: what changes between those two is the machine's.
type slow struct {
	fanout
	percent float64
	policy  string
	outbox  int

	others, memory map[string]float64 // by period: p99 in nanoseconds, RSS in bytes
}

func (o *slow) register(fs *flag.FlagSet) {
	o.fanout.register(fs)
	fs.Float64Var(&o.percent, "stuck", 1, "subscribers that stop reading, in `%` of -n")
	fs.StringVar(&o.policy, "policy", "close", "of a server of its own: close, drop_oldest or keep_latest")
	fs.IntVar(&o.outbox, "outbox", 64<<10, "of a server of its own: `bytes` that may wait for one client")
	o.others, o.memory = map[string]float64{}, map[string]float64{}
	// Small messages would take minutes to fill the kernel's buffers.
	o.size, o.warmup, o.duration = 4096, 5*time.Second, 15*time.Second
	for name, value := range map[string]string{"size": "4096", "warmup": "5s", "duration": "15s"} {
		fs.Lookup(name).DefValue = value
	}
	fs.Lookup("warmup").Usage = "how long to publish before that, and after it"
}

// stuck is how many stop reading.
func (o *slow) stuck() int { return max(1, int(float64(o.n)*o.percent/100)) }

func (o *slow) check() error {
	err := o.fanout.check()
	if o.percent <= 0 || o.n-o.stuck() < max(o.topics, o.probes) {
		err = errors.Join(err, errors.New("-stuck has to be positive, and leave the publishers and the probes of -n"))
	}
	if o.rate == 0 || o.warmup == 0 {
		err = errors.Join(err, errors.New("-rate and -warmup have to be positive: the publications before are compared with those during"))
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
	if err := o.period(ctx, s, readers, "before", o.warmup); err != nil {
		return err
	}
	stuck := f.members[last].process
	if _, err := ask[struct{}](ctx, stuck, "stall", stallOrder{Stalled: true}); err != nil {
		return err
	}
	if err := o.period(ctx, s, readers, "during", o.duration); err != nil {
		return err
	}
	if err := o.wake(ctx, s, stuck); err != nil {
		return err
	}
	if err := o.period(ctx, s, readers, "after", o.warmup); err != nil {
		return err
	}
	o.ratios(s)
	return nil
}

// ratios compare what the others and the server felt with how it was else.
func (o *slow) ratios(s *session) {
	for _, calm := range []string{"before", "after"} {
		s.report.add("others.p99_during_to_p99_"+calm, o.others["during"]/o.others[calm], "")
	}
	s.report.add("server_rss_grown_bytes", o.memory["during"]-o.memory["before"], "B")
}

// period publishes for so long, to those who read, and says how they and the
// server fared.
func (o *slow) period(ctx context.Context, s *session, readers *fleet, name string, lasting time.Duration) error {
	_, expected, err := o.publish(ctx, s, readers, lasting)
	if err != nil {
		return err
	}
	got, err := readers.counts(ctx, true)
	if err != nil {
		return err
	}
	memory, err := s.subject.resident()
	if err != nil {
		return err
	}
	o.others[name], o.memory[name] = float64(got.Delivery.quantile(.99)), float64(memory.rss)
	s.report.add(name+".missing", float64(expected-got.Delivered), "")
	s.report.latency(name+".delivery", got.Delivery)
	s.report.add(name+".server_rss_bytes", float64(memory.rss), "B")
	return o.verdict(result{expected: expected}, got)
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
