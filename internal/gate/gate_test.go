package gate

import (
	"testing"
	"time"
)

func TestAGateClosesAboveTheHighMarkAndOpensAtTheLow(t *testing.T) {
	g := New(Marks{High: 9, Low: 5})
	for i, step := range []struct {
		reading float64
		want    Change
		closed  bool
	}{
		{9, None, false},  // at the mark is not above it
		{10, None, false}, // once may be an accident
		{6, None, false},
		{10, None, false},
		{11, Closed, true},
		{20, None, true},
		{6, None, true}, // between the marks nothing changes
		{5, Opened, false},
		{6, None, false},
		{10, None, false}, // closing has not used up a warning
		{10, Closed, true},
		{0, Opened, false},
	} {
		got, _ := g.Show(step.reading, time.Now())
		if s := g.Stats(); got != step.want || s.Closed != step.closed || s.Last != step.reading {
			t.Errorf("step %d: got %v, %+v", i, got, s)
		}
	}
	if s := g.Stats(); s.Closes != 2 || s.Highest != 20 {
		t.Errorf("got %+v", s)
	}
}

func TestAnAccidentOfLongAgoIsNotTheReadingBefore(t *testing.T) {
	g, at := New(Marks{High: 9, Low: 5}), time.Now()
	g.Show(10, at)
	if c, _ := g.Show(10, at.Add(fresh+1)); c != None {
		t.Error("closed by one fresh reading")
	}
	if c, _ := g.Show(10, at.Add(2*fresh)); c != Closed { // that one was a warning of its own
		t.Error("two fresh ones leave it open")
	}
}

func TestAGateSaysForHowLongItWasClosed(t *testing.T) {
	g, at := New(Marks{High: 9, Low: 5}), time.Now()
	g.Show(10, at)
	g.Show(10, at.Add(time.Second))
	if change, lasted := g.Show(1, at.Add(4*time.Second)); change != Opened || lasted != 3*time.Second {
		t.Errorf("got %v after %v", change, lasted)
	}
}

func TestAGateWithoutAMarkStaysOpen(t *testing.T) {
	for _, m := range []Marks{{}, {High: -1, Low: -1}} {
		g := New(m)
		for range 3 {
			if c, _ := g.Show(100, time.Now()); c != None {
				t.Errorf("%+v: got %v", m, c)
			}
		}
	}
}
