package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/playground"
	"github.com/roostgo/roost/secureheaders"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// defaultHSTS is half a year: long enough to protect who comes back now and
// then, short enough to go back to where there was no TLS.
const defaultHSTS = 180 * 24 * time.Hour

// serveFlags are what `roost serve` can be told.
type serveFlags struct {
	listen   string
	log      slog.Level
	origins  []string
	hosts    []string
	maxFrame int
	outbox   int
	tls      tlsFlags
	reload   time.Duration // how often files are looked at
	shared   bool
	drain    drainFlags
	limits   limitFlags
	proxies  transport.Proxies
	header   bool // connections of the proxies begin with a PROXY header
	tokens   tokenFlags
	keys     string        // the file with the API's
	hsts     time.Duration // for how long browsers shall insist on TLS

	anyOrigin bool // the origin check is off
	insecure  bool // also where the network can reach it
	allowRoot bool
	user      string // to become once it listens
}

func parseServe(args []string, stderr io.Writer) (f serveFlags, err error) {
	fs := flag.NewFlagSet("roost serve", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&f.listen, "listen", roost.DefaultAddr, "`address` to listen on; \":4000\" is every interface")
	f.log = slog.LevelWarn
	fs.TextVar(&f.log, "log", f.log, "least `level` that is logged to stderr: debug, info, warn, error")
	origin := fs.String("origin", "", "comma-separated `origins` whose pages may connect, like https://example.com or //*.example.com, or any;\n"+
		"default: pages from this machine, and with -listen on a network address pages from the server itself")
	host := fs.String("host", "", "comma-separated `names` of this server that requests may ask for, besides localhost; others get 421\n"+
		"default: localhost, and with -listen on a network address any")
	proxies := fs.String("trusted-proxies", "", "comma-separated `networks` of the proxies in front of this server, like 10.0.0.0/8: what they say of a client is believed\n"+
		"(X-Forwarded-For, -Proto, -Host, -Port); default: none")
	fs.BoolVar(&f.header, "proxy-protocol", false, "connections of -trusted-proxies begin with a PROXY header, version 1 or 2; without it they are closed")
	f.tokens.register(fs)
	fs.StringVar(&f.keys, "api-keys", "", "`file` with the keys of the API, one a line: publishing then needs one of them, as in authorization: Bearer KEY.\n"+
		"Default: on this machine nobody needs a key, and on a network address the API is closed")
	fs.BoolVar(&f.insecure, "insecure", false, "where the network reaches the server, allow -origin any without -secret-file: every page that somebody opens\n"+
		"can join, push and read; and open the API without -api-keys: everybody can publish")
	fs.StringVar(&f.user, "user", "", "`name` of the user to become once the server listens (Linux, as root); default: nobody else")
	fs.BoolVar(&f.allowRoot, "allow-root", false, "run as root where the network reaches the server")
	fs.IntVar(&f.maxFrame, "max-frame", 2<<20, "most `bytes` of one message from a client; over it the connection is closed with 1009")
	fs.IntVar(&f.outbox, "outbox", 0, "most `bytes` that wait for a client that reads slowly before it is cut; default: four times -max-frame")
	f.tls.register(fs)
	fs.DurationVar(&f.reload, "reload", 10*time.Second, "how often the files of secrets, keys and TLS are looked at, and read again when they have changed; SIGHUP has them read at once")
	fs.DurationVar(&f.hsts, "hsts", defaultHSTS, "with TLS, where the network reaches the server: how long browsers shall ask this host for nothing without TLS, on any port; 0: not at all")
	fs.BoolVar(&f.shared, "reuse-port", false, "let another roost serve with this flag listen on the same address, as in a rolling restart (Linux)")
	f.drain.register(fs)
	f.limits.register(fs)
	fs.Usage = func() {
		fmt.Fprint(stderr, "Usage: roost serve [flags]\n\nServes a playground, a socket and an API to publish; every topic relays.\n\n")
		fs.PrintDefaults()
	}
	if err = explained(fs, fs.Parse(args)); err != nil {
		return f, err
	}
	if fs.NArg() > 0 {
		return f, fmt.Errorf("serve takes no argument %q: flags come with a dash, as in -listen 127.0.0.1:4000", fs.Arg(0))
	}
	if err := errors.Join(f.drain.check(), f.limits.check(), f.tokens.check()); err != nil {
		return f, err
	}
	f.origins, f.hosts = listed(*origin), listed(*host)
	f.anyOrigin = slices.Contains(f.origins, "any")
	if f.proxies, err = transport.ParseProxies(*proxies); err != nil {
		return f, fmt.Errorf("flag -trusted-proxies: %w", err)
	}
	if f.outbox == 0 {
		f.outbox = 4 * f.maxFrame
	}
	return f, f.check()
}

