package roost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/roostgo/roost/internal/front"
	"github.com/roostgo/roost/internal/reuseport"
	"github.com/roostgo/roost/internal/tree"
	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/reload"
	"github.com/roostgo/roost/secureheaders"
	"github.com/roostgo/roost/transport"
)

// DefaultAddr is where a Server listens that was told nothing: this machine
// only.
const DefaultAddr = "127.0.0.1:4000"

// Server is the ready-made server around an endpoint: listener, time-outs,
// supervision, an orderly end. Any other http.Server does as well; then
// Endpoint.Run or Shutdown is yours to call.
//
// The zero value of every field works, but Endpoint is needed.
type Server struct {
	// Endpoint answers requests to its path, before Handler and any mux see
	// them, so that also //socket//websocket arrives.
	Endpoint *Endpoint

	// Handler answers all other requests. Default: 404.
	Handler http.Handler

	// Hosts are the names, without ports, under which requests may ask for this
	// server; others get 421, before Endpoint and Handler see them. Set it when
	// pages from elsewhere must not reach the server: they can have a name of
	// their own resolve to its address, 127.0.0.1 as well, and to the browser,
	// and to checks of the Origin header, both are the same site then (DNS
	// rebinding). Default: all.
	Hosts []string

	// Addr is where to listen, "host:port". Default: DefaultAddr.
	Addr string

	// Listener is used instead of Addr when it is set.
	Listener net.Listener

	// AcceptRate is how many new connections come in within a second, at most.
	// When a herd arrives the rest waits in the kernel's queue, and those who are
	// connected notice little of it. Default: 1,000 for each processor; negative:
	// no limit.
	AcceptRate int

	// MaxHandshakes is how many connections may be on their way to an upgrade, TLS
	// included, or in a plain HTTP request. One more is reset before anything of it
	// is read; when the last place is taken, the connection that has been idle for the
	// longest makes room. Default: 4,096; negative: no bound.
	MaxHandshakes int

	// MaxHandshakesPerAddress is how many of them one address may have, so that it
	// cannot take all places. What an address is, IPv6 by prefix and loopback left
	// alone, says Limits.Address of the endpoint's Config, as at all other doors.
	// Proxies, those in ProxyProtocol and in the endpoint's Config.Proxies, stand for
	// many and are left alone; a client that a PROXY header names counts itself.
	// Here, too, the connection that is idle for the longest makes room first.
	// Default: a quarter of MaxHandshakes, or of TLS.Handshakes if those are fewer;
	// negative: no bound.
	MaxHandshakesPerAddress int

	// HandshakesShadow has these two only count, and log the first hit.
	// Default: false.
	HandshakesShadow bool

	// AddressRate is how often one address may open a connection: over it the
	// connection is reset, before TLS and HTTP. Addresses are those of
	// MaxHandshakesPerAddress. Limits.Connects refuses later, and says why.
	// Default: no limit.
	AddressRate ratelimit.Limit

	// Middleware is put around Endpoint and Handler: what it puts into the
	// request's context reaches Config.Connect. Default: none.
	Middleware func(http.Handler) http.Handler

	// TLS has clients connect with TLS. Default: without.
	TLS *TLS

	// ReusePort lets several processes listen on Addr at once (Linux:
	// SO_REUSEPORT), all of the same user: the new one of a rolling restart
	// starts before the old one ends. Each gets a share of the clients that
	// come. Default: false.
	ReusePort bool

	// DrainDelay is how long everything is still served when ctx is done, new
	// clients too: until whoever sends them here has noticed that this server
	// is not ready any more. Default: 0.
	DrainDelay time.Duration

	// ProxyProtocol are the networks of the proxies whose connections begin with
	// a PROXY header (HAProxy's protocol, versions 1 and 2) that says who the
	// client is: that is the TCP peer then, for everybody. It must be there, within
	// 5 s, or the connection is closed; from other peers nobody expects it. A
	// Listener must hand out bare sockets: the header comes before TLS.
	// Networks whose connections begin with a header do not belong into
	// Config.Proxies as well: where the header names nobody (UNKNOWN, LOCAL) the
	// proxy is the peer, and X-Forwarded-For of its client would be believed.
	// Default: none.
	ProxyProtocol transport.Proxies

	// Services start before the endpoint accepts, and stop after it.
	Services []Service

	// ReadHeaderTimeout bounds how long a request's head may take.
	// Default: 10 s.
	ReadHeaderTimeout time.Duration

	// ReadTimeout bounds how long a request with its body may take.
	// Default: 30 s.
	ReadTimeout time.Duration

	// WriteTimeout bounds how long an answer to a request may take, from the
	// request's head on: a client that reads nothing would keep its place for
	// ever. It does not concern WebSockets. A handler that streams asks for more
	// with http.ResponseController.SetWriteDeadline. Default: 30 s; negative: no
	// bound.
	WriteTimeout time.Duration

	// IdleTimeout ends HTTP connections that ask nothing more.
	// Default: 60 s.
	IdleTimeout time.Duration

	// MaxHeaderBytes bounds a request's head. Default: 64 KiB.
	MaxHeaderBytes int

	// OnListen is called once with the address when clients are accepted.
	OnListen func(net.Addr)

	// Logger gets what the supervision tree and net/http report.
	// Default: slog.Default().
	Logger *slog.Logger

	door       atomic.Pointer[front.Door] // while it runs
	handshakes handshakes                 // of TLS
}

