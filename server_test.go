package roost_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

// patience bounds every wait; what takes as long has failed.
const patience = 20 * time.Second

// diary is what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) expect(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.lines, want) {
		t.Errorf("got  %q\nwant %q", d.lines, want)
	}
}

// pool is a service that takes its time to get ready.
type pool struct {
	diary *diary
	may   chan struct{} // closed when it may get ready
	ready chan struct{}
}

func newPool(d *diary) *pool {
	return &pool{diary: d, may: make(chan struct{}), ready: make(chan struct{})}
}

func (p *pool) Run(ctx context.Context) error {
	p.diary.note("pool starts")
	<-p.may
	p.diary.note("pool is ready")
	close(p.ready)
	<-ctx.Done()
	p.diary.note("pool stops")
	return nil
}

func (p *pool) Ready() <-chan struct{} { return p.ready }

// guest is a channel that writes its end into the diary.
type guest struct{ diary *diary }

func (g *guest) Join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), nil
}

func (g *guest) HandleIn(context.Context, *roost.Socket, string, roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), nil
}

func (g *guest) Terminate(context.Context, *roost.Socket, error) { g.diary.note("channel ends") }

// running is a server that runs.
type running struct {
	addr      string
	stop      context.CancelFunc
	listening chan string // gets the address when clients are accepted
	ended     chan error  // gets what Run returned
}

// start runs a server on a port of its own and waits until it accepts.
func start(t *testing.T, s *roost.Server) *running {
	t.Helper()
	r := launch(t, s)
	r.addr = receive(t, r.listening, "address")
	return r
}

// launch runs a server, and ends it with the test.
func launch(t *testing.T, s *roost.Server) *running {
	t.Helper()
	if s.Endpoint == nil {
		s.Endpoint = roost.NewEndpoint(roost.Config{})
	}
	s.Endpoint.Undisturbed()
	s.Addr = cmp.Or(s.Addr, "127.0.0.1:0")
	ctx, stop := context.WithCancel(t.Context())
	r := &running{stop: stop, listening: make(chan string, 1), ended: make(chan error, 1)}
	told := s.OnListen
	s.OnListen = func(a net.Addr) {
		if told != nil {
			told(a)
		}
		r.listening <- a.String()
	}
	done := make(chan struct{})
	go func() { defer close(done); r.ended <- s.Run(ctx) }() // ends with ctx; the cleanup waits
	t.Cleanup(func() { stop(); <-done })
	return r
}

func (r *running) url(path string) string { return "ws://" + r.addr + path + "?vsn=2.0.0" }

// expectEnd waits until Run has returned, without an error.
func (r *running) expectEnd(t *testing.T) {
	t.Helper()
	if err := receive(t, r.ended, "end of Run"); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// receive waits for a value that the test is about.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s after %v", what, patience)
		panic("unreachable")
	}
}

func TestServicesStartBeforeClientsAreAcceptedAndStopAfterTheirChannels(t *testing.T) {
	var d diary
	p := newPool(&d)
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("room:*", func() roost.Channel { return &guest{&d} })
	r := launch(t, &roost.Server{
		Endpoint: endpoint, Services: []roost.Service{p},
		OnListen: func(net.Addr) { d.note("clients are accepted") },
	})
	close(p.may)
	r.addr = receive(t, r.listening, "address")

	c := client.Open(t, r.url("/socket/websocket"), client.Options{})
	c.Join(t, "room:1", "1", "")
	r.stop()
	c.ExpectClose(t, 1012)
	r.expectEnd(t)
	d.expect(t, "pool starts", "pool is ready", "clients are accepted", "channel ends", "pool stops")
}

func TestAServerThatIsStoppedWhileAServiceStartsAcceptsNobody(t *testing.T) {
	var d diary
	p := newPool(&d)
	r := launch(t, &roost.Server{Services: []roost.Service{p}, OnListen: func(net.Addr) { d.note("clients are accepted") }})
	r.stop()
	close(p.may)
	r.expectEnd(t)
	if d.mu.Lock(); slices.Contains(d.lines, "clients are accepted") {
		t.Errorf("got %q", d.lines)
	}
	d.mu.Unlock()
}

func TestClientsOfAServerThatStopsAreToldToComeBack(t *testing.T) {
	r := start(t, &roost.Server{})
	c := client.Open(t, r.url("/socket/websocket"), client.Options{})
	c.ExpectQuiet(t)
	r.stop()
	c.ExpectClose(t, 1012)
	c.ExpectEOF(t)
	r.expectEnd(t)
	if _, _, err := client.Dial(t.Context(), r.url("/socket/websocket"), client.Options{}); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a server that has stopped: got %v", err)
	}
}

// flaky is a service that fails in several ways before it works.
type flaky struct {
	ways  []func() error
	works chan struct{}
}

