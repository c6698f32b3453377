package ratelimit

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The model is a bucket of tokens that fills with time, in floating point.
type tokens struct {
	limit Limit
	level float64
	now   int64
}

func (m *tokens) fill(now int64) {
	m.level = min(float64(m.limit.burst()), m.level+float64(now-m.now)*m.limit.Rate/1e9)
	m.now = now
}

// passed is an event that was allowed.
type passed struct {
	at   int64
	cost int
}

// randomLimit is one of any size: from one a day to a million a second.
func randomLimit(r *rand.Rand) Limit {
	l := Limit{Rate: math.Exp(r.Float64()*math.Log(1e6*86400)) / 86400}
	if r.IntN(4) > 0 {
		l.Burst = 1 + r.IntN(50)
	}
	return l
}

// rounding is how many events more than Rate·t + Burst may pass in a window
// because the burst is kept in nanoseconds: one for each event of the burst,
// and one for their sum, but less than for one event more.
func (p pace) rounding() float64 {
	if p.interval == math.Round(p.interval) {
		return 0
	}
	return min(float64(p.burst)+1, math.Ceil(p.interval)) / p.interval
}

func TestInNoWindowPassesMoreThanTheRateAndTheBurst(t *testing.T) {
	passes := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := randomLimit(r)
		p := l.pace()
		var arrival, now int64
		var log []passed
		for range 300 {
			now += step(r, p)
			cost := 1 + r.IntN(min(p.burst, max(3, p.burst/20)))
			var wait time.Duration
			if arrival, wait = p.take(arrival, now, cost); wait == 0 {
				log = append(log, passed{now, cost})
			}
		}
		for i := range log {
			sum := 0
			for _, e := range log[i:] {
				sum += e.cost
				t1 := float64(e.at-log[i].at) / 1e9
				if most := l.Rate*t1 + float64(p.burst) + p.rounding() + 1e-6; float64(sum) > most {
					t.Fatalf("seed %d, %v: %d in %v s, at most %v", seed, l, sum, t1, most)
				}
			}
		}
		passes += len(log)
	}
	if passes < 300*100 || passes > 300*250 {
		t.Errorf("%d of %d passed: the test asks too little, or too much", passes, 300*300)
	}
}

// step is how long nothing comes: often nothing, seldom until all is full.
func step(r *rand.Rand, p pace) int64 {
	switch r.IntN(10) {
	case 0:
		return int64(r.Float64() * 2 * float64(p.tolerance))
	case 1, 2, 3:
		return int64(r.Float64() * 2 * p.interval)
	}
	return 0
}

func TestDecisionsAreThoseOfABucketOfTokens(t *testing.T) {
	refused := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		l := randomLimit(r)
		p := l.pace()
		m := &tokens{limit: l, level: float64(p.burst)}
		var arrival int64
		for range 200 {
			now := m.now + step(r, p)
			m.fill(now)
			cost := r.IntN(p.burst+1) / (1 + r.IntN(4))
			next, wait := p.take(arrival, now, cost)
			// Close to the edge rounding may decide; each event so far may have cost a nanosecond more.
			edge := (300 + float64(p.burst)) / p.interval
			if left := m.level - float64(cost); math.Abs(left) > edge && (left > 0) != (wait == 0) {
				t.Fatalf("seed %d, %v: cost %d of %v tokens, wait %v", seed, l, cost, m.level, wait)
			}
			arrival = next
			if wait == 0 {
				m.level -= float64(cost)
			} else {
				refused++
			}
		}
	}
	if refused < 1000 {
		t.Errorf("only %d refused: the test asks too little", refused)
	}
}

func TestWaitIsExact(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := randomLimit(r).pace()
		arrival, _ := p.take(0, 0, p.burst)
		cost := 1 + r.IntN(p.burst)
		_, wait := p.take(arrival, 0, cost)
		if wait <= 0 {
			t.Fatalf("seed %d: an empty bucket gives %d", seed, cost)
		}
		if _, early := p.take(arrival, int64(wait)-1, cost); early != 1 {
			t.Errorf("seed %d: a nanosecond before the end the wait is %v", seed, early)
		}
		if _, late := p.take(arrival, int64(wait), cost); late != 0 {
			t.Errorf("seed %d: at the end of the wait, %v more", seed, late)
		}
	}
}

