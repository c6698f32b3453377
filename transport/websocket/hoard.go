package websocket

import (
	"math"
	"math/bits"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// hoard counts what all connections of a handler keep of messages that are
// incomplete. Each has a bound of its own, but there are very many of them.
//
// Over the bound somebody has to go: who keeps the most, for the longest. Those
// who keep alike amounts stand in a line of their own, the oldest first, so that
// he is found at the heads of a few lines, however many there are. A message that
// arrives whole is in none of them, and costs nothing.
type hoard struct {
	bound int64 // immutable; 0: none
	began time.Time

	// Guarded by mu.
	mu    sync.Mutex
	bytes int64
	high  int64
	lines [64]line // by the number of bits of what is kept
}

// line is a list of shares, the oldest first.
type line struct{ first, last *share }

// share is what one connection keeps.
type share struct {
	owner   evictable // immutable
	told    int       // what set was told last; owned by the connection
	evicted atomic.Bool

	// Guarded by the hoard's mu.
	bytes      int64
	since      time.Duration // of the hoard's time: when it had nothing before
	prev, next *share
}

// evictable is a connection. evict may be called by any goroutine, and again:
// the connection ends soon with errCrowded, if its share says that it must.
type evictable interface{ evict() }

const (
	// shareCost is what keeping something costs beside its bytes.
	shareCost = 256

	// mostIncomplete is the default of Config.MaxIncomplete, unless the memory
	// limit is low: then it is one in incompletePart of that.
	mostIncomplete = 256 << 20
	incompletePart = 8
)

// defaultIncomplete leaves most of the memory to everything else.
func defaultIncomplete() int {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		return mostIncomplete
	}
	return int(min(limit/incompletePart, mostIncomplete))
}

func newHoard(bound int) *hoard { return &hoard{bound: int64(bound), began: time.Now()} }

// set says how many bytes a connection keeps now; 0 is nothing. When that is too
// much, and there is a bound, it has others evicted, or the same, until it is not.
func (h *hoard) set(s *share, bytes int) {
	if bytes == s.told {
		return
	}
	s.told = bytes
	if bytes > 0 {
		bytes += shareCost
	}
	for _, worst := range h.move(s, int64(bytes)) {
		worst.owner.evict()
	}
}

// move is set, but for the end of those who have to go. They count no more.
func (h *hoard) move(s *share, bytes int64) (evicted []*share) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.evicted.Load() {
		return nil
	}
	if s.bytes == 0 {
		s.since = time.Since(h.began)
	}
	h.take(s)
	h.put(s, bytes)
	h.high = max(h.high, h.bytes)
	for h.bound > 0 && h.bytes > h.bound {
		worst := h.worst()
		h.take(worst)
		worst.evicted.Store(true)
		evicted = append(evicted, worst)
	}
	return evicted
}

// take takes a share out of its line. mu is held.
func (h *hoard) take(s *share) {
	if s.bytes == 0 {
		return
	}
	l := h.line(s.bytes)
	if s.prev == nil {
		l.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		l.last = s.prev
	} else {
		s.next.prev = s.prev
	}
	h.bytes -= s.bytes
	s.prev, s.next, s.bytes = nil, nil, 0
}

// put puts a share at the end of its line. mu is held.
func (h *hoard) put(s *share, bytes int64) {
	if bytes == 0 {
		return
	}
	l := h.line(bytes)
	s.bytes, s.prev = bytes, l.last
	if l.last == nil {
		l.first = s
	} else {
		l.last.next = s
	}
	l.last = s
	h.bytes += bytes
}

func (h *hoard) line(bytes int64) *line { return &h.lines[bits.Len64(uint64(bytes))-1] } //nolint:gosec // positive

// worst is who keeps the most for the longest; there is somebody. mu is held.
func (h *hoard) worst() (worst *share) {
	now, most := time.Since(h.began), -1.0
	for i := range h.lines {
		if s := h.lines[i].first; s != nil {
			if score := float64(s.bytes) * (now - s.since).Seconds(); score > most {
				worst, most = s, score
			}
		}
	}
	return worst
}

func (h *hoard) stats() (bytes, high int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bytes, h.high
}
