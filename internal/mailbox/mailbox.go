// Package mailbox is the queue in front of a process that has no goroutine.
//
// A mailbox is at rest, or scheduled: somebody was told, once, to come and
// take what is in it. That is all it takes to run callbacks one at a time
// without a goroutine that waits for them.
package mailbox

import "sync"

// Mailbox holds messages in order. The zero value is ready. Put is safe for
// concurrent use; Take is called by the one that was scheduled.
//
// It is 24 bytes at rest, because there is one for every joined channel.
type Mailbox[T any] struct {
	mu        sync.Mutex
	last      *node[T] // a ring: last.next is the first
	len       int32
	scheduled bool
	closed    bool
}

type node[T any] struct {
	value T
	next  *node[T]
}

// Outcome says what became of a message.
type Outcome uint8

// What Put answers.
const (
	Queued   Outcome = iota // somebody is on the way already
	Schedule                // queued, and the caller must schedule the process
	Full                    // refused: bound messages are waiting
	Closed                  // refused: the process has ended
)

// Put appends v. A bound of 0 or less means none: for messages of the system
// itself, which must not be lost.
func (m *Mailbox[T]) Put(v T, bound int) Outcome {
	n := &node[T]{value: v}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return Closed
	case bound > 0 && int(m.len) >= bound:
		return Full
	}
	m.link(n)
	if m.scheduled {
		return Queued
	}
	m.scheduled = true
	return Schedule
}

// Supplant drops what waits and leaves v in its place. It has no bound. Each
// message that it drops is handed to dropped.
func (m *Mailbox[T]) Supplant(v T, dropped func(T)) Outcome {
	waiting, o := m.supplant(&node[T]{value: v})
	waiting.each(dropped)
	return o
}

func (m *Mailbox[T]) supplant(n *node[T]) (waiting *node[T], o Outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, Closed
	}
	waiting = m.empty()
	m.link(n)
	if m.scheduled {
		return waiting, Queued
	}
	m.scheduled = true
	return waiting, Schedule
}

func (m *Mailbox[T]) link(n *node[T]) {
	if m.last == nil {
		n.next = n
	} else {
		n.next = m.last.next
		m.last.next = n
	}
	m.last = n
	m.len++
}

// Take removes the first message. When there is none it reports false and the
// mailbox is at rest: the next Put asks to be scheduled again.
func (m *Mailbox[T]) Take() (v T, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last == nil {
		m.scheduled = false
		return v, false
	}
	first := m.last.next
	if first == m.last {
		m.last = nil
	} else {
		m.last.next = first.next
	}
	m.len--
	return first.value, true
}

// Close drops what is waiting and refuses what comes. Each message that it drops
// is handed to dropped.
func (m *Mailbox[T]) Close(dropped func(T)) {
	m.mu.Lock()
	m.closed = true
	waiting := m.empty()
	m.mu.Unlock()
	waiting.each(dropped)
}

// empty takes all that waits. mu is held.
func (m *Mailbox[T]) empty() (last *node[T]) {
	last = m.last
	m.last, m.len = nil, 0
	return last
}

// each calls f with the values of a ring, of which it is the last node.
func (n *node[T]) each(f func(T)) {
	if n == nil {
		return
	}
	for next := n.next; ; next = next.next {
		f(next.value)
		if next == n {
			return
		}
	}
}

// CloseIfIdle closes the mailbox if nothing is in it and nobody is scheduled,
// and reports whether it did.
func (m *Mailbox[T]) CloseIfIdle() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.scheduled || m.last != nil {
		return false
	}
	m.closed = true
	return true
}

// Len is how many messages wait.
func (m *Mailbox[T]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int(m.len)
}
