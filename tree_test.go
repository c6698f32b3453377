package roost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Everything here runs in a bubble: time passes when all that runs waits for it.

// trace is what happened, in order.
type trace struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (tr *trace) note(line string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.lines = append(tr.lines, line)
}

func (tr *trace) expect(t *testing.T, want ...string) {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if !slices.Equal(tr.lines, want) {
		t.Errorf("got  %q\nwant %q", tr.lines, want)
	}
}

// worker is a service that notes when it starts and stops.
type worker struct {
	name  string
	trace *trace
	fails error // what Run returns at once, if it is set
}

func (w *worker) Run(ctx context.Context) error {
	w.trace.note("+" + w.name)
	if w.fails != nil {
		return w.fails
	}
	<-ctx.Done()
	w.trace.note("-" + w.name)
	return nil
}

// slow is a worker that is ready after a while.
type slow struct {
	worker
	after time.Duration
	ready chan struct{}
}

func newSlow(tr *trace, name string, after time.Duration) *slow {
	return &slow{worker{name: name, trace: tr}, after, make(chan struct{})}
}

func (s *slow) Run(ctx context.Context) error {
	time.AfterFunc(s.after, func() {
		s.trace.note(s.name + " is ready")
		close(s.ready)
	})
	return s.worker.Run(ctx)
}

func (s *slow) Ready() <-chan struct{} { return s.ready }

func quietTree() tree { return tree{log: slog.New(slog.DiscardHandler), grace: time.Minute} }

// grow runs a tree until it is stopped; ended gets what run returned.
func grow(t *testing.T, stages ...stage) (stop context.CancelFunc, ended chan error) {
	ctx, stop := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() { ended <- quietTree().run(ctx, stages) }() // ends with ctx; the test reads ended
	return stop, ended
}

func TestStagesStartWhenTheOneBeforeIsReadyAndStopInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		stop, ended := grow(t,
			stage{"first", []Service{newSlow(&tr, "a", time.Second)}},
			stage{"second", []Service{newSlow(&tr, "b", 2*time.Second)}},
			stage{"third", []Service{&worker{name: "c", trace: &tr}}},
		)
		synctest.Wait()
		tr.expect(t, "+a")
		<-time.After(3 * time.Second) // a bubble's time costs none
		synctest.Wait()
		tr.expect(t, "+a", "a is ready", "+b", "b is ready", "+c")
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		tr.expect(t, "+a", "a is ready", "+b", "b is ready", "+c", "-c", "-b", "-a")
	})
}

func TestATreeThatIsStoppedWhileItStartsStopsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		stop, ended := grow(t,
			stage{"first", []Service{&worker{name: "a", trace: &tr}, newSlow(&tr, "b", time.Hour)}},
			stage{"second", []Service{&worker{name: "c", trace: &tr}}},
		)
		synctest.Wait()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		slices.Sort(tr.lines) // services of one stage stop together
		tr.expect(t, "+a", "+b", "-a", "-b")
	})
}

var errBroken = errors.New("broken for good")

func TestAStageThatGivesUpEndsTheTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		_, ended := grow(t,
			stage{"first", []Service{newSlow(&tr, "a", time.Second)}},
			stage{"second", []Service{&worker{name: "b", trace: &tr, fails: giveUp(errBroken)}}},
		)
		if err := <-ended; err == nil || !errors.Is(err, errBroken) {
			t.Errorf("got %v", err)
		}
		tr.expect(t, "+a", "a is ready", "+b", "-a")
	})
}

func TestAStageThatGivesUpWhileAnotherGetsReadyEndsTheTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		_, ended := grow(t,
			stage{"first", []Service{newSlow(&tr, "a", time.Hour), &worker{name: "b", trace: &tr, fails: giveUp(errBroken)}}},
			stage{"second", []Service{&worker{name: "c", trace: &tr}}},
		)
		if err := <-ended; !errors.Is(err, errBroken) {
			t.Errorf("got %v", err)
		}
		if slices.Contains(tr.lines, "+c") {
			t.Errorf("got %q", tr.lines)
		}
	})
}

