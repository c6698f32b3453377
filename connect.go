package roost

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/wire"
)

// Params are the decoded connect parameters: query and path variables.
type Params = transport.Params

// Connect is a client's wish to connect, as Config.Connect sees it.
type Connect struct {
	// Params are the query parameters, vsn included, and the path variables. The
	// log may read them later: do not write to them.
	Params Params

	// ID names the connection, and is copied. All connections with the same id can be ended
	// with Endpoint.Disconnect. "" is anonymous.
	ID string

	// Transport is "websocket".
	Transport string

	// AuthToken is what phoenix.js's authToken option sent, where
	// WebSocket.AuthToken allows it; HasToken tells an empty one from none.
	AuthToken string
	HasToken  bool

	request *http.Request
	proxies transport.Proxies
	assigns Assigns
}

// Assign keeps a value for the channels of this connection; see Socket.Value.
func (c *Connect) Assign(key string, value any) { c.assigns = c.assigns.with(key, value) }

// Info collects what else is known about the connection: addresses, URI, user
// agent, some headers [§4.4].
func (c *Connect) Info() transport.Info {
	info := c.proxies.Info(c.request)
	if !c.HasToken {
		return info
	}
	_, _, rest, err := transport.AuthToken(c.request.Header)
	if err != nil { // it was read before
		return info
	}
	return info.WithAuthToken(c.AuthToken, rest)
}

// Request is the HTTP request. It is valid until Connect returns.
func (c *Connect) Request() *http.Request { return c.request }

// connector makes sessions of handshakes.
type connector struct{ endpoint *Endpoint }

// Connect implements transport.Connector: version, connect, id [§5.1].
func (k connector) Connect(ctx context.Context, h *transport.Handshake) (transport.Session, http.Handler) {
	e := k.endpoint
	serializer, err := e.negotiate(h.Params)
	if err != nil { // clauses 19-23
		e.count.connectsRefused.Add(1)
		e.stream.Emit(ctx, telemetry.ConnectRefused{
			Socket: telemetry.Socket{Transport: h.Transport}, Check: "version", Remote: telemetry.Cut(e.config.Proxies.RemoteAddr(h.Request)), Err: err,
		})
		return nil, answer(http.StatusForbidden)
	}
	e.reports.ask()
	pass, refused, after := e.limits.enter(ctx, e.config.Proxies.ClientAddr(h.Request))
	if refused != nil {
		return nil, refused.handler(after)
	}
	in := false
	defer func() {
		if !in { // Connect may have ended its goroutine, too
			pass.leave()
		}
	}()
	session, refusal := k.decide(ctx, h, serializer, pass)
	in = refusal == nil
	return session, refusal
}

// decide asks the application, and makes the session of a client that may
// connect.
func (k connector) decide(ctx context.Context, h *transport.Handshake, serializer wire.Serializer, pass *pass) (transport.Session, http.Handler) {
	e := k.endpoint
	c := &Connect{
		Params: h.Params, Transport: h.Transport, AuthToken: h.AuthToken, HasToken: h.HasToken,
		request: h.Request, proxies: e.config.Proxies,
	}
	began := time.Now()
	err := e.ask(ctx, c)
	if err == nil {
		err = ctx.Err() // the client went away while it was asked
	}
	if crash, ok := errors.AsType[*PanicError](err); ok {
		e.count.connectsCrashed.Add(1)
		e.stream.Emit(ctx, telemetry.ConnectCrashed{Socket: telemetry.Socket{Transport: h.Transport}, Panic: crash.Value, Stack: crash.Stack})
		return nil, answer(http.StatusInternalServerError)
	}
	session, refusal, err := k.settle(ctx, e.kindOf(h.Transport, serializer), c, pass, err)
	if e.stream.Enabled(slog.LevelInfo) {
		e.stream.Emit(ctx, telemetry.SocketConnected{
			Socket: telemetry.Socket{Transport: h.Transport, ID: brief(c.ID)},
			OK:     err == nil, Err: err, Serializer: serializer.Name(), Duration: time.Since(began),
			Params: e.connectParams(h.Params),
		})
	}
	return session, refusal
}

// settle makes the session of a client of which the application has said this. The
// error is why there is none.
func (k connector) settle(ctx context.Context, kind *clientKind, c *Connect, pass *pass, said error) (transport.Session, http.Handler, error) {
	e := k.endpoint
	if said != nil {
		e.turnedAway(ctx, said)
		return nil, e.refusal(said), said
	}
	if r := pass.name(ctx, c.ID); r != nil {
		return nil, r.handler(spread(comeBack)), errors.New("roost: " + r.reason)
	}
	session, err := newClient(ctx, kind, c, pass)
	if err != nil { // the bus cannot be reached: clients come back; or the client has gone
		e.unheard(ctx)
		return nil, refusedBus.handler(spread(comeBack)), err
	}
	return session, nil, nil
}

// turnedAway counts a connect of which nothing came because of Config.Connect.
func (e *Endpoint) turnedAway(ctx context.Context, err error) {
	if gone := ctx.Err(); gone != nil && errors.Is(err, gone) {
		e.count.connectsGone.Add(1)
		return
	}
	e.count.connectsRefused.Add(1)
}

// unheard counts a connect for whose id nothing could be subscribed.
func (e *Endpoint) unheard(ctx context.Context) {
	if ctx.Err() != nil {
		e.count.connectsGone.Add(1)
		return
	}
	e.count.connectsFailed.Add(1)
}

func answer(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

// negotiate chooses the serializer [§4.2].
func (e *Endpoint) negotiate(p Params) (wire.Serializer, error) {
	vsn := "1.0.0"
	if v, ok := p["vsn"]; ok {
		if vsn, ok = v.(string); !ok { // clause 21
			return nil, wire.ErrBadVersion
		}
	}
	return e.config.Versions.Match(vsn)
}

// ask calls the user's Connect.
func (e *Endpoint) ask(ctx context.Context, c *Connect) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return e.config.Connect(ctx, c)
}

// refusal answers a connect that the application refused [§4.8].
func (e *Endpoint) refusal(err error) http.Handler {
	if asked(err).refused { // clause 73
		return answer(http.StatusForbidden)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.config.ErrorHandler(w, r, err) })
}
