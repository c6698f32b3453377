package secure

import (
	"crypto/tls"
	"net"
	"sync/atomic"

	"github.com/roostgo/roost/internal/highwater"
)

// Stats counts the handshakes of a Listener.
type Stats struct {
	UnderWay  int64  // now
	High      int64  // the most that were ever under way
	Done      uint64 // that succeeded
	Resumed   uint64 // of those, that carried a session on
	Failed    uint64 // that did not succeed, those that took too long and those displaced among them
	Displaced uint64 // that were cut because others came while they waited for their client
	Waited    uint64 // times that one waited for others before it computed
}

// counters may be used by anybody.
type counters struct {
	underWay, high                   atomic.Int64
	done, resumed, failed, displaced atomic.Uint64
}

func (c *counters) begun() {
	highwater.Raise(&c.high, c.underWay.Add(1))
}

func (c *counters) ended(conn net.Conn, err error) {
	c.underWay.Add(-1)
	if err != nil {
		c.failed.Add(1)
		return
	}
	c.done.Add(1)
	if s, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok && s.ConnectionState().DidResume {
		c.resumed.Add(1)
	}
}

// Stats may be called at any time.
func (l *Listener) Stats() Stats {
	c := &l.count
	return Stats{
		UnderWay: c.underWay.Load(), High: c.high.Load(), Done: c.done.Load(), Resumed: c.resumed.Load(),
		Failed: c.failed.Load(), Displaced: c.displaced.Load(), Waited: l.server.Waited(),
	}
}
