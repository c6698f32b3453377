// Package workers runs tasks that may block on goroutines that come and go
// with demand.
//
// A worker takes tasks until there are none. Whenever one takes a task and
// more are waiting, it sees to it that one more worker is on the way: a task
// that blocks delays nobody, and a burst of short ones is not met by a burst
// of goroutines.
package workers

import (
	"context"
	"sync"
	"time"
)

// Task is one piece of work. Work must not panic; it may end its goroutine
// (runtime.Goexit).
type Task interface {
	Work()
}

// DefaultMax is how many workers there may be at once.
const DefaultMax = 10_000

// spare is how many workers wait for tasks instead of ending.
const spare = 4

// keep is how many places of an empty queue's memory are held on to.
const keep = 1 << 10

// Pool is safe for concurrent use.
type Pool struct {
	// Immutable.
	max int

	// Guarded by mu.
	mu     sync.Mutex
	work   sync.Cond // an idle worker should look at the queue
	quiet  sync.Cond // the last worker has gone
	queue  []waiting
	head   int
	live   int
	idle   int
	coming bool // a worker is on its way to the queue
	closed bool
	late   late
	stats  Stats
}

// Stats says how busy the pool is.
type Stats struct {
	Workers   int    // goroutines now, idle ones included
	Idle      int    // goroutines that wait for a task
	HighWater int    // the most there ever were
	Waiting   int    // tasks nobody has taken yet
	Saturated uint64 // tasks that found all of max workers busy
}

// New returns a pool of at most max workers; 0 means DefaultMax. It starts
// none.
func New(max int) *Pool {
	if max <= 0 {
		max = DefaultMax
	}
	p := &Pool{max: max}
	p.work.L, p.quiet.L = &p.mu, &p.mu
	return p
}

// Submit queues t. It never blocks.
func (p *Pool) Submit(t Task) {
	p.mu.Lock()
	w := waiting{task: t}
	if p.late.under() {
		p.stats.Saturated++
		w.since = time.Now()
	}
	p.queue = append(p.queue, w)
	p.call()
	p.mu.Unlock()
}

// call makes sure that somebody is coming for the queue. mu is held.
func (p *Pool) call() {
	switch {
	case p.coming:
	case p.idle > 0:
		p.coming = true
		p.work.Signal()
	case p.live < p.max:
		p.coming = true
		p.live++
		p.stats.HighWater = max(p.stats.HighWater, p.live)
		go p.come() // ends when there is nothing to do, or on Close; Close waits for it
	case !p.late.under(): // all are busy, as those who wait already find out now
		p.stats.Saturated += uint64(len(p.queue) - p.head) //nolint:gosec // never negative
		p.late.since = time.Now()
	}
}

// come is a worker's arrival at the queue.
func (p *Pool) come() {
	p.mu.Lock()
	p.coming = false
	p.mu.Unlock()
	p.worker()
}

// worker does tasks until there are none. When a task ends the goroutine,
// another one takes its place.
func (p *Pool) worker() {
	done := false
	defer func() {
		if !done { // a panic still ends the program
			go p.worker() // ends as any other
		}
	}()
	p.mu.Lock()
	for p.attend() {
		if t := p.take(); t != nil {
			p.mu.Unlock()
			t.Work()
			p.mu.Lock()
		}
	}
	p.live--
	if p.live == 0 {
		p.quiet.Broadcast()
	}
	p.mu.Unlock()
	done = true
}

// attend waits for tasks and reports false when the worker is not needed any
// more. mu is held.
func (p *Pool) attend() bool {
	switch {
	case p.head < len(p.queue):
		return true
	case p.closed || p.idle >= spare:
		return false
	}
	p.idle++
	p.work.Wait()
	p.idle--
	p.coming = false
	return true
}

// take removes the first task and, when more are left, calls one more worker.
// mu is held.
func (p *Pool) take() Task {
	if p.head == len(p.queue) {
		return nil
	}
	t := p.queue[p.head].task
	p.late.taken(p.queue[p.head])
	p.queue[p.head] = waiting{}
	p.head++
	switch {
	case p.head == len(p.queue):
		p.rewind()
		return t
	case p.head > keep && p.head > len(p.queue)/2: // never empty under load: move up
		n := copy(p.queue, p.queue[p.head:])
		clear(p.queue[n:])
		p.queue, p.head = p.queue[:n], 0
	}
	p.call()
	return t
}

// rewind reuses the memory of an emptied queue, unless a herd left too much.
func (p *Pool) rewind() {
	p.head = 0
	p.late.since = time.Time{}
	if cap(p.queue) > keep {
		p.queue = nil
	}
	p.queue = p.queue[:0]
}

// Close lets the workers finish what is queued and waits for them until ctx is
// done; its error says that some have not finished. Tasks submitted later still
// run.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.work.Broadcast()
	defer context.AfterFunc(ctx, func() {
		p.mu.Lock()
		p.quiet.Broadcast()
		p.mu.Unlock()
	})()
	for p.live > 0 && ctx.Err() == nil {
		p.quiet.Wait()
	}
	if p.live > p.idle { // idle ones are on their way out
		return ctx.Err()
	}
	return nil
}

// Stats may be called from any goroutine.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Workers, s.Idle, s.Waiting = p.live, p.idle, len(p.queue)-p.head
	return s
}
