package workers

import "time"

// late measures how long tasks wait while all workers are busy. It follows one
// task at a time through the queue, so that a task costs no more than a count.
type late struct {
	ahead   int       // the place in the queue of the task that is followed; 0: none is
	since   time.Time // when it got there
	longest time.Duration
}

// follow follows the task at this place, the last, if there is none already.
func (l *late) follow(place int) {
	if l.ahead == 0 {
		l.ahead, l.since = place, time.Now()
	}
}

// taken notes that the first task has found a worker.
func (l *late) taken() {
	if l.ahead == 0 {
		return
	}
	if l.ahead--; l.ahead == 0 {
		l.longest = max(l.longest, time.Since(l.since))
	}
}

// Waited is how long a task has waited at most for one of max busy workers since
// it was last asked, of those that were watched; the one that still waits is
// among them. A task for which there may be one more worker does not wait.
func (p *Pool) Waited() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	longest := p.late.longest
	p.late.longest = 0
	if p.late.ahead > 0 {
		longest = max(longest, time.Since(p.late.since))
	}
	return longest
}