// check says what is wrong with the flags.
func (f serveFlags) check() error {
	for _, h := range f.hosts {
		if _, _, err := net.SplitHostPort(h); err == nil || strings.ContainsAny(h, "/* \t") {
			return fmt.Errorf("flag -host: %q is no name: leave scheme, port, blanks and wildcards out, as in -host roost.example", h)
		}
	}
	switch {
	case f.listen == "":
		return errors.New("flag -listen is empty: give an address, as in -listen 127.0.0.1:4000, or leave the flag out")
	case f.anyOrigin && len(f.origins) > 1:
		return errors.New("flag -origin: any takes every page, so others beside it mean nothing: leave one or the other out")
	case f.header && len(f.proxies) == 0:
		return errors.New("flag -proxy-protocol needs -trusted-proxies: a PROXY header is believed of listed networks only, as in -trusted-proxies 10.0.0.0/8")
	case f.reload <= 0:
		return fmt.Errorf("flag -reload is %v: files are looked at now and then; the default is 10s", f.reload)
	case f.hsts < 0:
		return fmt.Errorf("flag -hsts is %v: 0 says nothing to browsers, and there is nothing below it", f.hsts)
	case f.maxFrame < 1:
		return fmt.Errorf("flag -max-frame is %d: at least one byte", f.maxFrame)
	case f.outbox < 1:
		return fmt.Errorf("flag -outbox is %d: at least one byte", f.outbox)
	}
	return nil
}

// listed splits what commas separate.
func listed(flag string) (items []string) {
	for item := range strings.SplitSeq(flag, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// names are the hosts that requests may ask for; none is any. A server that
// only this machine reaches has no other names than the machine has for itself:
// under another it would be a page from elsewhere that asks, whose name
// resolves to 127.0.0.1 (DNS rebinding).
func (f serveFlags) names(a net.Addr) []string {
	if !isLocal(a) && len(f.hosts) == 0 {
		return nil
	}
	names := append([]string{"localhost", "127.0.0.1", "::1"}, f.hosts...)
	if tcp, ok := a.(*net.TCPAddr); ok && !tcp.IP.IsUnspecified() {
		names = append(names, tcp.IP.String())
	}
	return names
}

// reached reports whether others than this machine reach the server: at its
// address, or through a proxy.
func (f serveFlags) reached(local bool) bool { return !local || len(f.proxies) > 0 }

// policy says which pages may connect. A server that only this machine reaches
// takes pages of this machine, on any port, under any of its names and those that
// -host adds.
func (f serveFlags) policy(local bool) (transport.OriginPolicy, error) {
	switch {
	case f.anyOrigin && f.reached(local) && f.tokens.file == "" && !f.insecure:
		return transport.OriginPolicy{}, errors.New("any, where the network reaches the server and nobody is asked who they are: " +
			"every page that somebody opens could join, push and read. List the pages, as in -origin https://app.example, " +
			"ask for tokens with -secret-file, or insist with -insecure")
	case f.anyOrigin:
		return transport.AnyOrigin(), nil
	case len(f.origins) > 0:
		return transport.OriginList(f.origins...)
	case local:
		own := []string{"//localhost", "//127.0.0.1", "//[::1]"}
		for _, h := range f.hosts {
			own = append(own, "//"+h)
		}
		return transport.OriginList(own...)
	default:
		return transport.SameConn(), nil
	}
}

// serve is `roost serve`: it relays until ctx is done.
func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, err := parseServe(args, stderr)
	if err != nil {
		return err
	}
	secured, err := f.tls.settings(f.reload, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: f.log}))
	guards, err := f.guards(stderr, log)
	if err != nil {
		return err
	}
	server := &roost.Server{Addr: f.listen, ReusePort: f.shared, DrainDelay: f.drain.delay}
	listener, err := server.Listen(ctx)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w\n%s", f.listen, err, f.listenMend(err))
	}
	local := isLocal(listener.Addr())
	origin, err := f.settle(local, stderr)
	if err != nil {
		_ = listener.Close()
		return err
	}
	guards.api.network = f.reached(local)
	drains := &progress{out: stdout}
	config := roost.Config{
		CheckOrigin: origin, Proxies: f.forwarders(), Limits: f.limits.Limits, Logger: log,
		WebSocket: websocket.Config{MaxFrame: f.maxFrame, Outbox: f.outbox},
		Drain:     f.drain.drain, DrainTimeout: f.drain.timeout, Telemetry: []telemetry.Handler{drains},
	}
	guards.visitors.guard(&config)
	endpoint := roost.NewEndpoint(config)
	f.limits.patterns.route(endpoint)
	f.limits.stand(server)
	api := &api{endpoint: endpoint, accepting: new(atomic.Bool), named: guards.visitors != nil}
	server.Endpoint, server.Listener, server.Handler = endpoint, listener, f.insisting(f.reached(local), routes(api, guards))
	server.Hosts, server.TLS, server.Logger, server.Services = f.names(listener.Addr()), secured, log, guards.followers
	server.OnListen = func(a net.Addr) {
		api.acceptUntil(ctx)
		fmt.Fprint(stdout, f.tls.addressed(greeting{a, len(f.hosts) > 0, f.tokens.file, guards.api}.String()))
	}
	if f.header {
		server.ProxyProtocol = f.proxies
	}
	told := make(chan struct{})
	unasked := context.AfterFunc(ctx, func() {
		defer close(told)
		drains.begin(f.drain.delay)
	})
	err = server.Run(ctx)
	if !unasked() {
		<-told
	}
	if err == nil {
		fmt.Fprintln(stdout, "Roost has stopped.")
	}
	return err
}

