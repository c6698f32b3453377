package websocket_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/transport"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// What a session's methods are called in a journal.
const (
	opened   = "open"
	received = "receive"
	ended    = "closed"
)

// entry is one call of a session's methods.
type entry struct {
	what   string
	data   string // of received
	binary bool
	reason error // of ended
}

// visit is a session that keeps a journal of its calls and does what a test
// tells it to. It finds fault with calls that overlap, come out of order or on
// more than one goroutine.
type visit struct {
	// Set before the connection opens; called on its lane.
	onOpen    func(v *visit)
	onReceive func(v *visit, data []byte, binary bool) transport.Verdict // nil echoes
	onClosed  func(v *visit)
	quiet     bool // received messages are counted only

	conn  transport.Conn // set by Open
	lane  string         // the goroutine that the methods run on
	busy  atomic.Bool
	count atomic.Int64 // of received messages
	bell  chan struct{}

	mu       sync.Mutex
	journal  []entry
	released int
	faults   []string
}

func newVisit() *visit { return &visit{bell: make(chan struct{}, 1)} }

// Open implements transport.Session.
func (v *visit) Open(c transport.Conn) {
	defer v.enter(opened)()
	v.conn = c
	v.note(entry{what: opened})
	if v.onOpen != nil {
		v.onOpen(v)
	}
}

// Receive implements transport.Session.
func (v *visit) Receive(data []byte, binary bool) transport.Verdict {
	defer v.enter(received)()
	v.count.Add(1)
	if !v.quiet {
		v.note(entry{what: received, data: string(data), binary: binary})
	}
	if v.onReceive != nil {
		return v.onReceive(v, data, binary)
	}
	return echo(v, data, binary)
}

// Closed implements transport.Session.
func (v *visit) Closed(reason error) {
	defer v.enter(ended)()
	v.note(entry{what: ended, reason: reason})
	if v.onClosed != nil {
		v.onClosed(v)
	}
}

// Release implements transport.Released.
func (v *visit) Release() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.released++
	if n := len(v.journal); n == 0 || v.journal[n-1].what != ended {
		v.faults = append(v.faults, "released before it was closed")
	}
}

// isReleased reports whether the connection is gone.
func (v *visit) isReleased() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.released > 0
}

// echo sends a message back, in the way that keeps nothing.
func echo(v *visit, data []byte, binary bool) transport.Verdict {
	v.conn.Write(append(transport.Room(len(data)), data...), binary)
	return transport.Continue
}

// enter checks that a call is where and when it may be; the result is called
// at its end. Closed may come inside Open and Receive, when they close.
func (v *visit) enter(what string) func() {
	id := goroutine()
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case what == opened && len(v.journal) > 0:
		v.faults = append(v.faults, "opened late")
	case what == received && (len(v.journal) == 0 || v.lane == ""):
		v.faults = append(v.faults, "received before it was opened")
	case len(v.journal) > 0 && v.journal[len(v.journal)-1].what == ended:
		v.faults = append(v.faults, what+" after closed")
	case v.lane != "" && v.lane != id:
		v.faults = append(v.faults, what+" on another goroutine")
	}
	if what == opened {
		v.lane = id
	}
	if what == ended {
		return func() {}
	}
	if v.busy.Swap(true) {
		v.faults = append(v.faults, what+" inside another call")
	}
	return func() { v.busy.Store(false) }
}

// goroutine is the number of the calling one.
func goroutine() string {
	var b [64]byte
	return strings.Fields(string(b[:runtime.Stack(b[:], false)]))[1]
}

func (v *visit) note(e entry) {
	v.mu.Lock()
	v.journal = append(v.journal, e)
	v.mu.Unlock()
	select {
	case v.bell <- struct{}{}:
	default:
	}
}

// entries is the journal so far.
func (v *visit) entries() []entry {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.journal)
}

// messages are the received ones so far.
func (v *visit) messages() (list []string) {
	for _, e := range v.entries() {
		if e.what == received {
			list = append(list, e.data)
		}
	}
	return list
}

// await waits until the journal is as a test wants it.
func (v *visit) await(t testing.TB, what string, ready func([]entry) bool) []entry {
	t.Helper()
	for late := time.After(patience); ; {
		es := v.entries()
		if ready(es) {
			return es
		}
		select {
		case <-v.bell:
		case <-late:
			t.Fatalf("%s did not come; the journal is %v", what, es)
		}
	}
}

// awaitMessages waits for n messages and returns all that came.
func (v *visit) awaitMessages(t testing.TB, n int) []string {
	t.Helper()
	v.await(t, "a message", func([]entry) bool { return len(v.messages()) >= n })
	return v.messages()
}

// awaitClosed waits for the end and checks its reason.
func (v *visit) awaitClosed(t testing.TB, reason error) {
	t.Helper()
	es := v.await(t, "the end", func(es []entry) bool { return len(es) > 0 && es[len(es)-1].what == ended })
	if got := es[len(es)-1].reason; !errors.Is(got, reason) {
		t.Errorf("closed because of %q, want %q", got, reason)
	}
}

// onLane runs f on the connection's lane and waits for it.
func (v *visit) onLane(t testing.TB, f func()) {
	t.Helper()
	done := make(chan struct{})
	v.await(t, "open", func(es []entry) bool { return len(es) > 0 })
	if !v.conn.Lane().Post(lane.Func(func() { defer close(done); f() }), nil) {
		t.Fatal("the lane has ended")
	}
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("the lane is stuck")
	}
}

// check reports what the transport did wrong, once the connection is over.
func (v *visit) check(t testing.TB) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range v.faults {
		t.Errorf("a session was %s: %v", f, v.journal)
	}
	n := 0
	for _, e := range v.journal {
		if e.what == ended {
			n++
		}
	}
	if n != 1 {
		t.Errorf("a session was closed %d times: %v", n, v.journal)
	}
	if v.released != 1 {
		t.Errorf("a session was released %d times: %v", v.released, v.journal)
	}
}

const visitID = "ann"

// ID implements transport.Named.
func (*visit) ID() string { return visitID }
