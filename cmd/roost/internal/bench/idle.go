//go:build linux

package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"
)

// idle holds joined connections that do nothing but send heartbeats: what do
// they cost the server?
type idle struct {
	common
	warm         int
	rate         float64
	hold, settle time.Duration
	heartbeat    time.Duration
}

func (i *idle) register(fs *flag.FlagSet) {
	i.common.register(fs, 15000, 100)
	fs.IntVar(&i.warm, "warm", 200, "connections that come and go before memory is measured, so that the server's code, pools and first collection are not counted as theirs; 0: none")
	fs.Float64Var(&i.rate, "rate", 1000, "connects in a second; 0: all at once")
	fs.DurationVar(&i.hold, "hold", 40*time.Second, "how long to hold them")
	fs.DurationVar(&i.settle, "settle", 10*time.Second, "how much of -hold to let pass before idle CPU is measured")
	fs.DurationVar(&i.heartbeat, "heartbeat", 30*time.Second, "each connection's heartbeats are so far apart")
}

func (i *idle) shared() *common { return &i.common }

func (i *idle) check() error {
	err := i.common.check()
	if i.settle < 0 || i.settle >= i.hold || i.heartbeat <= 0 || i.rate < 0 || i.warm < 0 {
		err = errors.Join(err, fmt.Errorf("-settle %s must be less than -hold %s, -heartbeat positive, -rate and -warm not negative", i.settle, i.hold))
	}
	return err
}

// held is what the server has used at some moment.
type held struct {
	sample
	memory resident
	kernel kernelMemory
	counts countAnswer
}

// warmUp lets a few clients join and leave.
func (i *idle) warmUp(ctx context.Context, s *session) error {
	if i.warm == 0 {
		return nil
	}
	f, err := s.launch(ctx, i.topics, i.split(i.warm, 0, i.coalesce))
	if err != nil {
		return err
	}
	defer f.stop()
	_, err = f.connect(ctx, f.members, connectOrder{Inflight: 256}, i.timeout)
	return err
}

func (i *idle) measure(ctx context.Context, s *session) error {
	cold, err := s.subject.resident()
	if err != nil {
		return err
	}
	s.report.add("server_rss_cold_bytes", float64(cold.rss), "B")
	if err := i.warmUp(ctx, s); err != nil {
		return err
	}
	f, err := s.launch(ctx, i.topics, i.split(i.n, 0, i.coalesce))
	if err != nil {
		return err
	}
	defer f.stop()
	before, err := s.held(ctx, f)
	if err != nil {
		return err
	}
	got, err := f.connect(ctx, f.members, connectOrder{Rate: i.rate, Inflight: 256}, i.timeout)
	if err != nil {
		return err
	}
	connected, err := s.held(ctx, f)
	if err != nil {
		return err
	}
	if err := i.connectFigures(s, got, before, connected); err != nil {
		return err
	}
	settled, after, err := i.sit(ctx, s, f)
	if err != nil {
		return err
	}
	s.report.add("server_rss_bytes_per_connection_cold", grown(cold.rss, after.memory.rss)/float64(max(after.counts.Joined, 1)), "B")
	return i.idleFigures(ctx, s, before, settled, after)
}

// sit holds the connections, and looks at the server after -settle and -hold.
func (i *idle) sit(ctx context.Context, s *session, f *fleet) (settled, after held, err error) {
	beat := heartbeatOrder{At: s.clock.now(), Every: int64(i.heartbeat)}
	if _, err = all[struct{}](ctx, f.members, "heartbeat", beat); err != nil {
		return settled, after, err
	}
	if err = pause(ctx, i.settle); err != nil {
		return settled, after, err
	}
	if settled, err = s.held(ctx, f); err != nil {
		return settled, after, err
	}
	if err = pause(ctx, i.hold-i.settle); err != nil {
		return settled, after, err
	}
	after, err = s.held(ctx, f)
	return settled, after, err
}

func (s *session) held(ctx context.Context, f *fleet) (held, error) {
	var h held
	var err error
	if h.counts, err = f.counts(ctx, false); err != nil {
		return h, err
	}
	if h.sample, err = s.sample(f); err != nil {
		return h, err
	}
	h.kernel = kernelMemoryNow()
	h.memory, err = s.subject.resident()
	return h, err
}

func (i *idle) connectFigures(s *session, got connectAnswer, from, to held) error {
	s.report.causes("connect.failures", got.Failures)
	if got.Joined == 0 {
		return fmt.Errorf("bench: none of %d connections was joined (%s)", i.n, causes(got.Failures))
	}
	s.report.add("joined", float64(got.Joined), "")
	s.report.add("connect.per_s", float64(got.Joined)*1e9/float64(max(got.Last-from.at, 1)), "/s")
	s.report.cost("connect.server_cpu_per_join", to.server-from.server, float64(got.Joined))
	s.report.latency("connect.to_joined", got.ToJoined)
	s.usage("connect", from.sample, to.sample)
	return nil
}

func (i *idle) idleFigures(ctx context.Context, s *session, before, settled, after held) error {
	n := float64(after.counts.Joined)
	s.report.add("still_joined", n, "")
	s.report.causes("drops", after.counts.Drops)
	if n == 0 {
		return errors.New("bench: the server has closed all connections")
	}
	s.report.note("bytes per connection are growth since before the first: rss is all that is resident (VmRSS), anon what belongs to no file (RssAnon)")
	s.report.note("kernel bytes are the machine's, with both ends of each connection and everybody else's")
	s.report.add("server_rss_bytes_per_connection", grown(before.memory.rss, after.memory.rss)/n, "B")
	s.report.add("server_anon_bytes_per_connection", grown(before.memory.anon, after.memory.anon)/n, "B")
	s.report.add("server_rss_bytes_per_connection_after_settle", grown(before.memory.rss, settled.memory.rss)/n, "B")
	s.report.add("server_rss_before_bytes", float64(before.memory.rss), "B")
	s.report.add("kernel_tcp_buffer_bytes_per_connection", grown(before.kernel.tcp, after.kernel.tcp)/n, "B")
	s.report.add("kernel_slab_bytes_per_connection", grown(before.kernel.slab, after.kernel.slab)/n, "B")
	minutes := float64(after.at-settled.at) / float64(time.Minute)
	s.report.cost("server_cpu_per_connection_minute", after.server-settled.server, n*minutes)
	s.report.cost("server_cpu_per_heartbeat", after.server-settled.server, float64(after.counts.Answered-settled.counts.Answered))
	if err := s.wake(ctx); err != nil {
		return err
	}
	s.report.add("heartbeats", float64(after.counts.Heartbeats), "")
	s.report.add("heartbeats_answered", float64(after.counts.Answered), "")
	s.usage("hold", settled.sample, after.sample)
	return nil
}

// wake measures the least that a heartbeat costs on this machine, as rarely as
// the server's heartbeats come.
func (s *session) wake(ctx context.Context) error {
	if s.options.floor == 0 {
		return nil
	}
	cost, err := measureWake(ctx, wakeOrder{Every: int64(2 * time.Millisecond), For: int64(s.options.floor)})
	if err != nil {
		return err
	}
	s.report.note("wake is the CPU of a bare epoll loop that wakes up for 40 bytes, reads them and writes them back, 500 times a second")
	s.report.cost("wake", cost, 1)
	if beat, ok := s.report.value("server_cpu_per_heartbeat_us"); ok && cost > 0 {
		s.report.add("server_cpu_per_heartbeat_in_wakes", beat*1e3/float64(cost), "")
	}
	return nil
}

// grown is how much more it is than before.
func grown(before, after uint64) float64 { return float64(after) - float64(before) }
