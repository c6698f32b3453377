package lane_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/internal/lane"
)

// recorder is a Task that keeps its arguments.
type recorder struct{ got []any }

func (r *recorder) Run(arg any) { r.got = append(r.got, arg) }

func (r *recorder) expect(t *testing.T, want ...any) {
	t.Helper()
	if !slices.Equal(r.got, want) {
		t.Errorf("got %v, want %v", r.got, want)
	}
}

// woken counts how often a lane wakes its owner.
type woken int

func (w *woken) wake() { *w++ }

func (w *woken) expect(t *testing.T, want woken) {
	t.Helper()
	if *w != want {
		t.Errorf("woken %d times, want %d", *w, want)
	}
}

func TestTasksRunInTheOrderOfTheirPostings(t *testing.T) {
	var w woken
	l, r := lane.New(w.wake, 0), new(recorder)
	for i := range 5 {
		if i%2 == 0 && !l.Post(r, i) || i%2 == 1 && !l.Send(r, i) {
			t.Errorf("posting %d was refused", i)
		}
	}
	if n := l.Drain(); n != 5 {
		t.Errorf("%d tasks ran, want 5", n)
	}
	r.expect(t, 0, 1, 2, 3, 4)
	if n := l.Drain(); n != 0 {
		t.Errorf("%d tasks ran again", n)
	}
}

func TestAFuncIsATask(t *testing.T) {
	l, ran := lane.New(func() {}, 0), false
	l.Post(lane.Func(func() { ran = true }), "ignored")
	l.Drain()
	if !ran {
		t.Error("the function did not run")
	}
}

func TestWhatIsPostedMeanwhileWaitsForTheNextDrain(t *testing.T) {
	l, r := lane.New(func() {}, 0), new(recorder)
	l.Post(lane.Func(func() { l.Post(r, "later") }), nil)
	l.Post(r, "now")
	if n := l.Drain(); n != 2 {
		t.Errorf("%d tasks ran, want 2", n)
	}
	r.expect(t, "now")
	l.Drain()
	r.expect(t, "now", "later")
}

func TestTheOwnerIsWokenOnceUntilItRests(t *testing.T) {
	var w woken
	l, r := lane.New(w.wake, 0), new(recorder)
	l.Post(r, 1)
	l.Post(r, 2)
	w.expect(t, 1)
	l.Drain()
	l.Post(r, 3) // the owner has not said that it will sleep
	w.expect(t, 1)
	if l.Rest() {
		t.Error("the owner may sleep although a task waits")
	}
	l.Drain()
	if !l.Rest() {
		t.Error("the owner may not sleep although no task waits")
	}
	l.Post(r, 4)
	w.expect(t, 2)
}

func TestAnOwnerThatWokeByItselfIsNotWoken(t *testing.T) {
	var w woken
	l, r := lane.New(w.wake, 0), new(recorder)
	l.Rouse()
	l.Post(r, 1)
	w.expect(t, 0)
}

func TestAClosedLaneRefusesTasksAndItsOwnerDrainsTheRest(t *testing.T) {
	l, r := lane.New(func() {}, 1), new(recorder)
	l.Post(r, "before")
	l.Close()
	if l.Post(r, "after") || l.Send(r, "after") {
		t.Error("a closed lane took a task")
	}
	l.Drain()
	r.expect(t, "before")
}

func TestSendWaitsWhileTheLaneIsOverItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := lane.New(func() {}, 2), new(recorder)
		l.Send(r, 1)
		l.Send(r, 2)
		l.Post(r, 3) // never waits
		var sent atomic.Int32
		for range 3 {
			go func() { l.Send(r, 4); sent.Add(1) }()
		}
		synctest.Wait()
		if n := l.Stats(); sent.Load() != 0 || n != (lane.Stats{Depth: 3, HighWater: 3, Waits: 3}) {
			t.Errorf("%d sent, %+v, want all to wait", sent.Load(), n)
		}
		l.Drain()
		synctest.Wait()
		if n := l.Stats(); sent.Load() != 2 || n.Depth != 2 {
			t.Errorf("%d sent, %+v, want the bound to be used and one to wait", sent.Load(), n)
		}
		l.Drain()
		synctest.Wait()
		l.Drain()
		r.expect(t, 1, 2, 3, 4, 4, 4)
	})
}

func TestClosingReleasesThoseWhoWaitInSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r := lane.New(func() {}, 1), new(recorder)
		l.Send(r, 1)
		taken := true
		go func() { taken = l.Send(r, 2) }()
		synctest.Wait()
		l.Close()
		synctest.Wait()
		if taken {
			t.Error("a closed lane took a task")
		}
		l.Drain()
		r.expect(t, 1)
	})
}

// mark is the argument of a posting: which of a producer's it is.
type mark struct{ producer, number int }

// order is a Task that finds out whether each producer's marks come in order.
type order struct {
	next  [8]int
	wrong int
}

func (o *order) Run(arg any) {
	m := arg.(mark)
	if o.next[m.producer] != m.number {
		o.wrong++
	}
	o.next[m.producer] = m.number + 1
}

// TestEachProducersTasksRunInOrder has producers, and an owner that sleeps
// whenever it may, meet at a lane with a small bound.
func TestEachProducersTasksRunInOrder(t *testing.T) {
	const each = 2000
	wake := make(chan struct{}, 1)
	l := lane.New(func() { wake <- struct{}{} }, 4)
	var producers sync.WaitGroup
	o := new(order)
	for i := range o.next {
		producers.Go(func() { produce(l, o, i, each) })
	}
	go func() { producers.Wait(); l.Close(); wake <- struct{}{} }()

	left := each * len(o.next)
	for late := time.After(30 * time.Second); left > 0; {
		left -= l.Drain()
		if left == 0 || !l.Rest() {
			continue
		}
		select {
		case <-wake:
		case <-late:
			t.Fatalf("%d tasks are still to come: %+v", left, l.Stats())
		}
	}
	if o.wrong > 0 {
		t.Errorf("%d tasks ran out of order", o.wrong)
	}
}

func produce(l *lane.Lane, o *order, producer, n int) {
	for i := range n {
		if i%10 == 0 {
			l.Post(o, mark{producer, i})
		} else {
			l.Send(o, mark{producer, i})
		}
	}
}

func BenchmarkPostAndDrain(b *testing.B) {
	l, nothing := lane.New(func() {}, 0), lane.Func(func() {})
	b.ReportAllocs()
	for b.Loop() {
		l.Post(nothing, nil)
		l.Drain()
	}
}
