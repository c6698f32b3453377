package main

import (
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"time"
)

// arrivals is a listener that knows when connections were accepted, in milliseconds since the first. When their requests
// came says more of the machine than of the server.
type arrivals struct {
	net.Listener

	mu    sync.Mutex
	first time.Time
	at    []float64
}

// Accept implements net.Listener.
func (a *arrivals) Accept() (net.Conn, error) {
	c, err := a.Listener.Accept()
	if err == nil {
		a.note()
	}
	return c, err
}

func (a *arrivals) note() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.at) == 0 {
		a.first = time.Now()
	}
	a.at = append(a.at, float64(time.Since(a.first).Microseconds())/1000)
}

// ServeHTTP lists them.
func (a *arrivals) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = json.NewEncoder(w).Encode(a.at) // a test that has gone needs none
}