func TestAWholeBurstPassesWhileTheClockStands(t *testing.T) {
	for _, l := range []Limit{
		{Rate: 1}, {Rate: 3}, {Rate: 7, Burst: 1000}, {Rate: 1.0 / 7, Burst: 3}, {Rate: 30_000, Burst: 10_000}, {Rate: 100, Burst: 1_000_000},
	} {
		p := l.pace()
		var arrival int64
		n := 0
		for {
			next, wait := p.take(arrival, 12345, 1)
			if wait > 0 {
				break
			}
			arrival = next
			n++
		}
		if n != p.burst {
			t.Errorf("%v: %d passed, want %d", l, n, p.burst)
		}
	}
}

func TestRatesThatHaveAWholeIntervalAreExact(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5/m": 12 * time.Second, "100/s": 10 * time.Millisecond, "48/d": 30 * time.Minute, "1000/h": 3600 * time.Millisecond,
		"60/m": time.Second, "125/m": 480 * time.Millisecond, "1000000/s": time.Microsecond, "25/h burst 3": 144 * time.Second, "1/d": 24 * time.Hour,
	} {
		l, err := ParseLimit(text)
		if err != nil {
			t.Fatal(err)
		}
		p := l.pace()
		arrival, _ := p.take(0, 0, p.burst)
		if _, wait := p.take(arrival, 0, 1); wait != want {
			t.Errorf("%s: wait %v, want %v", text, wait, want)
		}
	}
}

func TestOtherIntervalsKeepTheirFraction(t *testing.T) {
	for _, rate := range []float64{3, 7, 30_000, 3e8, 1.0 / 7} {
		if got := (Limit{Rate: rate}).pace().interval; got != 1e9/rate {
			t.Errorf("%v a second: an interval of %v ns, want %v", rate, got, 1e9/rate)
		}
	}
}

func TestManyBytesAreCountedExactly(t *testing.T) {
	l := Limit{Rate: 1.25e9, Burst: 1 << 20} // ten gigabits
	p := l.pace()
	var arrival, sum int64
	const second = int64(time.Second)
	for now := int64(0); now <= second; now += 1000 {
		for {
			next, wait := p.take(arrival, now, 1000)
			if wait > 0 {
				break
			}
			arrival = next
			sum += 1000
		}
	}
	if want := 1.25e9 + 1<<20; math.Abs(float64(sum)-want) > want/1000 {
		t.Errorf("%d bytes in a second, want %v", sum, want)
	}
}

func TestAClockThatGoesBackEmptiesTheBucketAndNoMore(t *testing.T) {
	p := Limit{Rate: 10, Burst: 5}.pace()
	const year = int64(365 * 24 * time.Hour)
	arrival, wait := p.take(0, year, 5)
	if wait != 0 {
		t.Fatal(wait)
	}
	arrival, wait = p.take(arrival, 0, 1) // a year back
	if wait != 100*time.Millisecond {
		t.Errorf("wait %v, want the time of one event", wait)
	}
	if _, wait = p.take(arrival, int64(100*time.Millisecond), 1); wait != 0 {
		t.Errorf("wait %v more after having waited", wait)
	}
}

func TestAClockThatLeapsFillsTheBucketAndNoMore(t *testing.T) {
	p := Limit{Rate: 10, Burst: 5}.pace()
	arrival, _ := p.take(0, 0, 5)
	const century = int64(100 * 365 * 24 * time.Hour)
	arrival, wait := p.take(arrival, century, 5)
	if wait != 0 {
		t.Errorf("wait %v after a century", wait)
	}
	if _, wait = p.take(arrival, century, 1); wait != 100*time.Millisecond {
		t.Errorf("wait %v, want the time of one event", wait)
	}
}
