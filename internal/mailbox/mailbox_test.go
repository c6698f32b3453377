package mailbox_test

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/roostgo/roost/internal/mailbox"
)

type box = mailbox.Mailbox[int]

func put(t *testing.T, m *box, v, bound int, want mailbox.Outcome) {
	t.Helper()
	if got := m.Put(v, bound); got != want {
		t.Errorf("Put(%d, %d) = %d, want %d", v, bound, got, want)
	}
}

func take(t *testing.T, m *box, want int) {
	t.Helper()
	if got, ok := m.Take(); !ok || got != want {
		t.Errorf("Take() = %d, %v, want %d", got, ok, want)
	}
}

func empty(t *testing.T, m *box) {
	t.Helper()
	if got, ok := m.Take(); ok || got != 0 || m.Len() != 0 {
		t.Errorf("Take() = %d, %v, with %d messages, want none", got, ok, m.Len())
	}
}

func TestMessagesAreTakenInOrder(t *testing.T) {
	var m box
	put(t, &m, 1, 0, mailbox.Schedule)
	put(t, &m, 2, 0, mailbox.Queued)
	take(t, &m, 1)
	put(t, &m, 3, 0, mailbox.Queued)
	take(t, &m, 2)
	take(t, &m, 3)
	empty(t, &m)
}

func TestAMailboxAsksOnceToBeScheduledUntilItIsAtRest(t *testing.T) {
	var m box
	put(t, &m, 1, 0, mailbox.Schedule)
	take(t, &m, 1)
	put(t, &m, 2, 0, mailbox.Queued) // the one who took 1 will come again
	take(t, &m, 2)
	empty(t, &m)
	put(t, &m, 3, 0, mailbox.Schedule)
}

func TestAFullMailboxRefusesWhatHasABound(t *testing.T) {
	var m box
	put(t, &m, 1, 2, mailbox.Schedule)
	put(t, &m, 2, 2, mailbox.Queued)
	put(t, &m, 3, 2, mailbox.Full)
	put(t, &m, 4, 0, mailbox.Queued)
	put(t, &m, 5, -1, mailbox.Queued)
	if m.Len() != 4 {
		t.Errorf("%d messages, want 4", m.Len())
	}
	for _, want := range []int{1, 2, 4, 5} {
		take(t, &m, want)
	}
	empty(t, &m)
}

func TestAClosedMailboxDropsAndRefuses(t *testing.T) {
	var m box
	put(t, &m, 1, 0, mailbox.Schedule)
	m.Close(func(int) {})
	put(t, &m, 2, 0, mailbox.Closed)
	empty(t, &m)
	put(t, &m, 3, 0, mailbox.Closed)
}

func TestWhatIsDroppedIsToldOnce(t *testing.T) {
	var m box
	var dropped []int
	drop := func(v int) { dropped = append(dropped, v) }
	m.Supplant(1, drop)
	put(t, &m, 2, 0, mailbox.Queued)
	put(t, &m, 3, 0, mailbox.Queued)
	take(t, &m, 1)
	m.Supplant(4, drop)
	m.Close(drop)
	m.Close(drop)
	if o := m.Supplant(5, drop); o != mailbox.Closed || !slices.Equal(dropped, []int{2, 3, 4}) {
		t.Errorf("got %v, and %v were dropped", o, dropped)
	}
}

func TestOnlyAnIdleMailboxClosesIfIdle(t *testing.T) {
	var m box
	put(t, &m, 1, 0, mailbox.Schedule)
	if m.CloseIfIdle() {
		t.Error("one with a message was closed")
	}
	take(t, &m, 1)
	if m.CloseIfIdle() {
		t.Error("one whose message is being handled was closed")
	}
	empty(t, &m)
	if !m.CloseIfIdle() {
		t.Error("one at rest was not closed")
	}
	put(t, &m, 2, 0, mailbox.Closed)
}

func TestAMailboxIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(box{}); n > 24 {
		t.Errorf("%d bytes", n)
	}
}

// letter is a message of one of several senders.
type letter struct{ sender, number int }

// process is what mailboxes are for: letters are handled one at a time, on
// whatever goroutine was told to come.
type process struct {
	t       *testing.T
	mail    mailbox.Mailbox[letter]
	running atomic.Int32
	runs    sync.WaitGroup
	next    [8]int // the number that each sender's next letter has
	handled int
}

func (p *process) send(l letter, bound int) bool {
	switch p.mail.Put(l, bound) {
	case mailbox.Schedule:
		p.runs.Go(p.run)
	case mailbox.Full:
		return false
	}
	return true
}

func (p *process) run() {
	for l, ok := p.mail.Take(); ok; l, ok = p.mail.Take() {
		p.handle(l)
	}
}

func (p *process) handle(l letter) {
	if p.running.Add(1) > 1 {
		p.t.Error("two letters are handled at once")
	}
	if p.next[l.sender] != l.number {
		p.t.Errorf("letter %d of sender %d, want number %d", l.number, l.sender, p.next[l.sender])
	}
	p.next[l.sender]++
	p.handled++
	p.running.Add(-1)
}

func TestEverythingIsHandledOnceInOrderAndOneAtATime(t *testing.T) {
	const each = 2000
	p := &process{t: t}
	var senders sync.WaitGroup
	for i := range p.next {
		senders.Go(func() {
			for j := range each {
				for !p.send(letter{i, j}, 10) {
					runtime.Gosched()
				}
			}
		})
	}
	senders.Wait()
	p.runs.Wait()
	if want := each * len(p.next); p.handled != want {
		t.Errorf("%d letters were handled, want %d", p.handled, want)
	}
}

func BenchmarkPutAndTake(b *testing.B) {
	var m box
	b.ReportAllocs()
	for b.Loop() {
		m.Put(1, 0)
		m.Take()
	}
}