// Run serves until ctx is done, and DrainDelay longer: then it stops accepting,
// closes connections with 1012 in waves, waits for their channels to terminate,
// and stops the services. The error says why it could not start, what gave up,
// or what went wrong at the end, such as callbacks that still run.
//
// First the user's services start, then the bus, then the endpoint; clients
// are accepted last.
func (s *Server) Run(ctx context.Context) error {
	if err := s.validate(); err != nil {
		return err
	}
	log := cmp.Or(s.Logger, slog.Default())
	bare, err := s.bind(ctx)
	if err != nil {
		return err
	}
	door, err := s.open(bare, log)
	if err != nil {
		_ = bare.Close()
		return err
	}
	defer door.Close() //nolint:errcheck // closed already when all went well
	s.door.Store(door)
	listener, reloaders, err := s.TLS.wrap(door.Announced(), log)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // as above
	s.handshakes.of(listener)
	s.handshakes.follow(reloaders)
	requests := front.NewRequests(s.http(log), front.RequestGrace)
	accepting := front.AcceptorConfig{
		Requests: requests, Listener: listener, Door: door, Log: log, Announce: s.announce, Asked: ctx.Done(), Delay: s.DrainDelay,
	}
	if s.ReusePort {
		accepting.Shared = bare
	}
	t := tree.Tree{
		Log: log, Grace: grace(s.Endpoint.config.DrainTimeout, s.DrainDelay), Panicked: panicked,
	}
	return t.Run(ctx,
		tree.Of("services", s.Services...), tree.Of("pubsub", s.Endpoint.bus), tree.Of("requests", requests),
		tree.Of("endpoint", s.Endpoint), tree.Of("tls", reloaders...), tree.Of("http", front.NewAcceptor(accepting)),
	)
}

// grace is how long a part of the server may take to end, before it is left behind:
// as long as a drain takes, or newcomers and requests, and a little longer.
func grace(drain, delay time.Duration) time.Duration {
	const more = front.RequestGrace + 3*front.ArrivalGrace + 5*time.Second
	return min(max(drain, delay), math.MaxInt64-more) + more
}

// announce tells the user where clients are accepted. A panic there is final:
// starting again would do the same.
func (s *Server) announce(at net.Addr) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("roost: Server.OnListen: %w", panicked(v))
		}
	}()
	if s.OnListen != nil {
		s.OnListen(at)
	}
	return nil
}

