package websocket

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// allowance lets more garbage lie than usual while herds come. Idle
// connections make for so small a heap that the upgrades of a herd, each of
// which leaves what net/http needed for it, would have it collected all the
// time: that is a third of what they cost, and everybody waits for it.
//
// It sets the collector's percentage (GOGC) for as long as there are herds.
type allowance struct {
	mu    sync.Mutex
	herds map[*herd]struct{} // that are under way; guarded by mu
	usual int                // percentage to go back to; 0: it is as usual; guarded by mu
}

// garbage is the one allowance, and the one variable of a package: the
// percentage is the process's, so two handlers with one each would take the
// other's for the usual one.
var garbage allowance

const (
	// herdGarbage is how many bytes of garbage a herd may leave before they are
	// collected; what would be left anyway is not less for it. More makes it
	// little cheaper, and spreads what lives over more memory.
	herdGarbage = 8 << 20

	mostPercent = 1000
)

// grant allows it to a herd, or allows as much anew when the heap has grown. It
// may wait for a collection to end.
func (a *allowance) grant(h *herd) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !h.pending() { // it is over already
		return
	}
	if a.herds == nil {
		a.herds = make(map[*herd]struct{})
	}
	a.herds[h] = struct{}{}
	a.raise()
}

// raise sets the percentage. mu is held.
func (a *allowance) raise() {
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

// end takes it from a herd. With the last of them the collector is as it was.
func (a *allowance) end(h *herd) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.herds, h)
	if len(a.herds) == 0 && a.usual != 0 {
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
