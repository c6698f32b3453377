package websocket

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// allowance lets more garbage lie than usual while a herd comes. Idle
// connections make for so small a heap that the upgrades of a herd, each of
// which leaves what net/http needed for it, would have it collected all the
// time: that is a third of what they cost, and everybody waits for it.
//
// It sets the collector's percentage (GOGC), which is the whole process's, for
// as long as the herd takes.
type allowance struct {
	mu    sync.Mutex
	usual int // percentage to go back to; 0: it is as usual; guarded by mu
}

const (
	// herdGarbage is how many bytes of garbage a herd may leave before they are
	// collected; what would be left anyway is not less for it. More makes it
	// little cheaper, and spreads what lives over more memory.
	herdGarbage = 8 << 20

	mostPercent = 1000
)

// grant allows it, or allows as much anew when the heap has grown. It may wait
// for a collection to end.
func (a *allowance) grant() {
	a.mu.Lock()
	defer a.mu.Unlock()
	percent := int(min(100*herdGarbage/max(liveHeap(), 1), mostPercent)) //nolint:gosec // at most mostPercent
	if a.usual != 0 {
		debug.SetGCPercent(max(percent, a.usual))
		return
	}
	usual := debug.SetGCPercent(percent)
	if usual < 0 || usual >= percent { // the collector is off, or lazier than that
		debug.SetGCPercent(usual)
		return
	}
	a.usual = usual
}

// end has the collector be as it was.
func (a *allowance) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.usual != 0 {
		debug.SetGCPercent(a.usual)
		a.usual = 0
	}
}

// liveHeap is how many bytes the last collection found in use.
func liveHeap() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
