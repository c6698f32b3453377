package roost

import (
	"math"
	"strings"
	"testing"
	"time"
	"unsafe"
)

func TestWavesArePlanned(t *testing.T) {
	const ms, s, minute = time.Millisecond, time.Second, time.Minute
	tests := []struct {
		name  string
		drain Drain
		total int
		left  time.Duration
		want  waves
	}{
		{"few end at once", Drain{}, 100, minute, waves{100, 1, 100 * ms}},
		{"some at 1,000 a second", Drain{}, 2_001, minute, waves{100, 21, 100 * ms}},
		{"many within 15 s", Drain{}, 300_000, minute, waves{2_000, 150, 100 * ms}},
		{"a million within 15 s", Drain{}, 1_000_000, minute, waves{6_667, 150, 100 * ms}},
		{"in two thirds of the time there is", Drain{}, 300_000, 3 * s, waves{15_000, 20, 100 * ms}},
		{"a spread holds for few, too", Drain{Spread: 3 * s}, 300, minute, waves{10, 30, 100 * ms}},
		{"and for very few", Drain{Spread: 3 * s}, 2, minute, waves{1, 2, 100 * ms}},
		{"a spread over the deadline is shortened", Drain{Spread: minute}, 300, 3 * s, waves{15, 20, 100 * ms}},
		{"an interval over the spread", Drain{Spread: s, BatchInterval: 2 * s}, 300, minute, waves{300, 1, 2 * s}},
		{"a long interval at the least rate", Drain{BatchInterval: 2 * s}, 3_000, minute, waves{2_000, 2, 2 * s}},
		{"a very short interval", Drain{BatchInterval: time.Nanosecond}, 10, minute, waves{1, 10, time.Nanosecond}},
		{"batches as in Phoenix", Drain{BatchSize: 10_000, BatchInterval: 2 * s}, 25_000, minute, waves{10_000, 3, 2 * s}},
		{"batches without a rest", Drain{BatchSize: 5}, 10, minute, waves{5, 2, 100 * ms}},
		{"a batch of everybody", Drain{BatchSize: math.MaxInt}, 25_000, minute, waves{math.MaxInt, 1, 100 * ms}},
		{"as long as it takes", Drain{}, 300_000, math.MaxInt64, waves{2_000, 150, 100 * ms}},
		{"batches whatever the deadline", Drain{BatchSize: 1, BatchInterval: minute, Spread: s}, 10, s, waves{1, 10, minute}},
		{"negative is zero", Drain{BatchSize: -1, BatchInterval: -1, Spread: -1}, 2_001, minute, waves{100, 21, 100 * ms}},
		{"none when it is off", Drain{Off: true, BatchSize: 1}, 10, minute, waves{}},
		{"none when there is no time", Drain{BatchSize: 1}, 10, -1, waves{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.drain.plan(tt.total, tt.left); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestWhoGetsAllTheTimeThereIsGetsIt(t *testing.T) {
	for _, drain := range []time.Duration{time.Minute, math.MaxInt64 - 1, math.MaxInt64} {
		for _, delay := range []time.Duration{0, time.Minute, math.MaxInt64} {
			if got := grace(drain, delay); got < drain || got < delay || got < 5*time.Second {
				t.Errorf("a drain of %v after %v has %v", drain, delay, got)
			}
		}
	}
}

func TestTheIDThatIsCountedKeepsNoRequestAlive(t *testing.T) {
	l := newLimiter(Limits{MaxPerID: 1}, nil)
	p, id := &pass{limits: l}, strings.Repeat("x", 10)
	if no := p.name(t.Context(), id); no != nil || p.id != id {
		t.Fatalf("got %v, counted as %q", no, p.id)
	}
	if unsafe.StringData(p.id) == unsafe.StringData(id) {
		t.Error("a piece of the request is kept, and all of it with it")
	}
}
