//go:build linux

package bench

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// scenario is something to measure.
type scenario interface {
	// shared is what it has in common with all others.
	shared() *common
	// check says what is wrong with its flags.
	check() error
	// measure adds what it finds to the session's report.
	measure(ctx context.Context, s *session) error
}

// session is one run of a scenario against one server.
type session struct {
	options *common
	clock   clock
	subject *subject
	report  *report
	meter   *meter
}

// conduct runs one scenario, between two measurements of the floor, and
// reports costs in their mean. What was found before an error is reported too.
func conduct(ctx context.Context, name string, sc scenario, m *meter) (*report, error) {
	s := &session{options: sc.shared(), clock: newClock(), report: &report{scenario: name}, meter: m}
	subject, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	defer subject.close()
	s.subject = subject
	before, err := s.unit(ctx)
	if err != nil {
		return nil, err
	}
	if err := sc.measure(ctx, s); err != nil {
		s.settle(before, before)
		return s.report, err
	}
	after, err := s.unit(ctx)
	s.settle(before, after)
	return s.report, err
}

func (s *session) settle(before, after time.Duration) {
	w := (before + after) / 2
	s.report.settle(w)
	if w > 0 {
		s.report.add("w", float64(w)/1e3, "µs")
		s.report.add("w_before", float64(before)/1e3, "µs")
		s.report.add("w_after", float64(after)/1e3, "µs")
	}
}

// unit is w now, or as the flags say, or 0.
func (s *session) unit(ctx context.Context) (time.Duration, error) {
	if s.options.w > 0 || s.options.floor == 0 {
		return time.Duration(s.options.w * 1e3), nil
	}
	f := unitFloor
	f.conns, f.lasting = s.options.floorConns, s.options.floor
	got, err := f.run(ctx, s.clock)
	return got.cost(), err
}

// subject is the server that is measured.
type subject struct {
	addr  string
	pids  []int
	child *exec.Cmd // if it was started for this
	said  *tail
}

// open finds the server, or starts one.
func (s *session) open(ctx context.Context) (*subject, error) {
	if s.options.addr == "" {
		return startTarget(ctx, append(s.options.target, "-accept-rate", strconv.Itoa(s.options.acceptRate)))
	}
	sub := &subject{addr: s.options.addr, pids: s.options.pids}
	if len(sub.pids) == 0 {
		pid, err := listenerPID(sub.addr)
		if err != nil {
			return nil, fmt.Errorf("%w\nto measure a server's CPU and memory its processes must be on this machine; name them with -pid", err)
		}
		sub.pids = []int{pid}
	}
	return sub, nil
}

// startTarget starts `roost bench target` and reads where it listens.
func startTarget(ctx context.Context, flags []string) (*subject, error) {
	cmd, err := ownCommand(ctx, append([]string{"target"}, flags...)...)
	if err != nil {
		return nil, err
	}
	sub := &subject{child: cmd, said: &tail{}}
	cmd.Stderr = sub.said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: start target: %w", err)
	}
	timer := time.AfterFunc(answerWithin, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	line, err := bufio.NewReader(out).ReadString('\n')
	var pid int
	if err == nil {
		_, err = fmt.Sscanf(line, targetLine, &sub.addr, &pid)
	}
	if err != nil {
		sub.close()
		return nil, fmt.Errorf("bench: the target did not say where it listens: %w %q %s", err, line, sub.said)
	}
	sub.pids = []int{pid}
	return sub, nil
}

// targetLine is what a target prints once it listens.
const targetLine = "listening on %s pid %d\n"

// close ends the server if it was started for this.
func (sub *subject) close() {
	if sub.child == nil {
		return
	}
	// Both fail if it has ended already, which is what is wanted.
	_ = sub.child.Process.Kill()
	_ = sub.child.Wait()
}

func (sub *subject) cpu() (time.Duration, error) {
	var sum time.Duration
	for _, pid := range sub.pids {
		cpu, err := processCPU(pid)
		if err != nil {
			return 0, fmt.Errorf("%w (has the server ended? %s)", err, sub.words())
		}
		sum += cpu
	}
	return sum, nil
}

func (sub *subject) words() string {
	if sub.said == nil {
		return ""
	}
	return sub.said.String()
}

func (sub *subject) resident() (resident, error) {
	var sum resident
	for _, pid := range sub.pids {
		r, err := residentOf(pid)
		if err != nil {
			return resident{}, err
		}
		sum = sum.plus(r)
	}
	return sum, nil
}

// watchMemory looks at the server's memory until peak is called, which says what
// the most of it was.
func (sub *subject) watchMemory() (peak func() uint64) {
	stop, highest := make(chan struct{}), make(chan uint64)
	go func() { // ends when peak is called
		var most uint64
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			if now, err := sub.resident(); err == nil { // who cannot see it finds out at the end
				most = max(most, now.rss)
			}
			select {
			case <-tick.C:
			case <-stop:
				highest <- most
				return
			}
		}
	}()
	return func() uint64 { close(stop); return <-highest }
}

// sample is who has used how much CPU so far.
type sample struct {
	at      int64
	server  time.Duration
	client  time.Duration
	machine machineCPU
}

func (s *session) sample(f *fleet) (sample, error) {
	own, err := processCPU(os.Getpid())
	if err != nil {
		return sample{}, err
	}
	for _, m := range f.members {
		cpu, err := processCPU(m.pid())
		if err != nil {
			return sample{}, m.failed("measuring")
		}
		own += cpu
	}
	all, err := machineCPUNow()
	if err != nil {
		return sample{}, err
	}
	server, err := s.subject.cpu()
	return sample{at: s.clock.now(), server: server, client: own, machine: all}, err
}

// usage adds how busy the machine was between two samples, and with whom.
func (s *session) usage(name string, from, to sample) {
	over := float64(to.at - from.at)
	busy := to.machine.busy - from.machine.busy
	server, client := to.server-from.server, to.client-from.client
	s.report.add(name+".server_cpu_cores", float64(server)/over, "cores")
	s.report.add(name+".client_cpu_cores", float64(client)/over, "cores")
	// The machine's clock ticks in 10 ms, so that nothing may come out as less.
	s.report.add(name+".other_cpu_cores", float64(max(busy-server-client, 0))/over, "cores")
	s.report.add(name+".stolen_cpu_cores", float64(to.machine.stolen-from.machine.stolen)/over, "cores")
}

// readersNote says how the clients of this run read.
func (s *session) readersNote() {
	if s.options.coalesce > 0 {
		s.report.note("receivers read every %s (-coalesce), canaries and probes at once", s.options.coalesce)
		return
	}
	s.report.note("receivers read at once")
}
