package front

import (
	"net"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/roostgo/roost/internal/ebb"
)

// newcomers are connections whose first request has not been answered. Once it
// is told to shut down, net/http hangs up on a request that arrives, without a
// word; a client that was accepted just before would be lost. And it waits for
// seconds for those that ask nothing, as browsers' spare connections do.
type newcomers struct {
	// Guarded by mu.
	mu    sync.Mutex
	known ebb.Map[net.Conn, progress]
	empty chan struct{} // closed when there are none; nil while nobody waits for that
}

// progress is how far a newcomer is.
type progress int

const (
	unknown progress = iota // it is none, or none any more
	silent                  // it has not asked yet
	asking
)

// note is for http.Server.ConnState.
func (n *newcomers) note(c net.Conn, s http.ConnState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !reflect.ValueOf(c).Comparable() { // a listener of the user's may make what no map can hold
		return
	}
	switch {
	case s == http.StateNew:
		n.known.Put(c, silent)
	case s != http.StateActive:
		n.known.Delete(c)
	case n.known.Find(c) != unknown: // an active one may be hung up on yet
		n.known.Put(c, asking)
	}
	n.signal()
}

// signal tells whoever waits that there are none any more; mu is held.
func (n *newcomers) signal() {
	if n.empty != nil && n.known.Len() == 0 {
		close(n.empty)
		n.empty = nil
	}
}

// gone is closed when there are none. One at a time waits for that.
func (n *newcomers) gone() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	gone := make(chan struct{})
	n.empty = gone
	n.signal()
	return gone
}

// silent are those that have not asked yet.
func (n *newcomers) silent() (list []net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c, p := range n.known.All() {
		if p == silent {
			list = append(list, c)
		}
	}
	return list
}

// dismiss waits until there are none; after ArrivalGrace it hangs up on those that have
// not asked by then.
func (n *newcomers) dismiss() {
	select {
	case <-n.gone():
	case <-time.After(ArrivalGrace):
		for _, c := range n.silent() {
			_ = c.Close()
		}
	}
}
