package front

import (
	"net"
	"net/http"
	"reflect"
	"sync"
	"time"
)

// newcomers are connections whose first request has not been answered. Once it
// is told to shut down, net/http hangs up on a request that arrives, without a
// word; a client that was accepted just before would be lost. And it waits for
// seconds for those that ask nothing, as browsers' spare connections do.
type newcomers struct {
	// Guarded by mu.
	mu     sync.Mutex
	states map[net.Conn]http.ConnState
	most   int // that there were since states was made
}

// herd is how many newcomers leave a map behind whose memory is given back.
const herd = 1 << 10

// note is for http.Server.ConnState.
func (n *newcomers) note(c net.Conn, s http.ConnState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !reflect.ValueOf(c).Comparable() { // a listener of the user's may make what no map can hold
		return
	}
	_, known := n.states[c]
	switch {
	case s != http.StateNew && s != http.StateActive:
		n.forget(c)
	case s == http.StateNew, known: // an active one may be hung up on yet
		if n.states == nil {
			n.states = make(map[net.Conn]http.ConnState)
		}
		n.states[c] = s
		n.most = max(n.most, len(n.states))
	}
}

// forget removes a connection; mu is held.
func (n *newcomers) forget(c net.Conn) {
	delete(n.states, c)
	if len(n.states) == 0 && n.most > herd {
		n.states, n.most = nil, 0
	}
}

// silent are those that have not asked yet, and whether there are others.
func (n *newcomers) silent() (list []net.Conn, others bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c, s := range n.states {
		if s == http.StateNew {
			list = append(list, c)
		}
	}
	return list, len(list) < len(n.states)
}

// dismiss waits until there are none; after so long it hangs up on those that have
// not asked.
func (n *newcomers) dismiss(d time.Duration) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(d); ; {
		silent, others := n.silent()
		if len(silent) == 0 && !others {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			for _, c := range silent {
				_ = c.Close()
			}
			return
		}
	}
}