// forwarders are the proxies whose X-Forwarded-* is believed. With PROXY headers
// there are none: a connection whose header names nobody (UNKNOWN, LOCAL) has the
// proxy for its peer, and what its client says of itself would be taken for the
// proxy's word.
func (f serveFlags) forwarders() transport.Proxies {
	if f.header {
		return nil
	}
	return f.proxies
}

// insisting has browsers insist on TLS where the network reaches the server: on
// this machine they would do so for all else that it serves under localhost.
func (f serveFlags) insisting(reached bool, next http.Handler) http.Handler {
	if !reached {
		return next
	}
	return secureheaders.TLSOnly(f.hsts, next)
}

// settle decides, once it is known who can reach the server, which pages may
// connect and as whom the process goes on.
func (f serveFlags) settle(local bool, stderr io.Writer) (transport.OriginPolicy, error) {
	origin, err := f.policy(local)
	if err != nil {
		return origin, fmt.Errorf("flag -origin: %w", err)
	}
	rights := privilege{root: os.Geteuid() == 0, local: local, allowRoot: f.allowRoot, user: f.user}
	warning, err := rights.settle(become)
	fmt.Fprint(stderr, warning)
	return origin, err
}

// listenMend says what to do when listening failed.
func (f serveFlags) listenMend(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && f.shared:
		return "Who listens there must have been started with -reuse-port, too, and by the same user. If it was not, end it first, or choose another address."
	case errors.Is(err, syscall.EADDRINUSE):
		return "Is another server running there? Choose another address: roost serve -listen 127.0.0.1:4001"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "This machine has no such address. \":4000\" is every one that it has."
	case errors.Is(err, syscall.EACCES):
		return "Ports below 1024 take root, or the capability CAP_NET_BIND_SERVICE: start as root with -user, or choose another port."
	}
	return "An address is a host and a port, as in -listen 127.0.0.1:4000; \":4000\" is every interface."
}

func routes(a *api, g guards) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", playground.Handler(playground.Options{Token: g.visitors != nil, Key: g.api.keys != nil}))
	foreign := http.NewCrossOriginProtection()
	foreign.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusForbidden, "pages from elsewhere cannot publish: call this from your backend, or from a page of this server")
	}))
	mux.Handle("/api/", foreign.Handler(g.api.before(a)))
	mux.HandleFunc("GET /healthz", a.health)
	mux.HandleFunc("GET /readyz", a.ready)
	return secureheaders.Handler(mux)
}

func isLocal(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
