//go:build linux

package bench

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// squad is what one worker of a fleet is to hold.
type squad struct {
	conns, firstTopic int
	coalesce          time.Duration
	realtime          bool
}

// member is one worker of a fleet.
type member struct {
	*process
	squad
}

// fleet is the workers of a run, and all their connections. It belongs to the
// run's goroutine; another one shows its progress.
type fleet struct {
	members []*member
	topics  int
	clock   clock
	// realtime says whether every squad that asked for the priority has it.
	realtime bool

	done, shown chan struct{}
}

// sourcesEach is how many local addresses a worker spreads its connections
// over: some 28,000 ports each, so that closed ones need not be waited for.
const sourcesEach = 4

// split shares n connections among as few workers as may hold them, or as many
// as the options say.
func (o *common) split(n, firstTopic int, coalesce time.Duration) []squad {
	workers := o.workers
	if workers == 0 {
		workers = (n + o.perWorker - 1) / o.perWorker
	}
	var squads []squad
	for left := n; left > 0; {
		share := (left + workers - len(squads) - 1) / (workers - len(squads))
		squads = append(squads, squad{conns: share, firstTopic: firstTopic, coalesce: coalesce})
		firstTopic += share
		left -= share
	}
	return squads
}

// launch starts a worker for each squad; the first can publish.
func (s *session) launch(ctx context.Context, topics int, squads []squad) (*fleet, error) {
	f := &fleet{topics: topics, clock: s.clock, realtime: true, done: make(chan struct{}), shown: make(chan struct{})}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	defer w.Close()
	// The default would hold 8,192 acknowledgements; more may come at once.
	_, _ = unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 1<<20)
	for i, q := range squads {
		if err := s.enlist(ctx, f, q, setupOrder{Source: 2 + i*sourcesEach, Topics: topics}, w, r); err != nil {
			f.dismiss()
			return nil, err
		}
	}
	go s.showProgress(f)
	return f, nil
}

func (s *session) enlist(ctx context.Context, f *fleet, q squad, o setupOrder, pipes ...*os.File) error {
	p, err := startProcess(ctx, "worker", pipes...)
	if err != nil {
		return err
	}
	f.members = append(f.members, &member{p, q})
	o.Addr, o.Path, o.Prefix = s.subject.addr, s.options.path, s.options.prefix
	o.Conns, o.FirstTopic = q.conns, q.firstTopic%o.Topics
	o.Coalesce, o.Realtime, o.TLS = int64(q.coalesce), q.realtime, s.options.tls
	o.Size, o.Timeout = s.options.size, int64(s.options.timeout)
	if loopback(s.subject.addr) {
		o.Sources = sourcesEach
	}
	granted, err := ask[setupAnswer](ctx, p, "setup", o)
	f.realtime = f.realtime && (granted.Realtime || !q.realtime)
	if err == nil && len(f.members) == 1 {
		_, err = ask[struct{}](ctx, p, "acks", struct{}{})
	}
	return err
}

// loopback says whether addr is in 127/8, where every address may be a source.
func loopback(addr string) bool {
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	return err == nil && tcp.IP.To4() != nil && tcp.IP.IsLoopback()
}

// showProgress ends when the fleet is stopped.
func (s *session) showProgress(f *fleet) {
	defer close(f.shown)
	n := connsOf(f.members)
	var before progress
	at := time.Now()
	s.meter.run(f.done, func() string {
		now := f.progress()
		line := describe(s.report.scenario, n, now, before, time.Since(at))
		before, at = now, time.Now()
		return line
	})
}

// progress is all members' together.
func (f *fleet) progress() progress {
	var sum progress
	for _, m := range f.members {
		one := m.latest()
		sum.Opened += one.Opened
		sum.Joined += one.Joined
		sum.Failed += one.Failed
		sum.Dropped += one.Dropped
		sum.Delivered += one.Delivered
		sum.Replies += one.Replies
	}
	return sum
}

// stop ends all workers and waits for them.
func (f *fleet) stop() {
	close(f.done)
	<-f.shown
	f.dismiss()
}

