// Package front is the front of a server: what stands between the network and an
// HTTP handler. Connections come in by a door, which has a pace and bounds; an
// acceptor hands them to net/http, and lets nobody down who was on the way when the
// end came; plain requests end beside connections that live on.
package front

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/roostgo/roost/internal/tree"
)

// Acceptor accepts clients. It is the last service to start and the first to stop.
type Acceptor struct {
	config   AcceptorConfig
	ready    chan struct{}
	arrivals newcomers
}

// AcceptorConfig is what an Acceptor is made of.
type AcceptorConfig struct {
	Requests *Requests    // what becomes of those who are accepted
	Listener net.Listener // behind the door
	Door     *Door        // is told of connections; nil: there is none
	Log      *slog.Logger // is needed with Shared

	Announce func(net.Addr) error // tells where clients are accepted; an error ends the tree; nil: nobody is told
	Asked    <-chan struct{}      // closed when the end is wished for, not forced by a failure; nil is never
	Delay    time.Duration        // that it goes on after that
	Shared   net.Listener         // that of the door, when others listen on its port
}

// NewAcceptor makes one.
func NewAcceptor(c AcceptorConfig) *Acceptor {
	return &Acceptor{config: c, ready: make(chan struct{})}
}

// Ready implements tree.Readier.
func (a *Acceptor) Ready() <-chan struct{} { return a.ready }

// Run implements tree.Service. It is called once: whatever ends it ends the tree.
func (a *Acceptor) Run(ctx context.Context) error {
	if err := a.announce(ctx); err != nil {
		return tree.GiveUp(err)
	}
	close(a.ready)
	ended := make(chan error, 1)
	server := a.config.Requests.server
	server.ConnState = a.note
	go func() { ended <- server.Serve(a.config.Listener) }() // ends when the listener is closed, below
	var failure error
	select {
	case err := <-ended:
		failure = tree.GiveUp(fmt.Errorf("roost: accept: %w", err))
	case <-ctx.Done():
		a.linger()
		_ = a.config.Listener.Close()
		_ = <-ended // all that was accepted is known now
	}
	a.arrivals.dismiss()
	a.config.Requests.finish(context.WithoutCancel(ctx))
	return failure
}

// announce tells where clients are accepted.
func (a *Acceptor) announce(ctx context.Context) error {
	if a.config.Shared != nil {
		tellOfResets(ctx, a.config.Log)
	}
	if a.config.Announce == nil {
		return nil
	}
	return a.config.Announce(a.config.Listener.Addr())
}

func (a *Acceptor) note(c net.Conn, s http.ConnState) {
	a.arrivals.note(c, s)
	if a.config.Door != nil {
		a.config.Door.State(c, s)
	}
}
