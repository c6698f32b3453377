// Package gate says when a server has enough to do.
//
// A gate is shown readings of what may run short: the time that work waits,
// memory, descriptors. It closes when one of them is above its high mark twice in
// a row, since once may be an accident, and opens when all are below their low
// marks, so that it does not flutter. It is
// pure state: who reads, and when, is its owner's business.
package gate

import (
	"fmt"
	"sync"
	"time"
)

// Reading is what there is of everything at one moment. What is not known is 0.
type Reading struct {
	Delay       time.Duration // that work which is ready waits before it is done
	Memory      float64       // part of its limit that is in use: 0 to 1
	Descriptors float64       // part of their limit that is in use: 0 to 1
}

// Marks are a reading's bounds. A bound of 0 is none.
type Marks struct {
	High, Low Reading
}

// Gate is safe for concurrent use.
type Gate struct {
	marks Marks

	mu     sync.Mutex
	warned bool      // the last reading was above a high mark; guarded by mu
	cause  string    // "" while it is open; guarded by mu
	closed time.Time // since when; guarded by mu
	stats  Stats     // guarded by mu
}

// Stats says what has become of a gate.
type Stats struct {
	Closed  bool    // now
	Cause   string  // why
	Closes  uint64  // how often it closed
	Highest Reading // the most that was read of each
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

// Show shows the gate a reading that was taken at now, and returns what came of
// it, and why the gate is closed or for how long it was.
func (g *Gate) Show(r Reading, now time.Time) (c Change, cause string, lasted time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.Highest = g.stats.Highest.most(r)
	switch {
	case g.cause == "":
		cause = r.over(g.marks.High)
		before := g.warned
		if g.warned = cause != ""; !g.warned || !before {
			return None, "", 0
		}
		g.warned = false
		g.cause, g.closed = cause, now
		g.stats.Closes++
		return Closed, cause, 0
	case r.over(g.marks.Low) == "":
		cause, lasted = g.cause, now.Sub(g.closed)
		g.cause = ""
		return Opened, cause, lasted
	}
	return None, g.cause, 0
}

// Stats may be called at any time.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Closed, s.Cause = g.cause != "", g.cause
	return s
}

// over says which reading is above its mark, "" if none is.
func (r Reading) over(mark Reading) string {
	switch {
	case mark.Delay > 0 && r.Delay > mark.Delay:
		return fmt.Sprintf("work waits for %v, more than %v", r.Delay.Round(time.Millisecond), mark.Delay)
	case mark.Memory > 0 && r.Memory > mark.Memory:
		return fmt.Sprintf("%.0f %% of the memory limit is in use, more than %.0f %%", 100*r.Memory, 100*mark.Memory)
	case mark.Descriptors > 0 && r.Descriptors > mark.Descriptors:
		return fmt.Sprintf("%.0f %% of the open-files limit is in use, more than %.0f %%", 100*r.Descriptors, 100*mark.Descriptors)
	}
	return ""
}

func (r Reading) most(o Reading) Reading {
	return Reading{
		Delay: max(r.Delay, o.Delay), Memory: max(r.Memory, o.Memory), Descriptors: max(r.Descriptors, o.Descriptors),
	}
}
