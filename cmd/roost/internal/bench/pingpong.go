//go:build linux

package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"
)

// pingpong asks and waits for the reply: what does a request cost?
type pingpong struct {
	common
	rate     float64
	duration time.Duration
	warmup   time.Duration
}

func (p *pingpong) register(fs *flag.FlagSet) {
	p.common.register(fs, 200, 200)
	fs.Float64Var(&p.rate, "rate", 0, "requests in a second, of all; 0: each asks again once it is answered")
	fs.DurationVar(&p.duration, "duration", 10*time.Second, "how long to ask")
	fs.DurationVar(&p.warmup, "warmup", time.Second, "how long to ask before that")
}

func (p *pingpong) shared() *common { return &p.common }

func (p *pingpong) check() error {
	err := p.common.check()
	if p.rate < 0 || p.duration <= 0 || p.warmup < 0 {
		err = errors.Join(err, errors.New("-duration has to be positive, -rate and -warmup not negative"))
	}
	return err
}

func (p *pingpong) measure(ctx context.Context, s *session) error {
	s.readersNote()
	f, err := s.launch(ctx, p.topics, p.split(p.n, 0, p.coalesce))
	if err != nil {
		return err
	}
	defer f.stop()
	if err := s.connectAll(ctx, f, connectOrder{Inflight: 256}); err != nil {
		return err
	}
	if p.warmup > 0 {
		if _, err := p.ask(ctx, s, f, p.warmup); err != nil {
			return err
		}
	}
	from, err := s.sample(f)
	if err != nil {
		return err
	}
	got, err := p.ask(ctx, s, f, p.duration)
	if err != nil {
		return err
	}
	to, err := s.sample(f)
	if err != nil {
		return err
	}
	return p.figures(s, got, from, to)
}

// ask has all connections ask for so long, and waits for the last replies.
func (p *pingpong) ask(ctx context.Context, s *session, f *fleet, lasting time.Duration) (pingAnswer, error) {
	o := pingOrder{At: s.clock.now(), For: int64(lasting), Size: p.size, Drain: int64(p.drain)}
	answers, err := each[pingAnswer](ctx, f.members, lasting+p.drain+answerWithin, "ping", func(m *member) any {
		share := o
		share.Rate = p.rate * float64(m.conns) / float64(p.n)
		return share
	})
	if err != nil {
		return pingAnswer{}, err
	}
	return mergePings(answers), nil
}

func mergePings(answers []pingAnswer) pingAnswer {
	sum := pingAnswer{Phases: []*histogram{{}}, Lag: &histogram{}}
	for _, a := range answers {
		sum.Sent += a.Sent
		sum.Replies += a.Replies
		sum.Errors += a.Errors
		sum.Phases[0].merge(a.Phases[0])
		sum.Lag.merge(a.Lag)
	}
	return sum
}

func (p *pingpong) figures(s *session, got pingAnswer, from, to sample) error {
	if got.Replies == 0 {
		return fmt.Errorf("bench: none of %d requests was answered: the channel has to reply to %q", got.Sent, requestEvent)
	}
	s.report.add("requests", float64(got.Sent), "")
	s.report.add("unanswered", float64(got.Sent-got.Replies), "")
	s.report.add("error_replies", float64(got.Errors), "")
	s.report.cost("server_cpu_per_request", to.server-from.server, float64(got.Replies))
	s.report.add("requests_per_s", float64(got.Replies)*1e9/float64(to.at-from.at), "/s")
	s.report.latency("reply", got.Phases[0])
	if p.rate > 0 {
		s.report.latency("send_lag", got.Lag)
	}
	s.usage("run", from, to)
	if got.Errors > 0 {
		return fmt.Errorf("bench: %d of %d requests were answered with an error", got.Errors, got.Replies)
	}
	return nil
}
