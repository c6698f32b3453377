//go:build linux

package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"
)

// storm has all connections arrive at once, while a few that were there before
// go on asking: how long does it last, and what do those notice?
type storm struct {
	common
	reconnect  bool
	rst        bool
	retries    int
	canaries   int
	canaryRate float64
	settle     time.Duration
	before     time.Duration
	after      time.Duration
}

func (t *storm) register(fs *flag.FlagSet) {
	t.common.register(fs, 10000, 1)
	fs.BoolVar(&t.reconnect, "reconnect", false, "all were joined before, are dropped and come back")
	fs.BoolVar(&t.rst, "rst", false, "drop them with a reset")
	fs.IntVar(&t.retries, "retries", 10, "how often one that fails tries again, half a second later, as clients do")
	fs.IntVar(&t.canaries, "canaries", 10, "clients that ask all the time")
	fs.Float64Var(&t.canaryRate, "canary-rate", 20, "requests of each in a second")
	fs.DurationVar(&t.settle, "settle", time.Second, "with -reconnect: quiet time after they were joined first")
	fs.DurationVar(&t.before, "before", 5*time.Second, "how long they ask before the storm")
	fs.DurationVar(&t.after, "after", 3*time.Second, "and after it")
}

func (t *storm) shared() *common { return &t.common }

func (t *storm) check() error {
	err := t.common.check()
	if t.canaries < 1 || t.canaryRate <= 0 || t.before <= 0 || t.after < 0 || t.settle < 0 || t.retries < 0 || t.retries > 200 {
		err = errors.Join(err, errors.New("-canaries, -canary-rate and -before have to be positive, -after and -settle not negative, -retries 0 to 200"))
	}
	return err
}

func (t *storm) measure(ctx context.Context, s *session) error {
	squads := append([]squad{{conns: t.canaries, realtime: true}}, t.split(t.n, 0, t.coalesce)...)
	f, err := s.launch(ctx, t.topics, squads)
	if err != nil {
		return err
	}
	defer f.stop()
	if err := t.prepare(ctx, s, f); err != nil {
		return err
	}
	canaries, err := give[pingAnswer](f.members[0].process, "ping", pingOrder{
		At: s.clock.now(), For: int64(time.Hour), Rate: t.canaryRate * float64(t.canaries), Size: t.size, Drain: int64(t.drain),
	})
	if err != nil {
		return err
	}
	if err := pause(ctx, t.before); err != nil {
		return err
	}
	if err := t.strike(ctx, s, f); err != nil {
		return err
	}
	if _, err := ask[struct{}](ctx, f.members[0].process, "stop", struct{}{}); err != nil {
		return err
	}
	heard, err := canaries.wait(ctx, t.drain+answerWithin)
	if err != nil {
		return err
	}
	t.canaryFigures(s, heard)
	if !f.realtime {
		s.report.note("the canaries have no real-time priority, which takes root: their latencies hold the tool's own delays")
	}
	return nil
}

// prepare joins the canaries, and the others if they are to come back.
func (t *storm) prepare(ctx context.Context, s *session, f *fleet) error {
	s.readersNote()
	canaries, err := f.connect(ctx, f.members[:1], connectOrder{Inflight: 16}, t.timeout)
	if err != nil {
		return err
	}
	if canaries.Joined < t.canaries {
		return fmt.Errorf("bench: only %d of %d canaries were joined (%s)", canaries.Joined, t.canaries, causes(canaries.Failures))
	}
	if !t.reconnect {
		return nil
	}
	first, err := f.connect(ctx, f.members[1:], connectOrder{Inflight: 256}, t.timeout)
	if err == nil && first.Joined < t.n {
		err = fmt.Errorf("bench: only %d of %d connections were joined before the storm (%s)", first.Joined, t.n, causes(first.Failures))
	}
	if err != nil {
		return err
	}
	return pause(ctx, t.settle)
}

// strike is the storm itself, from its first connect to -after its end.
func (t *storm) strike(ctx context.Context, s *session, f *fleet) error {
	from, err := s.sample(f)
	if err != nil {
		return err
	}
	began := s.clock.now()
	if _, err := ask[struct{}](ctx, f.members[0].process, "phase", phaseOrder{At: began}); err != nil {
		return err
	}
	if t.reconnect {
		if _, err := all[struct{}](ctx, f.members[1:], "drop", dropOrder{RST: t.rst}); err != nil {
			return err
		}
	}
	got, err := f.connect(ctx, f.members[1:], connectOrder{Retries: t.retries}, t.timeout)
	if err != nil {
		return err
	}
	if _, err := ask[struct{}](ctx, f.members[0].process, "phase", phaseOrder{At: s.clock.now()}); err != nil {
		return err
	}
	to, err := s.sample(f)
	if err != nil {
		return err
	}
	t.stormFigures(s, got, began)
	s.report.cost("server_cpu_per_join", to.server-from.server, float64(got.Joined))
	s.usage("run", from, to)
	if got.Joined == 0 {
		return fmt.Errorf("bench: none of %d connections was joined (%s)", t.n, causes(got.Failures))
	}
	return pause(ctx, t.after)
}

func (t *storm) stormFigures(s *session, got connectAnswer, began int64) {
	s.report.add("joined", float64(got.Joined), "")
	s.report.add("not_joined", float64(t.n-got.Joined), "")
	s.report.causes("failures", got.Failures)
	if got.Joined > 0 {
		s.report.add("until_all_joined_s", float64(got.Last-began)/1e9, "s")
		s.report.add("joins_per_s", float64(got.Joined)*1e9/float64(got.Last-began), "/s")
	}
	s.report.latency("to_joined", got.ToJoined)
	s.report.latency("to_joined_since_start", got.SinceDue)
}

func (t *storm) canaryFigures(s *session, heard pingAnswer) {
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
