// Package websocket carries sessions over WebSocket connections (RFC 6455).
//
// Every connection comes in through net/http: the Handler checks the request,
// asks the Connector for a session, upgrades, and gives the connection to an
// engine. On Linux that is an event loop, which adopts the descriptor; nothing
// of net/http stays alive for the connection then, and an idle connection has
// no goroutine, no buffer and no timer.
package websocket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
)

// Name is what this transport calls itself.
const Name = "websocket"

// answerWithin is how long a client may take to accept the answer to its
// handshake: one that let earlier answers pile up would block it for ever.
const answerWithin = 10 * time.Second

// ErrStopped is what Start returns after Shutdown.
var ErrStopped = errors.New("websocket: stopped")

// Handler upgrades requests and runs their connections. It is safe for
// concurrent use. It starts its lanes when the first connection comes, and
// ends them in Shutdown.
type Handler struct {
	// Immutable.
	config    Config
	connector transport.Connector

	mu      sync.Mutex // of start and stop
	engines engines
	running atomic.Bool
	stopped atomic.Bool

	denied    atomic.Uint64 // upgrades
	upgrading sync.RWMutex  // held for reading by upgrades, from the hijack until an engine has the connection
}

// New returns a handler that gets its sessions from a connector. The error
// names everything that is wrong with the configuration.
func New(c Config, connector transport.Connector) (*Handler, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	h := &Handler{config: c.withDefaults(), connector: connector}
	h.engines.init(&h.config)
	return h, nil
}

// Start starts the lanes, unless they run already. Serve does it, too; calling
// it early finds out early what the system refuses. What failed is tried again.
func (h *Handler) Start() error {
	if h.running.Load() {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped.Load() {
		return ErrStopped
	}
	if h.running.Load() {
		return nil
	}
	err := h.engines.start()
	h.running.Store(err == nil)
	return err
}

// ServeHTTP upgrades a request that has no path variables.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.Serve(w, r, nil) }

// Serve answers one request to the socket's path; vars are the variables in
// that path. The steps and their order are those of [§5.1].
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, vars []transport.Var) {
	if r.Method != http.MethodGet { // clause 67
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if h.stopped.Load() { // another server, or this one started again, takes it
		h.config.Unavailable(w, ErrStopped)
		return
	}
	shake, selected, status, err := h.examine(r, vars)
	if status != 0 {
		refuse(w, status, err)
		return
	}
	session, refusal := h.connector.Connect(r.Context(), shake)
	if refusal != nil {
		refusal.ServeHTTP(w, r)
		return
	}
	if err := transport.CheckUpgrade(r); err != nil { // the last check, not the first: clause 69
		discard(session, err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.upgrade(w, r, selected, session)
}

// unavailable answers a request that comes too late or too early.
func unavailable(w http.ResponseWriter, _ error) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "this server cannot take connections now", http.StatusServiceUnavailable)
}

// refuse answers without a body [§4.2], except where the request was unreadable.
func refuse(w http.ResponseWriter, status int, err error) {
	if status == http.StatusBadRequest {
		http.Error(w, err.Error(), status)
		return
	}
	w.WriteHeader(status)
}

// examine does what comes before the application is asked.
func (h *Handler) examine(r *http.Request, vars []transport.Var) (shake *transport.Handshake, selected string, status int, err error) {
	params, err := transport.ParseQuery(r.URL.RawQuery)
	if err != nil { // clause 28
		return nil, "", http.StatusBadRequest, err
	}
	params.Override(vars)           // clause 6
	if !h.config.Origin.Allows(r) { // clause 46
		h.refused(r, "origin", errors.New("origin "+telemetry.Cut(r.Header.Get("Origin"))+" is not allowed: list it in CheckOrigin"))
		return nil, "", http.StatusForbidden, nil
	}
	shake = &transport.Handshake{Request: r, Params: params, Transport: Name}
	offered := transport.Offered(r.Header)
	if h.config.AuthToken {
		if shake.AuthToken, shake.HasToken, offered, err = transport.AuthToken(r.Header); err != nil {
			h.refused(r, "auth token", err)
			return nil, "", http.StatusForbidden, nil
		}
	}
	selected, ok := transport.Select(h.config.Subprotocols, offered)
	if !ok { // clause 79
		h.refused(r, "subprotocol", errors.New("none of the offered subprotocols is supported"))
		return nil, "", http.StatusForbidden, nil
	}
	return shake, selected, 0, nil
}

func (h *Handler) refused(r *http.Request, check string, err error) {
	h.denied.Add(1)
	h.config.Telemetry.Emit(r.Context(), telemetry.ConnectRefused{
		Socket: telemetry.Socket{Transport: Name}, Check: check, Remote: telemetry.Cut(h.config.Proxies.RemoteAddr(r)), Err: err,
	})
}

// discard ends a session that never got a connection.
func discard(s transport.Session, reason error) {
	s.Closed(reason)
	release(s)
}

// upgrade answers 101 and gives the connection to an engine.
func (h *Handler) upgrade(w http.ResponseWriter, r *http.Request, selected string, session transport.Session) {
	if err := h.Start(); err != nil {
		discard(session, err)
		h.refused(r, "start", err)
		h.config.Unavailable(w, err)
		return
	}
	extension, window := "", uint8(0)
	if h.config.Compress { // clause 82
		extension, window = frame.NegotiateDeflate(r.Header.Values("Sec-WebSocket-Extensions"))
	}
	h.upgrading.RLock()
	defer h.upgrading.RUnlock()
	conn, buffered, err := hijack(w)
	if err != nil {
		discard(session, err)
		http.Error(w, "this server cannot upgrade connections: "+err.Error(), http.StatusInternalServerError)
		return
	}
	_ = conn.SetWriteDeadline(time.Now().Add(answerWithin))
	if _, err := conn.Write(switching(r, selected, extension)); err != nil {
		discard(session, transport.ErrClientGone)
		_ = conn.Close()
		return
	}
	if err := h.engines.adopt(conn, buffered, session, window); err != nil {
		discard(session, err)
		h.refused(r, "adopt", err)
		_, _ = conn.Write(closeFrame(transport.CloseRestart).WebSocket()) // clause 278
		_ = conn.Close()
	}
}

// Retire has upgrades refused with 503 from now on; those that are under way
// are closed with 1012. Connections go on. It is how a drain begins: CloseSome
// and Shutdown follow.
func (h *Handler) Retire() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped.Store(true)
	h.engines.retire()
}

