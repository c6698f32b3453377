package workers_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/internal/workers"
)

func TestThePoolSaysHowLongTasksWaitForBusyWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := workers.New(2)
		expect := func(when string, want time.Duration) {
			t.Helper()
			synctest.Wait()
			if got := p.Waited(); got != want {
				t.Errorf("%s: got %v, want %v", when, got, want)
			}
		}
		second := task(func() { <-time.After(time.Second) })
		expect("of an empty pool", 0)
		p.Submit(second)
		p.Submit(second)
		<-time.After(500 * time.Millisecond)
		expect("while each task has a worker", 0)
		for range 3 {
			p.Submit(second)
		}
		<-time.After(300 * time.Millisecond)
		expect("while the first waits", 300*time.Millisecond)
		<-time.After(300 * time.Millisecond)
		expect("when it was taken after half a second, and the last one waits still", 600*time.Millisecond)
		<-time.After(2 * time.Second)
		expect("of the last one, which came with the others", 1500*time.Millisecond)
		expect("since then", 0)
		drained(t, p)
	})
}

func TestATaskThatIsNeverTakenIsSeenToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, gate := workers.New(1), make(chan struct{})
		p.Submit(gated(gate))
		synctest.Wait()
		for range 2000 { // more than the queue keeps in place
			p.Submit(task(func() {}))
		}
		<-time.After(time.Minute)
		for range 2 {
			if got := p.Waited(); got != time.Minute {
				t.Errorf("got %v", got)
			}
		}
		close(gate)
		drained(t, p)
	})
}

func TestATaskThatFoundAllBusyIsCountedOnceAndWaitsFromWhenItCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, gates := workers.New(1), []chan struct{}{make(chan struct{}), make(chan struct{}), make(chan struct{})}
		for _, g := range gates { // not one of them sees the first run
			p.Submit(gated(g))
		}
		synctest.Wait()
		<-time.After(10 * time.Second)
		close(gates[0])
		synctest.Wait()
		if w := p.Waited(); w != 10*time.Second {
			t.Errorf("the second has waited for 10 s, Waited is %v", w)
		}
		<-time.After(time.Second)
		p.Submit(task(func() {}))
		if w := p.Waited(); w != 11*time.Second {
			t.Errorf("the third waits for 11 s, Waited is %v", w)
		}
		close(gates[1])
		close(gates[2])
		drained(t, p)
		if n := p.Stats().Saturated; n != 3 {
			t.Errorf("3 tasks found the worker busy, Saturated is %d", n)
		}
	})
}
