//go:build linux

package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"
)

// canaries are clients that were there before something happens, and go on
// asking while it does: what do they notice?
type canaries struct {
	canaries   int
	canaryRate float64
	before     time.Duration
	after      time.Duration
}

func (c *canaries) register(fs *flag.FlagSet) {
	fs.IntVar(&c.canaries, "canaries", 10, "clients that ask all the time")
	fs.Float64Var(&c.canaryRate, "canary-rate", 20, "requests of each in a second")
	fs.DurationVar(&c.before, "before", 5*time.Second, "how long they ask before anything happens")
	fs.DurationVar(&c.after, "after", 3*time.Second, "and after it")
}

func (c *canaries) check() error {
	if c.canaries < 1 || c.canaryRate <= 0 || c.before <= 0 || c.after < 0 {
		return errors.New("-canaries, -canary-rate and -before have to be positive, -after not negative")
	}
	return nil
}

// squad is to be the first of a fleet.
func (c *canaries) squad() squad { return squad{conns: c.canaries, realtime: true} }

// join brings them in.
func (c *canaries) join(ctx context.Context, f *fleet, timeout time.Duration) error {
	got, err := f.connect(ctx, f.members[:1], connectOrder{Inflight: 16}, timeout)
	if err == nil && got.Joined < c.canaries {
		err = fmt.Errorf("bench: only %d of %d canaries were joined (%s)", got.Joined, c.canaries, causes(got.Failures))
	}
	return err
}

// watch has them ask while happen does what they may notice, and reports it.
func (c *canaries) watch(ctx context.Context, s *session, f *fleet, happen func() error) error {
	o := s.options
	call, err := give[pingAnswer](f.members[0].process, "ping", pingOrder{
		At: s.clock.now(), For: int64(time.Hour), Rate: c.canaryRate * float64(c.canaries), Size: o.size, Drain: int64(o.drain),
	})
	if err != nil {
		return err
	}
	if err := pause(ctx, c.before); err != nil {
		return err
	}
	if err := happen(); err != nil {
		return err
	}
	if err := pause(ctx, c.after); err != nil {
		return err
	}
	if _, err := ask[struct{}](ctx, f.members[0].process, "stop", struct{}{}); err != nil {
		return err
	}
	heard, err := call.wait(ctx, o.drain+answerWithin)
	if err != nil {
		return err
	}
	canaryFigures(s, heard)
	if !f.realtime {
		s.report.note("the canaries have no real-time priority, which takes root: their latencies hold the tool's own delays")
	}
	return nil
}

// phase has what follows counted apart.
func (c *canaries) phase(ctx context.Context, s *session, f *fleet) error {
	_, err := ask[struct{}](ctx, f.members[0].process, "phase", phaseOrder{At: s.clock.now()})
	return err
}

func canaryFigures(s *session, heard pingAnswer) {
	for i, name := range []string{"before", "during", "after"} {
		if i < len(heard.Phases) {
			s.report.add("canary."+name+".requests", float64(heard.Phases[i].n), "")
			s.report.latency("canary."+name, heard.Phases[i])
		}
	}
	s.report.add("canary.unanswered", float64(heard.Sent-heard.Replies), "")
	s.report.add("canary.error_replies", float64(heard.Errors), "")
	s.report.latency("canary.send_lag", heard.Lag)
	before, during := heard.Phases[0], heard.Phases[1]
	if calm := float64(before.quantile(.5)); calm > 0 && during.n > 0 {
		s.report.add("canary.p50_during_to_p50_before", float64(during.quantile(.5))/calm, "")
		s.report.add("canary.p99_during_to_p50_before", float64(during.quantile(.99))/calm, "")
	}
	if calm := float64(before.quantile(.99)); calm > 0 && during.n > 0 {
		s.report.add("canary.p99_during_to_p99_before", float64(during.quantile(.99))/calm, "")
	}
}
