// Package roost serves Phoenix channels: very many persistent client
// connections, joined by topic, in front of an application.
//
// An Endpoint is an http.Handler where clients that speak the Phoenix protocol
// connect, such as phoenix.js. Channels are Go types: ChannelOf makes one of a
// type's methods, Endpoint.Channel routes topics to it. Server is a ready-made
// server around an endpoint.
//
// Clauses and sections cited in the code ("clause 98", "[§7.3]") are those of
// docs/reference/conformance.md and the Phoenix protocol description behind it.
package roost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/roostgo/roost/internal/tree"
	"github.com/roostgo/roost/internal/workers"
	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/secureheaders"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
	"github.com/roostgo/roost/wire"
)

// Endpoint is a mounted socket: an http.Handler, its bus, its routes to
// channels. It is safe for concurrent use.
//
// It starts what it needs with the first connection, and must be ended with
// Shutdown, or by the context of Run.
type Endpoint struct {
	// Immutable.
	config  Config
	path    transport.Path
	bus     *pubsub.PubSub
	stream  *telemetry.Stream // to reports
	reports *reporter
	workers *workers.Pool
	socket  *websocket.Handler
	gate    *overload
	limits  *limiter // nil without

	count endpointCounters

	draining chan struct{}        // holds one value while somebody drains
	wave     atomic.Pointer[wave] // nil until Shutdown

	routes atomic.Pointer[routes]
	kinds  atomic.Pointer[[]*clientKind] // of the clients that there have been
	mu     sync.Mutex                    // of those who replace routes or kinds
}

// NewEndpoint makes an endpoint. It panics on a configuration that
// contradicts itself, and says what to mend. It starts nothing.
func NewEndpoint(c Config) *Endpoint {
	wrong := c.validate()
	c = c.withDefaults()
	e := &Endpoint{config: c, bus: c.PubSub, workers: workers.New(c.Workers), draining: make(chan struct{}, 1)}
	e.reports = &reporter{
		stream:  telemetry.NewStream(append([]telemetry.Handler{telemetry.Log(c.Logger)}, c.Telemetry...)...),
		workers: e.workers,
		bound:   c.Reports,
	}
	e.reports.ask()
	e.stream = telemetry.NewStream(e.reports)
	e.routes.Store(new(routes))
	e.kinds.Store(new([]*clientKind))

	ws := c.WebSocket
	ws.Origin = c.CheckOrigin.OrSameHost(c.Host)
	ws.Proxies = c.Proxies
	ws.Telemetry = e.stream
	if ws.Unavailable == nil {
		ws.Unavailable = unavailable
	}
	var pathErr, socketErr error
	e.path, pathErr = transport.ParsePath(c.Path, c.WebSocketPath)
	e.socket, socketErr = websocket.New(ws, connector{e})
	if err := errors.Join(wrong, pathErr, socketErr); err != nil {
		panic("roost: this Config cannot work:\n" + err.Error())
	}
	e.limits = newLimiter(c.Limits, e.stream)
	e.gate = newOverload(c.Overload, e.stream, e.socket.Turn, e.workers.Waited)
	return e
}

// Channel routes a topic, or with a "*" at its end all topics with that
// beginning, to a channel. The first route that matches wins. It panics on a
// pattern that cannot work.
func (e *Endpoint) Channel(pattern string, f Factory, opts ...RouteOption) {
	r := newRoute(pattern, f, opts)
	e.mu.Lock()
	defer e.mu.Unlock()
	rs := e.routes.Load().with(r)
	e.routes.Store(&rs)
}

// ServeHTTP upgrades requests to the socket's path and answers 404 to others.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !e.serve(w, r) {
		http.NotFound(w, r)
	}
}

// serve answers a request, if it is for the socket's path.
func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) bool {
	vars, ok := e.path.Match(r.URL.Path)
	if !ok {
		return false
	}
	secureheaders.Set(w.Header()) // of a refusal: 101 has no such headers
	if r.ProtoMajor == 1 {
		// What a proxy passes on behind an upgrade that was refused, taking it for
		// frames, must not be served as a request.
		w.Header().Set("Connection", "close")
	}
	switch {
	case e.gate.refusesConnect():
		refusedOverload.answer(w, spread(e.config.Overload.RetryAfter))
	default:
		e.socket.Serve(w, r, vars)
	}
	return true
}

// PubSub is the bus that carries this endpoint's broadcasts.
func (e *Endpoint) PubSub() *pubsub.PubSub { return e.bus }

// Run serves until ctx is done, and then shuts down within
// Config.DrainTimeout. An endpoint whose Run was not called serves as well.
func (e *Endpoint) Run(ctx context.Context) error {
	if err := e.socket.Start(); err != nil {
		return tree.GiveUp(fmt.Errorf("roost: start the endpoint: %w", err))
	}
	<-ctx.Done()
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.DrainTimeout)
	defer cancel()
	return e.Shutdown(deadline)
}

// Shutdown closes all connections with 1012, so that their clients come back
// to another server: in waves, see Config.Drain. It waits for their channels to
// terminate. When ctx is done it cuts what is left; the error then says how many
// connections that were, and what still runs.
func (e *Endpoint) Shutdown(ctx context.Context) error {
	var errs []error
	e.socket.Retire()
	if err := e.drain(ctx); err != nil {
		errs = append(errs, err)
	}
	if err := e.socket.Shutdown(ctx); err != nil {
		errs = append(errs, fmt.Errorf("roost: shut down connections: %w", err))
	}
	if err := e.workers.Close(ctx); err != nil {
		errs = append(errs, fmt.Errorf("roost: %d channel callbacks still run: %w", e.Stats().Workers, err))
	}
	return errors.Join(errs...)
}

// kindOf finds or makes what clients of a transport and a serializer have in
// common.
func (e *Endpoint) kindOf(transport string, s wire.Serializer) *clientKind {
	if k := findKind(*e.kinds.Load(), transport, s); k != nil {
		return k
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	known := *e.kinds.Load()
	if k := findKind(known, transport, s); k != nil {
		return k
	}
	k := &clientKind{endpoint: e, transport: transport, serializer: s}
	known = append(slices.Clone(known), k)
	e.kinds.Store(&known)
	return k
}

func findKind(kinds []*clientKind, transport string, s wire.Serializer) *clientKind {
	for _, k := range kinds {
		if k.transport == transport && k.serializer == s {
			return k
		}
	}
	return nil
}