func (f *flaky) Run(ctx context.Context) error {
	if len(f.ways) > 0 {
		fail := f.ways[0]
		f.ways = f.ways[1:]
		return fail()
	}
	f.works <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

func TestAServiceThatFailsIsStartedAgainAndItIsLogged(t *testing.T) {
	var log lines
	f := &flaky{works: make(chan struct{}, 1), ways: []func() error{
		func() error { return errors.New("the database is away") },
		func() error { panic("the database is odd") },
		func() error { return nil },
	}}
	r := start(t, &roost.Server{Services: []roost.Service{f}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	receive(t, f.works, "service that works")
	client.Open(t, r.url("/socket/websocket"), client.Options{}).Drop()
	r.stop()
	r.expectEnd(t)
	for _, want := range []string{"*roost_test.flaky", "the database is away", "the database is odd"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, log.String())
		}
	}
}

// lines is a log in memory.
type lines struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestAPortInUseIsExplained(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	defer taken.Close()
	var d diary
	p := newPool(&d)
	err = (&roost.Server{
		Endpoint: roost.NewEndpoint(roost.Config{}), Addr: taken.Addr().String(), Services: []roost.Service{p},
	}).Run(t.Context())
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{taken.Addr().String(), "is another server running there?", "choose another address"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	d.expect(t) // no service was started for nothing
}

func TestAServerWithoutAnEndpointSaysSo(t *testing.T) {
	err := new(roost.Server).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "set it to what NewEndpoint returned") {
		t.Errorf("got %v", err)
	}
}

func TestTheListenerOfTheUserIsUsed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	r := start(t, &roost.Server{Listener: l, Addr: "256.0.0.1:1"})
	if r.addr != l.Addr().String() {
		t.Errorf("got %s, want %s", r.addr, l.Addr())
	}
	client.Open(t, r.url("/socket/websocket"), client.Options{}).ExpectQuiet(t)
}

// torn is a listener that breaks.
type torn struct{ net.Listener }

var errTorn = errors.New("the wire is cut")

func (torn) Accept() (net.Conn, error) { return nil, errTorn }

func TestAListenerThatBreaksEndsTheServerAndItsServices(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	var d diary
	p := newPool(&d)
	close(p.may)
	err = (&roost.Server{
		Endpoint: roost.NewEndpoint(roost.Config{}), Listener: torn{l}, Services: []roost.Service{p},
		Logger: slog.New(slog.DiscardHandler),
	}).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), errTorn.Error()) {
		t.Errorf("got %v", err)
	}
	d.expect(t, "pool starts", "pool is ready", "pool stops")
}

// tearing is a listener that breaks when it is told to.
type tearing struct {
	net.Listener
	tear chan struct{}
}

func (l tearing) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	select {
	case <-l.tear:
		return nil, errTorn
	default:
		return c, err
	}
}

func TestWhenAListenerBreaksRequestsEndBeforeTheServicesThatTheyUse(t *testing.T) {
	bound, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	l := tearing{bound, make(chan struct{})}
	entered := make(chan struct{})
	var d diary
	p := newPool(&d)
	close(p.may)
	slow := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-l.tear
		d.note("request ends")
	})
	ended := make(chan error, 1)
	server := &roost.Server{
		Endpoint: roost.NewEndpoint(roost.Config{}), Listener: l, Services: []roost.Service{p}, Handler: slow,
		Logger: slog.New(slog.DiscardHandler),
	}
	go func() { ended <- server.Run(t.Context()) }() // ends when the listener breaks; read below
	c, err := net.Dial("tcp", bound.Addr().String())
	must(err)
	defer c.Close()
	must(c.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	must(err)
	<-entered
	close(l.tear)
	_ = bound.Close()
	if err := receive(t, ended, "the end"); err == nil {
		t.Error("no error")
	}
	if _, err := io.Copy(io.Discard, c); err != nil { // the end, not the deadline
		t.Errorf("the connection goes on: %v", err)
	}
	d.expect(t, "pool starts", "pool is ready", "request ends", "pool stops")
}

func TestASlowHeadIsCutOff(t *testing.T) {
	r := start(t, &roost.Server{ReadHeaderTimeout: 20 * time.Millisecond})
	c, err := net.Dial("tcp", r.addr)
	must(err)
	defer c.Close()
	must(c.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, "GET /socket/websocket HTTP/1.1\r\nHost: a\r\n") // and nothing more
	must(err)
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) { // the end or a reset, not the deadline
		t.Errorf("got %v", err)
	}
}

func TestAClientThatReadsNoAnswerIsCutOff(t *testing.T) {
	long := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 64<<10)) })
	s := &roost.Server{WriteTimeout: 50 * time.Millisecond, MaxHandshakes: 1, Handler: long}
	r := start(t, s)
	c, err := net.Dial("tcp", r.addr)
	must(err)
	defer c.Close()
	must(c.SetDeadline(time.Now().Add(patience)))
	for err == nil { // until it is cut; net/http reads a request when the answer before it is written
		_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("it has its place still")
	}
	eventually(t, r.url("/socket/websocket"))
}

