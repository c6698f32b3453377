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
	canaries
	reconnect bool
	rst       bool
	retries   int
	settle    time.Duration
}

func (t *storm) register(fs *flag.FlagSet) {
	t.common.register(fs, 10000, 1)
	t.canaries.register(fs)
	fs.BoolVar(&t.reconnect, "reconnect", false, "all were joined before, are dropped and come back")
	fs.BoolVar(&t.rst, "rst", false, "drop them with a reset")
	fs.IntVar(&t.retries, "retries", 10, "how often one that fails tries again, half a second later, as clients do")
	fs.DurationVar(&t.settle, "settle", time.Second, "with -reconnect: quiet time after they were joined first")
}

func (t *storm) shared() *common { return &t.common }

func (t *storm) check() error {
	err := errors.Join(t.common.check(), t.canaries.check())
	if t.settle < 0 || t.retries < 0 || t.retries > 200 {
		err = errors.Join(err, errors.New("-settle has to be not negative, -retries 0 to 200"))
	}
	return err
}

func (t *storm) measure(ctx context.Context, s *session) error {
	f, err := s.launch(ctx, t.topics, append([]squad{t.squad()}, t.split(t.n, 0, t.coalesce)...))
	if err != nil {
		return err
	}
	defer f.stop()
	if err := t.prepare(ctx, s, f); err != nil {
		return err
	}
	return t.watch(ctx, s, f, func() error { return t.strike(ctx, s, f) })
}

// prepare joins the canaries, and the others if they are to come back.
func (t *storm) prepare(ctx context.Context, s *session, f *fleet) error {
	s.readersNote()
	if err := t.join(ctx, f, t.timeout); err != nil {
		return err
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

// strike is the storm itself.
func (t *storm) strike(ctx context.Context, s *session, f *fleet) error {
	from, err := s.sample(f)
	if err != nil {
		return err
	}
	began := s.clock.now()
	if err := t.phase(ctx, s, f); err != nil {
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
	if err := t.phase(ctx, s, f); err != nil {
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
	return nil
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
