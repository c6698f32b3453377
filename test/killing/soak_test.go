package killing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/testleak"
)

const (
	// shortSoak is how long a soak is unless SOAK says otherwise.
	shortSoak = 12 * time.Second
	// population is how many clients live at once, on each engine.
	population = 32
	// memorySlack is how much more heap than before may be in use after a soak:
	// pools and tables that have grown once stay.
	memorySlack = 1 << 20
	// report is how often a long soak says that it goes on.
	report = time.Minute
)

// soakTime is SOAK, a duration such as 2h, or shortSoak.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("SOAK")
	if text == "" {
		return shortSoak
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("SOAK=%q is no duration: say for example SOAK=30m", text)
	}
	return d
}

// remains is what a process holds.
type remains struct {
	heap        int64
	descriptors int
	goroutines  int
}

func measure() remains {
	return remains{heap: testleak.Heap(), descriptors: testleak.Descriptors(), goroutines: runtime.NumGoroutine()}
}

func (r remains) String() string {
	return fmt.Sprintf("%d KiB of heap, %d descriptors, %d goroutines", r.heap>>10, r.descriptors, r.goroutines)
}

// TestASoakLeavesNothing has clients of every kind live and die for a while on
// both engines at once. Afterwards the process holds no more than after the
// first fifth of that time, and meanwhile a canary is answered on each.
func TestASoakLeavesNothing(t *testing.T) {
	long := soakTime(t)
	var houses []*house
	for _, e := range engines() {
		ws := hurried
		ws.Engine, ws.Compress = e, true
		houses = append(houses, open(t, ws))
	}
	soak(t, houses, long/5)
	before := settled(houses)
	canaries := soak(t, houses, long-long/5)
	after := settled(houses)
	for h := range houses {
		houses[h].eventually("nothing is left but what is kept for the next", func() bool {
			after = measure()
			return after.heap <= before.heap+memorySlack && after.descriptors <= before.descriptors && after.goroutines <= before.goroutines+4*len(houses)
		})
	}
	t.Logf("before: %v", before)
	t.Logf("after:  %v", after)
	for i, h := range houses {
		s := h.Stats()
		t.Logf("engine %s, canary: %v", engines()[i], canaries[i])
		t.Logf("engine %s: %d connections, %d joins, %d crashes, %d slow consumers, %d thinned", engines()[i], s.WebSocket.Accepted, s.Joins, s.Crashes, s.WebSocket.SlowConsumers, s.WebSocket.Thinned)
		if s.Joins == 0 || s.Crashes == 0 || s.WebSocket.SlowConsumers == 0 || s.WebSocket.Thinned == 0 || canaries[i].asked == 0 {
			t.Errorf("engine %s: this was no soak", engines()[i])
		}
	}
}

// settled waits until all houses are empty, and measures.
func settled(houses []*house) remains {
	for _, h := range houses {
		h.empty(0)
	}
	return measure()
}

// soak has clients live in all houses for a while.
func soak(t *testing.T, houses []*house, long time.Duration) (canaries []*canary) {
	t.Helper()
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for i, h := range houses {
		k := new(canary)
		canaries = append(canaries, k)
		wait.Go(func() {
			if err := k.sing(h, stop); err != nil {
				t.Errorf("engine %s: %v", engines()[i], err)
			}
		})
		wait.Go(func() { h.news(stop, 50*time.Millisecond) })
		wait.Go(func() { h.feed(stop, 20*time.Millisecond) })
		for n := range population {
			wait.Go(func() { h.populate(rand.New(rand.NewPCG(uint64(n), uint64(i))), stop) })
		}
	}
	for end := time.Now().Add(long); time.Now().Before(end); {
		<-time.After(min(report, time.Until(end)))
		for _, h := range houses {
			t.Logf("%v to go: %+v", time.Until(end).Round(time.Second), h.Stats().WebSocket)
		}
	}
	close(stop)
	wait.Wait()
	return canaries
}

// feed broadcasts more than a client that lags lets through.
func (h *house) feed(stop chan struct{}, pace time.Duration) {
	pad := strings.Repeat("x", 8<<10)
	for {
		n := int(h.fed.Add(1)) // goes on from one part of a soak to the next
		for _, topic := range []string{"stream:1", "state:1"} {
			_ = h.Broadcast(context.Background(), topic, "news", map[string]any{"n": n, "pad": pad})
		}
		select {
		case <-stop:
			return
		case <-time.After(pace):
		}
	}
}

// populate has one client after the other live.
func (h *house) populate(r *rand.Rand, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		n := r.IntN(len(lives))
		if err := lives[n](h, r); err != nil {
			h.t.Errorf("life %d: %v", n, err)
			return
		}
		pause(r, 100)
	}
}
