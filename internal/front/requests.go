package front

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// Requests are the plain HTTP requests of a server. At the end they may go on for
// a while, beside the connections that are closed meanwhile: a client that asks
// slowly, or not at all, holds up no other.
type Requests struct {
	server *http.Server
	grace  time.Duration // that they may take to end

	running atomic.Int64 // handlers
	ending  atomic.Bool
	ended   chan error // gets one value after finish
}

// RequestGrace is how long plain HTTP requests may go on.
const RequestGrace = 5 * time.Second

// NewRequests counts what a server's handler does. Requests may take so long to end.
func NewRequests(server *http.Server, grace time.Duration) *Requests {
	r := &Requests{server: server, grace: grace, ended: make(chan error, 1)}
	next := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.running.Add(1)
		defer r.running.Add(-1)
		next.ServeHTTP(w, q)
	})
	return r
}

// finish lets the requests end, and returns at once. It is called once, when no
// more are accepted.
func (r *Requests) finish(ctx context.Context) {
	r.ending.Store(true)
	go func() { r.ended <- r.shutdown(ctx) }() // ends after the grace; Run waits for it
}

// Run is a service's: it waits for the end.
func (r *Requests) Run(ctx context.Context) error {
	<-ctx.Done()
	if !r.ending.Load() {
		return nil
	}
	return <-r.ended
}

// shutdown waits for the requests, and cuts those that do not end. One that has
// not been received whole is not missed.
func (r *Requests) shutdown(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, r.grace)
	defer cancel()
	err := r.server.Shutdown(grace)
	if err == nil {
		return nil
	}
	running := r.running.Load()
	closed := r.server.Close()
	if running == 0 {
		return closed
	}
	return errors.Join(fmt.Errorf("roost: %d HTTP requests that ran for over %v more were cut off: %w", running, r.grace, err), closed)
}
