package workers_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/internal/workers"
)

// task is a Task made of a function.
type task func()

func (f task) Work() { f() }

// gated is a task that waits until the gate is closed.
func gated(gate <-chan struct{}) task { return func() { <-gate } }

// drained closes a pool and fails the test unless that ends.
func drained(t *testing.T, p *workers.Pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Errorf("close: %v, %+v", err, p.Stats())
	}
	if n := p.Stats(); n.Workers != 0 || n.Waiting != 0 {
		t.Errorf("left after the close: %+v", n)
	}
}

func TestANewPoolHasNoWorkers(t *testing.T) {
	p := workers.New(0)
	if n := p.Stats(); n != (workers.Stats{}) {
		t.Errorf("%+v", n)
	}
	drained(t, p)
}

func TestATaskThatBlocksDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, gate := workers.New(0), make(chan struct{})
		ran := 0
		for range 100 {
			p.Submit(gated(gate))
			p.Submit(task(func() { ran++ }))
			synctest.Wait()
		}
		if ran != 100 {
			t.Errorf("%d of 100 tasks ran beside those that block", ran)
		}
		close(gate)
		drained(t, p)
	})
}

func TestTasksOfOneWorkerRunInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := workers.New(1)
		var order []int
		for i := range 5000 { // more than the queue keeps memory for
			p.Submit(task(func() { order = append(order, i) }))
		}
		drained(t, p)
		for i, n := range order {
			if i != n {
				t.Fatalf("task %d ran as number %d", n, i)
			}
		}
	})
}

func TestABurstOfShortTasksIsNotMetByABurstOfGoroutines(t *testing.T) {
	p := workers.New(0)
	var ran atomic.Int64
	for range 10_000 {
		p.Submit(task(func() { ran.Add(1) }))
	}
	drained(t, p)
	if n := p.Stats(); n.HighWater > 1000 || ran.Load() != 10_000 {
		t.Errorf("%d workers for %d of 10,000 short tasks", n.HighWater, ran.Load())
	}
}

func TestNoMoreThanTheMostWorkersRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, gate := workers.New(3), make(chan struct{})
		for range 10 {
			p.Submit(gated(gate))
		}
		synctest.Wait()
		if n := p.Stats(); n.Workers != 3 || n.HighWater != 3 || n.Waiting != 7 || n.Saturated == 0 {
			t.Errorf("%+v, want 3 workers and 7 tasks that wait", n)
		}
		close(gate)
		drained(t, p)
	})
}

func TestAFewIdleWorkersStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, gate := workers.New(0), make(chan struct{})
		for range 100 {
			p.Submit(gated(gate))
		}
		synctest.Wait()
		close(gate)
		synctest.Wait()
		if n := p.Stats(); n.Workers != workers.Spare || n.Idle != workers.Spare || n.HighWater != 100 {
			t.Errorf("%+v, want %d of 100 workers, idle", n, workers.Spare)
		}
		p.Submit(task(func() {}))
		synctest.Wait()
		if n := p.Stats(); n.Workers != workers.Spare || n.HighWater != 100 {
			t.Errorf("%+v, want an idle worker to have run the task", n)
		}
		drained(t, p)
	})
}

func TestATaskThatEndsItsGoroutineCostsNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := workers.New(1)
		ran := false
		for range 100 {
			p.Submit(task(runtime.Goexit))
		}
		p.Submit(task(func() { ran = true }))
		synctest.Wait()
		if n := p.Stats(); !ran || n.Workers != 1 || n.HighWater != 1 {
			t.Errorf("ran %v, %+v, want the task to run and one worker", ran, n)
		}
		drained(t, p)
	})
}

func TestCloseWaitsForATaskThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, gate := workers.New(0), make(chan struct{})
		for range 20 {
			p.Submit(task(func() { <-gate; runtime.Goexit() }))
		}
		synctest.Wait()
		time.AfterFunc(time.Second, func() { close(gate) })
		drained(t, p)
	})
}

func TestCloseWaitsForWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, gate := workers.New(1), make(chan struct{})
		var ran atomic.Bool
		p.Submit(gated(gate))
		p.Submit(task(func() { ran.Store(true) }))
		time.AfterFunc(time.Second, func() { close(gate) })
		drained(t, p)
		if !ran.Load() {
			t.Error("Close did not wait for a queued task")
		}
	})
}

func TestCloseGivesUpWhenItsContextIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, gate := workers.New(0), make(chan struct{})
		p.Submit(gated(gate))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("close: %v, want the context's error", err)
		}
		close(gate)
		drained(t, p)
	})
}

func TestIdleWorkersAreNothingToWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := workers.New(0)
		p.Submit(task(func() {}))
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Close(ctx); err != nil {
			t.Errorf("close: %v, %+v", err, p.Stats())
		}
	})
}

func TestTasksSubmittedAfterCloseStillRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := workers.New(0)
		drained(t, p)
		ran := false
		p.Submit(task(func() { ran = true }))
		synctest.Wait()
		if n := p.Stats(); !ran || n.Workers != 0 {
			t.Errorf("ran %v, %+v, want the task to run and no worker to stay", ran, n)
		}
	})
}

// TestEveryTaskRunsOnce submits tasks of all kinds from many goroutines.
func TestEveryTaskRunsOnce(t *testing.T) {
	const producers, each = 8, 500
	p := workers.New(50)
	var ran [producers * each]atomic.Int32
	var wg sync.WaitGroup
	for i := range producers {
		wg.Go(func() {
			for j := range each {
				p.Submit(mixed(&ran[i*each+j]))
			}
		})
	}
	wg.Wait()
	drained(t, p)
	for i := range ran {
		if n := ran[i].Load(); n != 1 {
			t.Fatalf("task %d ran %d times", i, n)
		}
	}
	if n := p.Stats(); n.HighWater > 50 {
		t.Errorf("%d workers, want at most 50", n.HighWater)
	}
}

// mixed is a task that does one of the things that tasks do.
func mixed(ran *atomic.Int32) task {
	what := rand.IntN(3) //nolint:gosec // a test's choice guards nothing
	return func() {
		ran.Add(1)
		switch what {
		case 0:
			runtime.Gosched()
		case 1:
			runtime.Goexit()
		}
	}
}

func BenchmarkSubmit(b *testing.B) {
	p := workers.New(0)
	var wg sync.WaitGroup
	done := task(wg.Done)
	b.ReportAllocs()
	for b.Loop() {
		wg.Add(1)
		p.Submit(done)
		wg.Wait()
	}
}
