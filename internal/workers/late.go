package workers

import "time"

// waiting is a task in the queue.
type waiting struct {
	task  Task
	since time.Time // when it came, if all workers were busy then
}

// late measures how long tasks wait while all workers are busy: from when they came,
// or from when the last worker became busy. The clock is asked only then.
type late struct {
	since   time.Time // when tasks began to find all busy; zero while none waits for that
	longest time.Duration
}

// under reports whether tasks wait because all workers are busy.
func (l *late) under() bool { return !l.since.IsZero() }

// taken notes that the first task has found a worker.
func (l *late) taken(w waiting) { l.longest = max(l.longest, l.wait(w)) }

// wait is how long a task has waited for one of max busy workers.
func (l *late) wait(w waiting) time.Duration {
	switch {
	case !l.under():
		return 0
	case w.since.IsZero():
		return time.Since(l.since)
	}
	return time.Since(w.since)
}

// Waited is how long a task has waited at most for one of max busy workers since
// it was last asked; the one that waits for the longest is among them. A task for
// which there may be one more worker does not wait.
func (p *Pool) Waited() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	longest := p.late.longest
	p.late.longest = 0
	if p.head < len(p.queue) {
		longest = max(longest, p.late.wait(p.queue[p.head]))
	}
	return longest
}
