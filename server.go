package roost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/roostgo/roost/internal/reuseport"
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

	// ReusePort lets several processes listen on Addr at once (Linux:
	// SO_REUSEPORT), all of the same user: the new one of a rolling restart
	// starts before the old one ends. Each gets a share of the clients that
	// come. Default: false.
	ReusePort bool

	// DrainDelay is how long everything is still served when ctx is done, new
	// clients too: until whoever sends them here has noticed that this server
	// is not ready any more. Default: 0.
	DrainDelay time.Duration

	// Services start before the endpoint accepts, and stop after it.
	Services []Service

	// ReadHeaderTimeout bounds how long a request's head may take.
	// Default: 10 s.
	ReadHeaderTimeout time.Duration

	// ReadTimeout bounds how long a request with its body may take.
	// Default: 30 s.
	ReadTimeout time.Duration

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
}

// Run serves until ctx is done, and DrainDelay longer: then it stops accepting,
// closes connections with 1012 in waves, waits for their channels to terminate,
// and stops the services. The error says why it could not start, what gave up,
// or what went wrong at the end, such as callbacks that still run.
//
// First the user's services start, then the bus, then the endpoint; clients
// are accepted last.
func (s *Server) Run(ctx context.Context) error {
	if s.Endpoint == nil {
		return errors.New("roost: Server.Endpoint is nil: set it to what NewEndpoint returned")
	}
	log := cmp.Or(s.Logger, slog.Default())
	listener, err := s.Listen(ctx)
	if err != nil {
		return fmt.Errorf("roost: listen on %s: %w (is another server running there? choose another address)", cmp.Or(s.Addr, DefaultAddr), err)
	}
	defer listener.Close() //nolint:errcheck // closed already when all went well
	front := &front{
		server: s.http(log), listener: listener, onListen: s.OnListen, grace: httpGrace, ready: make(chan struct{}),
		asked: ctx.Done(), delay: s.DrainDelay,
	}
	if s.ReusePort {
		front.shared = listener
		tellOfResets(ctx, log)
	}
	t := tree{log: log, grace: max(s.Endpoint.config.DrainTimeout, s.DrainDelay+httpGrace+2*arrivalGrace) + 5*time.Second}
	return t.run(ctx, []stage{
		{"services", s.Services},
		{"pubsub", []Service{s.Endpoint.bus}},
		{"endpoint", []Service{s.Endpoint}},
		{"http", []Service{front}},
	})
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
		Handler:           http.HandlerFunc(s.serveHTTP),
		ReadHeaderTimeout: cmp.Or(s.ReadHeaderTimeout, 10*time.Second),
		ReadTimeout:       cmp.Or(s.ReadTimeout, 30*time.Second),
		IdleTimeout:       cmp.Or(s.IdleTimeout, 60*time.Second),
		MaxHeaderBytes:    cmp.Or(s.MaxHeaderBytes, 64<<10),
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.answersTo(r.Host):
		misdirected(w, r.Host)
	case s.Endpoint.serve(w, r):
	case s.Handler != nil:
		s.Handler.ServeHTTP(w, r)
	default:
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
	http.Error(w, fmt.Sprintf("This server does not answer to the host %q, so that no page from elsewhere reaches it under a name of its own.\n"+
		"If that name is yours, add it: roost serve -host %s, or Server.Hosts in Go.", host, bareHost(host)), http.StatusMisdirectedRequest)
}

// front accepts clients. It is the last service to start and the first to
// stop. Run is called once: whatever ends it ends the tree.
type front struct {
	server   *http.Server
	listener net.Listener
	onListen func(net.Addr)
	grace    time.Duration // that plain HTTP requests may take to end
	ready    chan struct{}

	asked  <-chan struct{} // closed when the end is wished for, not forced by a failure; nil is never
	delay  time.Duration   // that it goes on after that
	shared net.Listener    // the listener, when others listen on its port
}

// Ready implements Readier.
func (f *front) Ready() <-chan struct{} { return f.ready }

const httpGrace = 5 * time.Second

// Run implements Service.
func (f *front) Run(ctx context.Context) error {
	if err := f.announce(); err != nil {
		return giveUp(err)
	}
	close(f.ready)
	ended := make(chan error, 1)
	arrivals := newNewcomers()
	f.server.ConnState = arrivals.note
	go func() { ended <- f.server.Serve(f.listener) }() // ends when the listener is closed, below
	select {
	case err := <-ended:
		return giveUp(fmt.Errorf("roost: accept: %w", err))
	case <-ctx.Done():
	}
	f.linger()
	_ = f.listener.Close()
	_ = <-ended // all that was accepted is known now
	arrivals.dismiss(arrivalGrace)
	return f.shutdown(context.WithoutCancel(ctx))
}

// announce tells the user where clients are accepted. A panic there is final:
// starting again would do the same.
func (f *front) announce() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("roost: Server.OnListen: %w", &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	if f.onListen != nil {
		f.onListen(f.listener.Addr())
	}
	return nil
}

// shutdown waits for plain HTTP requests, and cuts those that do not end.
func (f *front) shutdown(ctx context.Context) error {
	grace, cancel := context.WithTimeout(ctx, f.grace)
	defer cancel()
	err := f.server.Shutdown(grace)
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("roost: HTTP requests that ran for over %v more were cut off: %w", f.grace, err), f.server.Close())
}