func TestTheHeadTimeOutDoesNotHoldForSockets(t *testing.T) {
	r := start(t, &roost.Server{ReadHeaderTimeout: time.Millisecond * 20, ReadTimeout: time.Millisecond * 20})
	c := eventually(t, r.url("/socket/websocket")) // whose head came in time
	past, err := net.Dial("tcp", r.addr)           // connected later, and cut off: the time has passed
	must(err)
	defer past.Close()
	must(past.SetDeadline(time.Now().Add(patience)))
	_, err = io.Copy(io.Discard, past)
	must(err)
	c.ExpectQuiet(t)
}

func TestEmptySegmentsInASocketsPathDoNotMatter(t *testing.T) { // clause 3
	mux := http.NewServeMux() // redirects to clean paths, if it is asked
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "page "+r.URL.Path) })
	r := start(t, &roost.Server{Handler: mux})
	client.Open(t, r.url("//socket//websocket"), client.Options{}).ExpectQuiet(t)
	if status, body := ask(t, r, "/socket"); status != http.StatusOK || body != "page /socket" {
		t.Errorf("got %d %q: other paths are the handler's", status, body)
	}
}

func TestAServerWithoutAHandlerAnswersNotFound(t *testing.T) {
	r := start(t, &roost.Server{})
	if status, _ := ask(t, r, "/"); status != http.StatusNotFound {
		t.Errorf("got %d", status)
	}
}

func TestALongHeadIsRefused(t *testing.T) {
	r := start(t, &roost.Server{MaxHeaderBytes: 1 << 10})
	if status, _ := ask(t, r, "/?"+strings.Repeat("a", 16<<10)); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d", status)
	}
}

// ask sends one GET on a connection of its own.
func ask(t *testing.T, r *running, target string) (status int, body string) {
	t.Helper()
	c, err := net.Dial("tcp", r.addr)
	must(err)
	defer c.Close()
	must(c.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, "GET "+target+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	must(err)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	must(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(err)
	return resp.StatusCode, string(b)
}

func TestAPanicInOnListenEndsTheServerWithAnError(t *testing.T) {
	var d diary
	p := newPool(&d)
	close(p.may)
	ended := make(chan error, 1)
	s := &roost.Server{
		Endpoint: roost.NewEndpoint(roost.Config{}), Addr: "127.0.0.1:0", Services: []roost.Service{p},
		OnListen: func(net.Addr) { panic("no such file: port.txt") }, Logger: slog.New(slog.DiscardHandler),
	}
	go func() { ended <- s.Run(t.Context()) }() // ends by itself; read below
	err := receive(t, ended, "end of the server")
	if _, ok := errors.AsType[*roost.PanicError](err); !ok || !strings.Contains(err.Error(), "Server.OnListen") || !strings.Contains(err.Error(), "port.txt") {
		t.Errorf("got %v", err)
	}
	d.expect(t, "pool starts", "pool is ready", "pool stops")
}

func TestCallbacksThatStillRunAtTheEndAreReported(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	e := roost.NewEndpoint(roost.Config{DrainTimeout: 20 * time.Millisecond})
	e.Channel("*", roost.ChannelOf(func(*struct{}, context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
		close(entered)
		<-release
		return roost.NoReply(), nil
	}))
	r := start(t, &roost.Server{Endpoint: e})
	c := client.Open(t, r.url("/socket/websocket"), client.Options{})
	must(c.Push("1", "1", "room:1", "phx_join", "{}"))
	receive(t, entered, "join")
	r.stop()
	if err := receive(t, r.ended, "end of the server"); err == nil || !strings.Contains(err.Error(), "1 channel callbacks still run") {
		t.Errorf("got %v", err)
	}
}

func TestRequestsForOtherHostsAreRefusedWhereverTheyGo(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	r := start(t, &roost.Server{Handler: page, Hosts: []string{"localhost", "::1", "[fd00::1]", "Roost.example"}})
	for host, ok := range map[string]bool{
		"localhost": true, "localhost:4000": true, "LOCALHOST:1": true, "[::1]:4000": true, "[::1]": true, "[fd00::1]:9": true,
		"roost.example": true, "evil.example": false, "evil.example:4000": false, "localhost.evil.example": false,
		"127.0.0.1": false, "a.roost.example": false, "[::2]": false,
	} {
		resp := askFor(t, r, host)
		if want := map[bool]int{true: http.StatusOK, false: http.StatusMisdirectedRequest}[ok]; resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", host, resp.StatusCode, want)
		}
	}
	body := client.Refused(t, r.url("/socket/websocket"), client.Options{Host: "evil.example:4000"}, http.StatusMisdirectedRequest)
	for _, want := range []string{`"evil.example:4000"`, "-host evil.example,", "Server.Hosts"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q does not say %q", body, want)
		}
	}
	client.Open(t, r.url("/socket/websocket"), client.Options{Host: "localhost:1"}).ExpectQuiet(t)
}

func askFor(t *testing.T, r *running, host string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.addr+"/", nil)
	must(err)
	req.Host, req.Close = host, true
	resp, err := http.DefaultClient.Do(req)
	must(err)
	must(resp.Body.Close())
	return resp
}
