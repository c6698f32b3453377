// Package gate says when a server has too much of something.
//
// A gate is shown readings of one thing that may run short: the time that work
// waits, memory, descriptors. It closes when a reading is above its high mark twice
// in a row, within some seconds, since once may be an accident, and opens when one is
// not above the low mark, so that it does not flutter. It is pure state: who reads, and when, is
// its owner's business.
package gate

import (
	"sync"
	"sync/atomic"
	"time"
)

// Marks are where a gate closes and opens. A high mark of 0 or less is none: the
// gate stays open.
type Marks struct {
	High, Low float64
}

// Gate is safe for concurrent use.
type Gate struct {
	marks Marks

	shut atomic.Bool // stats.Closed, for those who only look; set with mu

	mu     sync.Mutex
	warned time.Time // of the last reading, if that was above the high mark; guarded by mu
	closed time.Time // since when; guarded by mu
	stats  Stats     // guarded by mu
}

// Stats says what has become of a gate.
type Stats struct {
	Closed  bool    // now
	Closes  uint64  // how often it closed
	Last    float64 // the last that was read
	Highest float64 // the most that was read
}

// New returns an open gate.
func New(m Marks) *Gate { return &Gate{marks: m} }

// Change is what a reading did to the gate.
type Change uint8

// The changes.
const (
	None Change = iota
	Closed
	Opened
)

// fresh is how long a reading counts as the one before. Nobody reads while nobody
// comes: what was too much long ago says nothing of now. It is long beside the time
// between two readings, so that a gate closes also to those who come one by one.
const fresh = 5 * time.Second

// Show shows the gate what was read at now. It returns what came of it, and, when
// the gate has opened, for how long it was closed.
func (g *Gate) Show(reading float64, now time.Time) (c Change, lasted time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.Last, g.stats.Highest = reading, max(g.stats.Highest, reading)
	switch {
	case !g.stats.Closed:
		if !g.twice(reading, now) {
			return None, 0
		}
		g.stats.Closed, g.closed = true, now
		g.shut.Store(true)
		g.stats.Closes++
		return Closed, 0
	case reading > g.marks.Low:
		return None, 0
	}
	g.stats.Closed = false
	g.shut.Store(false)
	return Opened, now.Sub(g.closed)
}

// twice reports whether a reading is the second above the high mark; mu is held.
func (g *Gate) twice(reading float64, now time.Time) bool {
	before := g.warned
	g.warned = time.Time{}
	if reading <= g.marks.High || g.marks.High <= 0 {
		return false
	}
	if !before.IsZero() && now.Sub(before) <= fresh {
		return true
	}
	g.warned = now
	return false
}

// Closed reports whether the gate is closed. It takes no lock.
func (g *Gate) Closed() bool { return g.shut.Load() }

// Stats may be called at any time.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stats
}