// restless is a service that fails so often, and notes when.
type restless struct {
	times int
	began []time.Time
}

func (r *restless) Run(ctx context.Context) error {
	r.began = append(r.began, time.Now())
	if len(r.began) <= r.times {
		return errBroken
	}
	<-ctx.Done()
	return nil
}

func TestAServiceThatFailsAgainAndAgainGetsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &restless{times: 10}
		stop, ended := grow(t, stage{"only", []Service{r}})
		<-time.After(time.Hour)
		synctest.Wait()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if len(r.began) != r.times+1 {
			t.Fatalf("started %d times, want %d", len(r.began), r.times+1)
		}
		first, last := r.began[0], r.began[r.times]
		if again := r.began[1]; again.Sub(first) != 0 {
			t.Errorf("the first failure cost %v", again.Sub(first))
		}
		if last.Sub(first) < 10*time.Second {
			t.Errorf("%d failures within %v: a service that cannot work must not eat the machine", r.times, last.Sub(first))
		}
	})
}

// parting is a service that ends in a way of its own once it is told to.
type parting struct {
	worker
	last func(ctx context.Context) error
}

func newParting(tr *trace, name string, last func(context.Context) error) *parting {
	return &parting{worker{name: name, trace: tr}, last}
}

func (p *parting) Run(ctx context.Context) error {
	_ = p.worker.Run(ctx)
	return p.last(ctx)
}

func TestErrorsAtTheEndAreReturnedInTheOrderOfStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		fails := func(text string) func(context.Context) error {
			return func(context.Context) error { return errors.New(text) }
		}
		stop, ended := grow(t,
			stage{"first", []Service{newParting(&tr, "a", fails("a is broken"))}},
			stage{"second", []Service{&worker{name: "b", trace: &tr}}},
			stage{"third", []Service{newParting(&tr, "c", fails("3 callbacks still run"))}},
			stage{"fourth", []Service{newParting(&tr, "d", func(context.Context) error { panic(errBroken) })}},
		)
		synctest.Wait()
		stop()
		err := <-ended
		want := "roost: *roost.parting while it stopped: roost: panic: broken for good\n3 callbacks still run\na is broken"
		if err == nil || err.Error() != want || !errors.Is(err, errBroken) {
			t.Errorf("got  %v\nwant %v", err, want)
		}
		slices.Sort(tr.lines[:4]) // nobody waited for anybody's start
		tr.expect(t, "+a", "+b", "+c", "+d", "-d", "-c", "-b", "-a")
	})
}

func TestATreeThatGaveUpAlsoTellsWhatWentWrongAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		late := errors.New("the pool does not close")
		_, ended := grow(t,
			stage{"first", []Service{newSlow(&tr, "r", time.Second), newParting(&tr, "a", func(context.Context) error { return late })}},
			stage{"second", []Service{&worker{name: "b", trace: &tr, fails: giveUp(errBroken)}}},
		)
		if err := <-ended; !errors.Is(err, errBroken) || !errors.Is(err, late) {
			t.Errorf("got %v", err)
		}
	})
}

func TestServicesThatEndWithTheTreeAreNotFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		stop, ended := grow(t, stage{"only", []Service{
			newParting(&tr, "a", func(ctx context.Context) error { return ctx.Err() }),
			newParting(&tr, "b", func(ctx context.Context) error { return fmt.Errorf("poll: %w", ctx.Err()) }),
			newParting(&tr, "c", func(context.Context) error { return nil }),
		}})
		synctest.Wait()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestASupervisorHearsTheErrorOfARunningServiceOnly(t *testing.T) {
	var last farewells
	s := supervised{&worker{trace: new(trace), fails: errBroken}, &last}
	if err := s.Serve(t.Context()); !errors.Is(err, errBroken) || last.join() != nil {
		t.Errorf("got %v, and at the end %v", err, last.join())
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Serve(done); !errors.Is(err, context.Canceled) || !errors.Is(last.join(), errBroken) {
		t.Errorf("got %v, and at the end %v", err, last.join())
	}
}
