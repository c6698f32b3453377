package hostile

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roostgo/roost/test/client"
)

// What others may feel of an attack: a round trip may take tolerance, and
// excuse times as long as this process itself waited for its turn meanwhile,
// for it passes through as many goroutines, on machines that have other work.
const (
	tolerance = time.Second
	excuse    = 10
)

// watcher is somebody who is served all the while, on the loop that the
// attackers are on, and knows the slowest answer.
type watcher struct {
	// Immutable.
	conn  *client.Conn
	knock func() error   // is a newcomer; nil where there is no place for any
	asked chan chan view // who wants to know
	stop  chan struct{}
	ended sync.WaitGroup
	pulse pulse
}

// view is what a watcher saw since it was asked last.
type view struct {
	slowest time.Duration
	of      string // what that was
	err     error
}

// watch joins a room of its own and lets a watcher look on until end.
func watch(t testing.TB, c *client.Conn, knock func() error) *watcher {
	t.Helper()
	c.Join(t, "room:watch", "1", "")
	w := &watcher{conn: c, knock: knock, asked: make(chan chan view), stop: make(chan struct{})}
	w.ended.Go(w.run)                           // ends with stop
	w.ended.Go(func() { w.pulse.beat(w.stop) }) // as well
	return w
}

func (w *watcher) end() {
	close(w.stop)
	w.ended.Wait()
	w.conn.Drop()
}

// run asks for everything again and again.
func (w *watcher) run() {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var seen view
	for n := 0; ; n++ {
		select {
		case <-w.stop:
			return
		case answer := <-w.asked:
			w.round(&seen, n)
			answer <- seen
			seen = view{err: seen.err}
		case <-tick.C:
			w.round(&seen, n)
		}
	}
}

// round goes each way once.
func (w *watcher) round(seen *view, n int) {
	heartbeat := func() error { return w.ask("null", "phoenix", "heartbeat", n) }
	push := func() error { return w.ask(`"1"`, "room:watch", "echo", n) }
	seen.time("a heartbeat", heartbeat)
	seen.time("a push", push)
	if w.knock != nil && n%10 == 0 {
		seen.time("a newcomer", w.knock)
	}
}

// time does something and notes how long it took. After an error there is
// nothing more to see.
func (v *view) time(what string, f func() error) {
	if v.err != nil {
		return
	}
	began := time.Now()
	if err := f(); err != nil {
		v.err = fmt.Errorf("%s: %w", what, err)
	}
	if took := time.Since(began); took > v.slowest {
		v.slowest, v.of = took, what
	}
}

// ask sends a message and waits for its reply.
func (w *watcher) ask(joinRef, topic, event string, n int) error {
	ref := fmt.Sprintf("%q", fmt.Sprint(event, " ", n))
	if err := w.conn.SendText(v2(joinRef, ref, `"`+topic+`"`, `"`+event+`"`, "{}")); err != nil {
		return err
	}
	m, err := w.conn.Read(patience)
	if err != nil {
		return err
	}
	if want := v2(joinRef, ref, `"`+topic+`"`, `"phx_reply"`, ""); !strings.HasPrefix(string(m.Payload), strings.TrimSuffix(want, "]")) {
		return fmt.Errorf("got %v, want a reply %s", m, want)
	}
	return nil
}

// felt fails the test if anybody felt anything since it was called last.
func (w *watcher) felt(t testing.TB) {
	t.Helper()
	answer := make(chan view)
	w.asked <- answer
	seen := <-answer
	if seen.err != nil {
		t.Fatalf("others are not served: %v", seen.err)
	}
	w.pulse.judge(t, seen.of, seen.slowest)
}

// pulse is the longest that this process waited for its turn.
type pulse struct{ late atomic.Int64 }

// beat measures until stop.
func (p *pulse) beat(stop <-chan struct{}) {
	const every = time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-stop:
			return
		case <-tick.C:
			now := time.Now()
			if late := int64(now.Sub(last) - every); late > p.late.Load() {
				p.late.Store(late)
			}
			last = now
		}
	}
}

// judge fails the test if something took longer than this process excuses since
// it was called last.
func (p *pulse) judge(t testing.TB, what string, took time.Duration) {
	t.Helper()
	if late := time.Duration(p.late.Swap(0)); took > tolerance+excuse*late {
		t.Errorf("others feel it: %s took %v (this process waited %v for its turn)", what, took, late)
	}
}
