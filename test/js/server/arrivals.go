package main

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// arrivals are when clients came, in milliseconds since the first.
type arrivals struct {
	mu    sync.Mutex
	first time.Time
	at    []float64
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