// CloseSome begins to close up to n connections with 1012, and returns how many;
// 0 says that all have been told. They are counted over all lanes. It waits for
// nobody: Shutdown does. After Retire only.
func (h *Handler) CloseSome(n int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.engines.restart(n)
}

// Shutdown closes all connections with 1012, so that clients come back to
// another server, waits for them until ctx is done, and then cuts what is left:
// the error says how many. Afterwards no goroutine and no descriptor of the
// handler remains.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.Retire()
	cut := h.engines.shutdown(ctx)
	h.awaitUpgrades(ctx)
	if cut > 0 {
		return fmt.Errorf("websocket: %d connections were still there at the deadline and were cut: %w (give the drain more time, or the closing handshake less)", cut, ctx.Err())
	}
	return nil
}

// awaitUpgrades waits for upgrades that are under way: nobody else does, because
// net/http forgets what was hijacked. A program that ends before they are told to
// come back would hang up on them.
func (h *Handler) awaitUpgrades(ctx context.Context) {
	if h.upgrading.TryLock() {
		h.upgrading.Unlock()
		return
	}
	done := make(chan struct{})
	go func() { // ends within answerWithin
		h.upgrading.Lock()
		defer h.upgrading.Unlock()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Stats may be called at any time.
func (h *Handler) Stats() Stats {
	s := h.engines.stats()
	s.Refused = h.denied.Load()
	return s
}

// Turn is how long, at this moment, an event loop has been at work without
// looking for what is ready: how late it is for everybody else.
func (h *Handler) Turn() time.Duration { return h.engines.turn() }

// hijack takes the connection, and what was read of it already, from net/http.
func hijack(w http.ResponseWriter) (net.Conn, []byte, error) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	buffered, _ := rw.Reader.Peek(rw.Reader.Buffered())
	return transport.Bare(conn), append([]byte(nil), buffered...), nil
}

// switching is the 101 response [§5.1].
func switching(r *http.Request, selected, extension string) []byte {
	b := make([]byte, 0, 256)
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	b = append(b, frame.AcceptKey(r.Header.Get("Sec-WebSocket-Key"))...)
	if selected != "" { // clause 83
		b = append(append(b, "\r\nSec-WebSocket-Protocol: "...), selected...)
	}
	if extension != "" {
		b = append(append(b, "\r\nSec-WebSocket-Extensions: "...), extension...)
	}
	return append(b, "\r\n\r\n"...)
}
