package secure

import "sync/atomic"

// Stats counts the handshakes of a Listener.
type Stats struct {
	UnderWay int64  // now
	High     int64  // the most that were ever under way
	Done     uint64 // that succeeded
	Failed   uint64 // that did not, those that took too long among them
}

// counters may be used by anybody.
type counters struct {
	underWay, high atomic.Int64
	done, failed   atomic.Uint64
}

func (c *counters) begun() {
	n := c.underWay.Add(1)
	for high := c.high.Load(); n > high && !c.high.CompareAndSwap(high, n); high = c.high.Load() {
	}
}

func (c *counters) ended(err error) {
	c.underWay.Add(-1)
	if err != nil {
		c.failed.Add(1)
		return
	}
	c.done.Add(1)
}

// Stats may be called at any time.
func (l *Listener) Stats() Stats {
	return Stats{l.count.underWay.Load(), l.count.high.Load(), l.count.done.Load(), l.count.failed.Load()}
}
