package tree_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/internal/tree"
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

// grow runs a tree until it is stopped; ended gets what Run returned.
func grow(t *testing.T, stages ...tree.Stage) (stop context.CancelFunc, ended chan error) {
	return growLogged(t, slog.DiscardHandler, stages...)
}

func growLogged(t *testing.T, log slog.Handler, stages ...tree.Stage) (stop context.CancelFunc, ended chan error) {
	ctx, stop := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	tr := tree.Tree{Log: slog.New(log), Grace: time.Minute, Panicked: func(v any) error { return fmt.Errorf("panic: %w", v.(error)) }}
	go func() { ended <- tr.Run(ctx, stages...) }() // ends with ctx; the test reads ended
	return stop, ended
}

func TestStagesStartWhenTheOneBeforeIsReadyAndStopInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		stop, ended := grow(t,
			tree.Of("first", newSlow(&tr, "a", time.Second)),
			tree.Of("second", newSlow(&tr, "b", 2*time.Second)),
			tree.Of("third", &worker{name: "c", trace: &tr}),
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
			tree.Of[tree.Service]("first", &worker{name: "a", trace: &tr}, newSlow(&tr, "b", time.Hour)),
			tree.Of("second", &worker{name: "c", trace: &tr}),
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
			tree.Of("first", newSlow(&tr, "a", time.Second)),
			tree.Of("second", &worker{name: "b", trace: &tr, fails: tree.GiveUp(errBroken)}),
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
			tree.Of[tree.Service]("first", newSlow(&tr, "a", time.Hour), &worker{name: "b", trace: &tr, fails: tree.GiveUp(errBroken)}),
			tree.Of("second", &worker{name: "c", trace: &tr}),
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
		stop, ended := grow(t, tree.Of("only", r))
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
			tree.Of("first", newParting(&tr, "a", fails("a is broken"))),
			tree.Of("second", &worker{name: "b", trace: &tr}),
			tree.Of("third", newParting(&tr, "c", fails("3 callbacks still run"))),
			tree.Of("fourth", newParting(&tr, "d", func(context.Context) error { panic(errBroken) })),
		)
		synctest.Wait()
		stop()
		err := <-ended
		want := "roost: *tree_test.parting while it stopped: panic: broken for good\n3 callbacks still run\na is broken"
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
			tree.Of[tree.Service]("first", newSlow(&tr, "r", time.Second), newParting(&tr, "a", func(context.Context) error { return late })),
			tree.Of("second", &worker{name: "b", trace: &tr, fails: tree.GiveUp(errBroken)}),
		)
		if err := <-ended; !errors.Is(err, errBroken) || !errors.Is(err, late) {
			t.Errorf("got %v", err)
		}
	})
}

func TestServicesThatEndWithTheTreeAreNotFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		stop, ended := grow(t, tree.Of[tree.Service]("only",
			newParting(&tr, "a", func(ctx context.Context) error { return ctx.Err() }),
			newParting(&tr, "b", func(ctx context.Context) error { return fmt.Errorf("poll: %w", ctx.Err()) }),
			newParting(&tr, "c", func(context.Context) error { return nil }),
		))
		synctest.Wait()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestTheErrorOfARunningServiceIsLoggedAndThatAtTheEndReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder // read when nobody writes any more
		late := errors.New("the pool does not close")
		stop, ended := growLogged(t, slog.NewTextHandler(&log, nil), tree.Of[tree.Service]("only",
			&restless{times: 1}, newParting(new(trace), "a", func(context.Context) error { return late }),
		))
		synctest.Wait()
		stop()
		if err := <-ended; !errors.Is(err, late) || errors.Is(err, errBroken) {
			t.Errorf("got %v", err)
		}
		if said := log.String(); !strings.Contains(said, errBroken.Error()) || strings.Contains(said, late.Error()) {
			t.Errorf("the log says %s", said)
		}
	})
}