// bind listens, and says how to mend it when that fails.
func (s *Server) bind(ctx context.Context) (net.Listener, error) {
	l, err := s.Listen(ctx)
	if err == nil {
		return l, nil
	}
	mend := "an address is host:port"
	if errors.Is(err, syscall.EADDRINUSE) {
		mend = "is another server running there? choose another address"
	}
	return nil, fmt.Errorf("roost: listen on %s: %w (%s)", cmp.Or(s.Addr, DefaultAddr), err, mend)
}

// ServerStats are a server's counts.
type ServerStats struct {
	Handshakes  ratelimit.GaugeStats // connections on their way to an upgrade, or in a plain HTTP request: MaxHandshakes
	AddressRate ratelimit.Stats      // connections that AddressRate bounds
	Paced       uint64               // connections that waited for AcceptRate
	Dismissed   uint64               // idle HTTP connections that made room, when the places of MaxHandshakes were taken
	BadHeaders  uint64               // connections that were closed because of their PROXY header
	TLS         TLSStats             // TLS handshakes, all zero without TLS
	TLSFiles    reload.Stats         // times that TLS files were read again
}

// Stats may be called at any time.
func (s *Server) Stats() ServerStats {
	d := s.door.Load()
	if d == nil {
		return ServerStats{}
	}
	at := d.Stats()
	return ServerStats{
		Handshakes: at.Places, AddressRate: at.Addresses, Paced: at.Paced,
		Dismissed: at.Dismissed, BadHeaders: at.BadHeaders, TLS: s.handshakes.stats(), TLSFiles: s.handshakes.reloads(),
	}
}

// Listen binds Addr as Run does, for those who must know the address before they
// make the endpoint: set Listener to what it returns. It binds without
// keep-alive probes: a socket's own heartbeats do that.
func (s *Server) Listen(ctx context.Context) (net.Listener, error) {
	if s.Listener != nil {
		return s.Listener, nil
	}
	lc := net.ListenConfig{KeepAlive: -1}
	if s.ReusePort {
		lc.Control = reuseport.Control
	}
	return lc.Listen(ctx, "tcp", cmp.Or(s.Addr, DefaultAddr))
}

func (s *Server) http(log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: cmp.Or(s.ReadHeaderTimeout, 10*time.Second),
		ReadTimeout:       cmp.Or(s.ReadTimeout, 30*time.Second),
		WriteTimeout:      cmp.Or(s.WriteTimeout, 30*time.Second),
		IdleTimeout:       cmp.Or(s.IdleTimeout, 60*time.Second),
		MaxHeaderBytes:    cmp.Or(s.MaxHeaderBytes, 64<<10),
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// handler is all that the server serves.
func (s *Server) handler() http.Handler {
	if s.Middleware == nil {
		return http.HandlerFunc(s.serveHTTP)
	}
	return s.Middleware(http.HandlerFunc(s.serveHTTP))
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.answersTo(r.Host):
		misdirected(w, r.Host)
	case s.Endpoint.serve(w, r):
	case s.Handler != nil:
		s.Handler.ServeHTTP(w, r)
	default:
		secureheaders.Set(w.Header())
		http.NotFound(w, r)
	}
}

// answersTo reports whether requests may ask for a host.
func (s *Server) answersTo(host string) bool {
	return len(s.Hosts) == 0 || slices.ContainsFunc(s.Hosts, func(h string) bool {
		return strings.EqualFold(bareHost(h), bareHost(host))
	})
}

// bareHost is a host without its port and the brackets of an IPv6 address.
func bareHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

func misdirected(w http.ResponseWriter, host string) {
	secureheaders.Set(w.Header())
	http.Error(w, fmt.Sprintf("This server does not answer to the host %q, so that no page from elsewhere reaches it under a name of its own.\n"+
		"If that name is yours, add it: roost serve -host %s, or Server.Hosts in Go.", host, bareHost(host)), http.StatusMisdirectedRequest)
}
