//go:build linux

package bench

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// flood has attackers make TLS handshakes as fast as they can, while clients that
// were there before go on asking, and some honest ones come: what do they notice?
type flood struct {
	common
	canaries
	mode      string
	lasting   time.Duration
	newcomers int
	computing int
}

func (t *flood) register(fs *flag.FlagSet) {
	t.common.register(fs, 200, 1)
	t.canaries.register(fs)
	fs.Lookup("n").Usage = "connections that attack at once"
	fs.StringVar(&t.mode, "mode", "full", "what they do: full handshakes; hello, the same one again and again, and no more; half of one and stall; "+
		"idle after the handshake")
	fs.DurationVar(&t.lasting, "duration", 10*time.Second, "how long they attack")
	fs.IntVar(&t.newcomers, "newcomers", 20, "honest clients that come meanwhile, one after the other")
	fs.IntVar(&t.computing, "computing", 0, "handshakes that compute at once in a server of its own; 0: the default")
}

func (t *flood) shared() *common { return &t.common }

func (t *flood) check() error {
	err := errors.Join(t.common.check(), t.canaries.check())
	if _, known := attacks[t.mode]; !known {
		modes := slices.Sorted(maps.Keys(attacks))
		err = errors.Join(err, fmt.Errorf("-mode %q: there are %s", t.mode, strings.Join(modes, ", ")))
	}
	if t.lasting <= 0 || t.newcomers < 1 || t.computing < 0 {
		err = errors.Join(err, errors.New("-duration and -newcomers have to be positive, -computing not negative"))
	}
	t.tls = true
	t.target = []string{"-tls", "-computing", strconv.Itoa(t.computing)}
	return err
}

func (t *flood) measure(ctx context.Context, s *session) error {
	s.readersNote()
	s.report.note("the attackers' threads give way to all others, as if they had a machine of their own")
	f, err := s.launch(ctx, 1, []squad{t.squad(), {conns: t.newcomers, realtime: true}})
	if err != nil {
		return err
	}
	defer f.stop()
	if err := t.join(ctx, f, t.timeout); err != nil {
		return err
	}
	attacker, err := startProcess(ctx, "attacker")
	if err != nil {
		return err
	}
	defer attacker.stop()
	return t.watch(ctx, s, f, func() error { return t.strike(ctx, s, f, attacker) })
}

// strike is the flood itself, with the newcomers in it.
func (t *flood) strike(ctx context.Context, s *session, f *fleet, attacker *process) error {
	from, err := s.sample(f)
	if err != nil {
		return err
	}
	if err := t.phase(ctx, s, f); err != nil {
		return err
	}
	call, err := give[attackAnswer](attacker, "attack", attackOrder{
		Addr: s.subject.addr, Mode: t.mode, Conns: t.n, For: int64(t.lasting),
	})
	if err != nil {
		return err
	}
	rate := float64(t.newcomers) / t.lasting.Seconds()
	came, err := f.connect(ctx, f.members[1:], connectOrder{Rate: rate, Inflight: 1}, t.timeout)
	if err != nil {
		return err
	}
	got, err := call.wait(ctx, t.lasting+answerWithin)
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
	t.figures(s, got, came, to.server-from.server)
	s.usage("run", from, to)
	return t.serversOwn(ctx, s)
}

func (t *flood) figures(s *session, got attackAnswer, came connectAnswer, cpu time.Duration) {
	s.report.add("attacks", float64(got.Begun), "")
	s.report.add("attacks_per_s", float64(got.Begun)/t.lasting.Seconds(), "/s")
	s.report.add("handshakes_per_s", float64(got.Answered)/t.lasting.Seconds(), "/s")
	s.report.add("attacker_cpu_cores", float64(got.CPU)/float64(t.lasting), "cores")
	s.report.causes("attacks.failures", got.Failures)
	s.report.cost("server_cpu_per_handshake", cpu, float64(got.Answered))
	s.report.add("newcomers.joined", float64(came.Joined), "")
	s.report.add("newcomers.not_joined", float64(t.newcomers-came.Joined), "")
	s.report.causes("newcomers.failures", came.Failures)
	s.report.latency("newcomers.to_joined", came.ToJoined)
	s.report.latency("newcomers.to_joined_since_due", came.SinceDue)
}

// serversOwn adds what a server of its own has counted.
func (t *flood) serversOwn(ctx context.Context, s *session) error {
	if s.subject.child == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.subject.addr+statsPath, nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true} //nolint:gosec // our own
	got, err := transport.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("bench: the target's counters: %w", err)
	}
	defer got.Body.Close()
	counted := map[string]float64{}
	if err := json.NewDecoder(got.Body).Decode(&counted); err != nil {
		return fmt.Errorf("bench: the target's counters: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(counted)) {
		s.report.add("server."+name, counted[name], "")
	}
	return nil
}
