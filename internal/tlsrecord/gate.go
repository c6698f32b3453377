package tlsrecord

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// gate bounds how many handshakes compute at once: a signature and a key
// exchange take half a millisecond of a processor that others need. A handshake
// is inside from the moment it is fed a record until it answers, or waits for
// more from its client.
//
// A place rests for as long as it was used, so that processors which are shared
// with nobody else are left to those who are connected half of the time: their
// event loops wake up late while every processor computes.
//
// Who has been inside before goes first, since most of what it costs is spent;
// otherwise who came first. So a flood of beginnings keeps nobody from the end.
// It is safe for concurrent use.
type gate struct {
	waited atomic.Uint64 // turns that did not come at once

	mu         sync.Mutex
	free       int           // places; guarded by mu, as what follows
	debt       time.Duration // of rest
	back, anew []turn        // who waits
}

// turn is closed when it has come.
type turn chan struct{}

func newGate(places int) *gate { return &gate{free: places} }

// enter waits for a place, or for the end of ctx, whose error it returns. back
// says that it is not the first time.
func (g *gate) enter(ctx context.Context, back bool) error {
	t := g.queue(back)
	if t == nil {
		return nil
	}
	g.waited.Add(1)
	select {
	case <-t:
		return nil
	case <-ctx.Done():
	}
	if !g.abandon(t) {
		g.pass() // it has come meanwhile
	}
	return ctx.Err()
}

// queue takes a place, and returns nil, or a turn to wait for.
func (g *gate) queue(back bool) turn {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free > 0 {
		g.free--
		return nil
	}
	t := make(turn)
	if back {
		g.back = append(g.back, t)
	} else {
		g.anew = append(g.anew, t)
	}
	return t
}

// abandon gives up a turn. It reports false if that has come.
func (g *gate) abandon(t turn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.back) + len(g.anew)
	same := func(other turn) bool { return other == t }
	g.back, g.anew = slices.DeleteFunc(g.back, same), slices.DeleteFunc(g.anew, same)
	return len(g.back)+len(g.anew) < n
}

// leave gives the place to another after a rest.
func (g *gate) leave(did time.Duration) {
	if rest := g.tire(did); rest > 0 {
		time.AfterFunc(rest, g.pass)
		return
	}
	g.pass()
}

// shortestRest is what a timer is worth; what is shorter is rested later.
const shortestRest = time.Millisecond

// tire counts what a place did, and returns how long it rests.
func (g *gate) tire(did time.Duration) (rest time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.debt += did; g.debt >= shortestRest {
		rest, g.debt = g.debt, 0
	}
	return rest
}

// pass gives a place to who is next.
func (g *gate) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case len(g.back) > 0:
		close(g.back[0])
		g.back = g.back[1:]
	case len(g.anew) > 0:
		close(g.anew[0])
		g.anew = g.anew[1:]
	default:
		g.free++
	}
}

// visit is what one handshake has to do with the gate.
type visit struct {
	gate   *gate
	ctx    context.Context //nolint:containedctx // of the handshake, which crypto/tls does not hand to Read
	turn   func(servers bool)
	inside bool
	been   bool
	since  time.Time // inside
}

// enter waits for a place, unless it has one.
func (v *visit) enter() error {
	if v.inside || v.gate == nil {
		return nil
	}
	v.turn(true)
	if err := v.gate.enter(v.ctx, v.been); err != nil {
		return err
	}
	v.inside, v.been, v.since = true, true, time.Now()
	return nil
}

// leave has it be the client's turn.
func (v *visit) leave() {
	if v.pause() {
		v.turn(false)
	}
}

// pause gives the place back while the server has something to do that does not
// compute, and reports whether there was one.
func (v *visit) pause() bool {
	if !v.inside {
		return false
	}
	v.gate.leave(time.Since(v.since))
	v.inside = false
	return true
}
