// Package lane is one goroutine's ordered list of things to do.
//
// A lane is how the rest of a program reaches state that a single goroutine
// owns: an event loop's connections, their sessions, a topic's subscribers on
// that loop. What is posted from one goroutine runs in the order it was
// posted; nothing that runs on a lane needs a lock for what the lane owns.
package lane

import "sync"

// Task is something a lane runs. One value usually serves many postings: arg
// says what is wanted of it, so that a posting costs no allocation.
type Task interface {
	Run(arg any)
}

// Func is a Task made of a function; its argument is ignored.
type Func func()

// Run calls f.
func (f Func) Run(any) { f() }

// DefaultBound is how many postings a lane holds before Send waits.
const DefaultBound = 1 << 16

// keep is how many postings' worth of memory an empty lane holds on to.
const keep = 1 << 10

type posting struct {
	task Task
	arg  any
}

// Lane is safe for concurrent use, except that Drain belongs to its owner.
type Lane struct {
	// Immutable.
	wake  func() // makes the owner call Drain soon; called with no lock held
	bound int

	// Used by the owner only.
	running []posting
	Scratch any // whatever the owner's tasks share between one another
	handed  int

	// Guarded by mu.
	mu      sync.Mutex
	room    sync.Cond
	queue   []posting
	waiting int // goroutines in Send
	waits   uint64
	high    int
	awake   bool // the owner will look at the queue without being woken
	closed  bool
}

// New returns a lane that calls wake when its owner should call Drain. A bound
// of 0 means DefaultBound.
func New(wake func(), bound int) *Lane {
	if bound <= 0 {
		bound = DefaultBound
	}
	l := &Lane{wake: wake, bound: bound}
	l.room.L = &l.mu
	return l
}

// Post appends a task without ever waiting. It is for what must not wait (the
// lanes themselves) and for what must not be lost (the end of something).
// On a closed lane it does nothing and reports false.
func (l *Lane) Post(t Task, arg any) bool {
	l.mu.Lock()
	return l.append(t, arg)
}

// Send appends a task and waits while the lane is over its bound: a producer
// is slowed down to what the lane can do. It must not be called on a lane.
// On a closed lane it does nothing and reports false.
func (l *Lane) Send(t Task, arg any) bool {
	l.mu.Lock()
	if len(l.queue) >= l.bound && !l.closed {
		l.waits++
	}
	for len(l.queue) >= l.bound && !l.closed {
		l.waiting++
		l.room.Wait()
		l.waiting--
	}
	return l.append(t, arg)
}

// append is entered with mu held and leaves with it released.
func (l *Lane) append(t Task, arg any) bool {
	if l.closed {
		l.mu.Unlock()
		return false
	}
	l.queue = append(l.queue, posting{t, arg})
	l.high = max(l.high, len(l.queue))
	asleep := !l.awake
	l.awake = true
	l.mu.Unlock()
	if asleep {
		l.wake()
	}
	return true
}

// Drain runs what was posted so far and reports how many tasks that was.
// Tasks posted meanwhile wait for the next Drain, so that a turn ends.
// Only the owner calls it.
func (l *Lane) Drain() int {
	l.mu.Lock()
	batch := l.queue
	l.queue = l.running[:0]
	if l.waiting > 0 {
		l.room.Broadcast()
	}
	l.mu.Unlock()

	for i := range batch {
		p := batch[i]
		batch[i] = posting{}
		p.task.Run(p.arg)
	}
	n := len(batch)
	if cap(batch) > keep { // a herd's memory goes back
		batch = nil
	}
	l.running = batch[:0]
	return n
}

// Hand notes that a task on the lane gave work to another goroutine, whose
// answer is likely to be posted soon. Only tasks of the lane call it.
func (l *Lane) Hand() { l.handed++ }

// Handed is how often Hand was called since the last time that somebody asked.
// Only the owner calls it.
func (l *Lane) Handed() int {
	n := l.handed
	l.handed = 0
	return n
}

// Rest reports whether the owner may sleep: nothing is posted, and whoever
// posts next wakes it. Only the owner calls it.
func (l *Lane) Rest() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.awake = len(l.queue) > 0
	return !l.awake
}

// Rouse says that the owner woke for a reason of its own, so that nobody needs
// to wake it. Only the owner calls it.
func (l *Lane) Rouse() {
	l.mu.Lock()
	l.awake = true
	l.mu.Unlock()
}

// Close refuses further tasks and releases whoever waits in Send. The owner
// drains what is left.
func (l *Lane) Close() {
	l.mu.Lock()
	l.closed = true
	l.room.Broadcast()
	l.mu.Unlock()
}

// Stats says how full the lane has been.
type Stats struct {
	Depth     int    // tasks posted and not yet run
	HighWater int    // the most there ever were
	Waits     uint64 // how often Send had to wait for room
}

// Stats may be called from any goroutine.
func (l *Lane) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{Depth: len(l.queue), HighWater: l.high, Waits: l.waits}
}
