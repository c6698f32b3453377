//go:build linux

package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"
)

// fanout publishes to topics with many subscribers: what does a delivery cost,
// how late is it, and is every one made exactly once?
type fanout struct {
	common
	rate     float64
	window   int
	probes   int
	duration time.Duration
	warmup   time.Duration
}

// Bounds on what can be acknowledged at once: the pipe holds 1 MiB of records.
const mostInFlight = 1 << 20 / ackSize / 4

func (o *fanout) register(fs *flag.FlagSet) {
	o.common.register(fs, 5000, 1)
	fs.Float64Var(&o.rate, "rate", 10, "publications in a second, of all topics; 0: as -window allows")
	fs.IntVar(&o.window, "window", 1, "with -rate 0: publications of a topic that have not reached all")
	fs.IntVar(&o.probes, "probes", 10, "subscribers, of -n, that read at once; each topic's first always does")
	fs.DurationVar(&o.duration, "duration", 10*time.Second, "how long to publish")
	fs.DurationVar(&o.warmup, "warmup", time.Second, "how long to publish before that")
}

func (o *fanout) shared() *common { return &o.common }

func (o *fanout) check() error {
	err := o.common.check()
	if o.window < 1 || o.rate < 0 || o.duration <= 0 || o.warmup < 0 || o.probes < 0 {
		err = errors.Join(err, errors.New("-window and -duration have to be positive, -rate, -warmup and -probes not negative"))
	}
	if o.rate == 0 && o.window*o.topics > mostInFlight {
		err = errors.Join(err, fmt.Errorf("-window %d on %d topics: no more than %d can be in flight", o.window, o.topics, mostInFlight))
	}
	return err
}

// squads puts publishers and probes into the first worker.
func (o *fanout) squads() []squad {
	side := min(max(o.topics, o.probes, 1), o.n)
	first := squad{conns: side, realtime: true}
	return append([]squad{first}, o.split(o.n-side, side, o.coalesce)...)
}

func (o *fanout) measure(ctx context.Context, s *session) error {
	s.readersNote()
	f, err := s.launch(ctx, o.topics, o.squads())
	if err != nil {
		return err
	}
	defer f.stop()
	if err := s.connectAll(ctx, f, connectOrder{Inflight: 256}); err != nil {
		return err
	}
	if o.warmup > 0 {
		if _, _, err := o.publish(ctx, s, f, o.warmup); err != nil {
			return fmt.Errorf("%w (while warming up)", err)
		}
	}
	from, err := s.sample(f)
	if err != nil {
		return err
	}
	sent, expected, err := o.publish(ctx, s, f, o.duration)
	if err != nil {
		return err
	}
	to, err := s.sample(f)
	if err != nil {
		return err
	}
	return o.figures(ctx, s, f, result{from, to, sent, expected})
}

// publish publishes for so long and waits until all has arrived, or no more
// does. It says how many deliveries there should have been.
func (o *fanout) publish(ctx context.Context, s *session, f *fleet, lasting time.Duration) (publishAnswer, int, error) {
	window := 0
	if o.rate == 0 {
		window = o.window
	}
	if _, err := all[struct{}](ctx, f.members, "measure", measureOrder{Window: window}); err != nil {
		return publishAnswer{}, 0, err
	}
	subscribers, parties := f.census()
	c, err := give[publishAnswer](f.members[0].process, "publish", publishOrder{
		At: s.clock.now(), For: int64(lasting), Rate: o.rate, Window: window, Size: o.size,
		Parties: parties, Drain: int64(o.drain),
	})
	if err != nil {
		return publishAnswer{}, 0, err
	}
	sent, err := c.wait(ctx, lasting+o.drain+answerWithin)
	if err != nil {
		return sent, 0, err
	}
	var expected int
	for t, n := range sent.Published {
		expected += n * subscribers[t]
	}
	return sent, expected, f.drained(ctx, s.clock, expected, o.drain)
}

// census is how many subscribers a topic has, in how many workers.
func (f *fleet) census() (subscribers, parties []int) {
	subscribers, parties = make([]int, f.topics), make([]int, f.topics)
	for _, m := range f.members {
		for i := range m.conns {
			t := (m.firstTopic + i) % f.topics
			subscribers[t]++
			if i < f.topics {
				parties[t]++
			}
		}
	}
	return subscribers, parties
}

// drained waits until so much has been delivered. Without progress for a while
// it gives up, which is no error: the figures will tell.
func (f *fleet) drained(ctx context.Context, c clock, expected int, within time.Duration) error {
	var before int
	for heard := c.now(); c.now()-heard < int64(within); {
		got, err := f.counts(ctx, false)
		if err != nil {
			return err
		}
		if got.Delivered >= expected {
			return nil
		}
		if got.Delivered > before {
			before, heard = got.Delivered, c.now()
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// result is what a run has done to the server.
type result struct {
	from, to sample
	sent     publishAnswer
	expected int
}

func (o *fanout) figures(ctx context.Context, s *session, f *fleet, r result) error {
	got, err := f.counts(ctx, true)
	if err != nil {
		return err
	}
	probes, err := all[countAnswer](ctx, f.members[:1], "count", countOrder{Full: true})
	if err != nil {
		return err
	}
	var published int
	for _, n := range r.sent.Published {
		published += n
	}
	wall := float64(r.to.at - r.from.at)
	s.report.add("published", float64(published), "")
	s.report.add("expected", float64(r.expected), "")
	s.report.add("delivered", float64(got.Delivered), "")
	s.report.add("missing", float64(r.expected-got.Delivered), "")
	s.report.add("skipped", float64(got.Lost), "")
	s.report.add("repeated", float64(got.Repeated), "")
	s.report.causes("drops", got.Drops)
	s.report.cost("server_cpu_per_delivery", r.to.server-r.from.server, float64(got.Delivered))
	s.report.add("deliveries_per_s", float64(got.Delivered)*1e9/wall, "/s")
	s.report.latency("delivery", got.Delivery)
	s.report.latency("delivery_to_probes", probes[0].Delivery)
	s.report.latency("send_lag", r.sent.Lag)
	s.usage("run", r.from, r.to)
	return o.verdict(r, got)
}

// verdict fails a run that did not deliver everything exactly once.
func (o *fanout) verdict(r result, got countAnswer) error {
	switch {
	case r.expected == 0:
		return errors.New("bench: nothing was published: -duration is shorter than a publication takes")
	case r.sent.Stalled, got.Delivered < r.expected:
		return fmt.Errorf("bench: %d of %d deliveries were not made (connections lost: %s)",
			r.expected-got.Delivered, r.expected, causes(got.Drops))
	case got.Repeated > 0:
		return fmt.Errorf("bench: %d deliveries were made twice or out of order", got.Repeated)
	}
	return nil
}
