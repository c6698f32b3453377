package roost

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/roostgo/roost/internal/tree"
)

// front accepts clients. It is the last service to start and the first to
// stop. Run is called once: whatever ends it ends the tree.
type front struct {
	requests *requests
	listener net.Listener
	onListen func(net.Addr)
	ready    chan struct{}
	arrivals newcomers

	note   func(net.Conn, http.ConnState) // is told of connections; nil: nobody is
	asked  <-chan struct{}                // closed when the end is wished for, not forced by a failure; nil is never
	delay  time.Duration                  // that it goes on after that
	shared net.Listener                   // the listener, when others listen on its port
}

// Ready implements Readier.
func (f *front) Ready() <-chan struct{} { return f.ready }

// Run implements Service.
func (f *front) Run(ctx context.Context) error {
	if err := f.announce(); err != nil {
		return tree.GiveUp(err)
	}
	close(f.ready)
	ended := make(chan error, 1)
	f.requests.server.ConnState = func(c net.Conn, s http.ConnState) {
		f.arrivals.note(c, s)
		if f.note != nil {
			f.note(c, s)
		}
	}
	go func() { ended <- f.requests.server.Serve(f.listener) }() // ends when the listener is closed, below
	var failure error
	select {
	case err := <-ended:
		failure = tree.GiveUp(fmt.Errorf("roost: accept: %w", err))
	case <-ctx.Done():
		f.linger()
		_ = f.listener.Close()
		_ = <-ended // all that was accepted is known now
	}
	f.arrivals.dismiss(arrivalGrace)
	f.requests.finish(context.WithoutCancel(ctx))
	return failure
}

// announce tells the user where clients are accepted. A panic there is final:
// starting again would do the same.
func (f *front) announce() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("roost: Server.OnListen: %w", panicked(v))
		}
	}()
	if f.onListen != nil {
		f.onListen(f.listener.Addr())
	}
	return nil
}