func (f *fleet) dismiss() {
	for _, m := range f.members {
		m.process.stop()
	}
}

// each gives every member an order and waits for all answers.
func each[T any](ctx context.Context, members []*member, within time.Duration, do string, with func(*member) any) ([]T, error) {
	calls := make([]*call[T], len(members))
	for i, m := range members {
		c, err := give[T](m.process, do, with(m))
		if err != nil {
			return nil, err
		}
		calls[i] = c
	}
	answers := make([]T, len(members))
	for i, c := range calls {
		a, err := c.wait(ctx, within)
		if err != nil {
			return nil, err
		}
		answers[i] = a
	}
	return answers, nil
}

// all has every member do the same thing, which is done at once.
func all[T any](ctx context.Context, members []*member, do string, with any) ([]T, error) {
	return each[T](ctx, members, answerWithin, do, func(*member) any { return with })
}

func connsOf(members []*member) int {
	var n int
	for _, m := range members {
		n += m.conns
	}
	return n
}

// connect brings the members' connections in; the order's rate is for all of
// them together.
func (f *fleet) connect(ctx context.Context, members []*member, o connectOrder, timeout time.Duration) (connectAnswer, error) {
	n := connsOf(members)
	within := time.Minute + timeout*time.Duration(1+o.Retries)
	if o.Rate > 0 {
		within += time.Duration(float64(n) / o.Rate * float64(time.Second))
	}
	o.At = f.clock.now()
	answers, err := each[connectAnswer](ctx, members, within, "connect", func(m *member) any {
		share := o
		share.Rate *= float64(m.conns) / float64(n)
		return share
	})
	if err != nil {
		return connectAnswer{}, err
	}
	return mergeConnects(answers), nil
}

func mergeConnects(answers []connectAnswer) connectAnswer {
	sum := connectAnswer{
		First: never, Failures: map[string]int{},
		ToTCP: &histogram{}, ToUpgraded: &histogram{}, ToJoined: &histogram{}, SinceDue: &histogram{},
	}
	for _, a := range answers {
		sum.Joined += a.Joined
		if a.Joined > 0 {
			sum.First, sum.Last = min(sum.First, a.First), max(sum.Last, a.Last)
		}
		for cause, n := range a.Failures {
			sum.Failures[cause] += n
		}
		sum.ToTCP.merge(a.ToTCP)
		sum.ToUpgraded.merge(a.ToUpgraded)
		sum.ToJoined.merge(a.ToJoined)
		sum.SinceDue.merge(a.SinceDue)
	}
	return sum
}

// connectAll is connect for all members, all of whom have to get in.
func (s *session) connectAll(ctx context.Context, f *fleet, o connectOrder) error {
	got, err := f.connect(ctx, f.members, o, s.options.timeout)
	if err != nil {
		return err
	}
	s.report.causes("connect.failures", got.Failures)
	if n := connsOf(f.members); got.Joined < n {
		return fmt.Errorf("bench: only %d of %d connections were joined (%s): is there a channel for %q at %s%s?",
			got.Joined, n, causes(got.Failures), s.options.prefix+"*", s.subject.addr, s.options.path)
	}
	return nil
}

// counts is what all members have counted; latencies only if full.
func (f *fleet) counts(ctx context.Context, full bool) (countAnswer, error) {
	answers, err := all[countAnswer](ctx, f.members, "count", countOrder{Full: full})
	if err != nil {
		return countAnswer{}, err
	}
	return mergeCounts(answers), nil
}

func mergeCounts(answers []countAnswer) countAnswer {
	sum := countAnswer{Delivery: &histogram{}, Drops: map[string]int{}}
	for _, a := range answers {
		sum.Delivered += a.Delivered
		sum.Lost += a.Lost
		sum.Repeated += a.Repeated
		sum.Heartbeats += a.Heartbeats
		sum.Answered += a.Answered
		sum.Joined += a.Joined
		sum.Delivery.merge(a.Delivery)
		for cause, n := range a.Drops {
			sum.Drops[cause] += n
		}
	}
	return sum
}
