package gate

import (
	"strings"
	"testing"
	"time"
)

func TestAGateClosesAboveTheHighMarkAndOpensBelowTheLow(t *testing.T) {
	g := New(Marks{High: Reading{Delay: 100, Memory: .9, Descriptors: .95}, Low: Reading{Delay: 20, Memory: .8, Descriptors: .9}})
	now := time.Now()
	for i, step := range []struct {
		show   Reading
		want   Change
		closed bool
	}{
		{Reading{Delay: 100, Memory: .9, Descriptors: .95}, None, false}, // at the marks is not above them
		{Reading{Delay: 101}, None, false},                               // once may be an accident
		{Reading{Delay: 50}, None, false},
		{Reading{Delay: 101}, None, false},
		{Reading{Memory: 1}, Closed, true},
		{Reading{Delay: 200}, None, true},
		{Reading{Delay: 50}, None, true}, // between the marks nothing changes
		{Reading{Delay: 10, Memory: .85}, None, true},
		{Reading{Delay: 20, Memory: .8, Descriptors: .9}, Opened, false},
		{Reading{Delay: 50}, None, false},
		{Reading{Memory: .91}, None, false},
		{Reading{Memory: .91}, Closed, true},
		{Reading{}, Opened, false},
		{Reading{Descriptors: .96}, None, false},
		{Reading{Descriptors: .96}, Closed, true},
	} {
		got, _, _ := g.Show(step.show, now)
		if s := g.Stats(); got != step.want || s.Closed != step.closed {
			t.Errorf("step %d: got %v, closed %v", i, got, s.Closed)
		}
	}
	s := g.Stats()
	if want := (Reading{Delay: 200, Memory: 1, Descriptors: .96}); s.Closes != 3 || s.Highest != want {
		t.Errorf("got %+v", s)
	}
}

func TestAGateSaysWhyItIsClosedAndForHowLongItWas(t *testing.T) {
	at := time.Now()
	for want, r := range map[string]Reading{
		"work waits for 250ms": {Delay: 250 * time.Millisecond}, "97 % of the memory limit": {Memory: .97}, "99 % of the open-files limit": {Descriptors: .99},
	} {
		g := New(Marks{High: Reading{Delay: time.Millisecond, Memory: .9, Descriptors: .95}, Low: Reading{Delay: 1, Memory: .8, Descriptors: .9}})
		g.Show(r, at)
		if _, cause, _ := g.Show(r, at); !strings.Contains(cause, want) || g.Stats().Cause != cause {
			t.Errorf("got %q, want %q", cause, want)
		}
		change, cause, lasted := g.Show(Reading{}, at.Add(3*time.Second))
		if change != Opened || lasted != 3*time.Second || !strings.Contains(cause, want) {
			t.Errorf("got %v %q after %v", change, cause, lasted)
		}
	}
}

func TestAMarkOfZeroIsNone(t *testing.T) {
	g := New(Marks{})
	if c, _, _ := g.Show(Reading{Delay: time.Hour, Memory: 2, Descriptors: 2}, time.Now()); c != None {
		t.Errorf("got %v", c)
	}
}
