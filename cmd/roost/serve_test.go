package main

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roostgo/roost/test/client"
)

// patience bounds every wait; what takes as long has failed.
const patience = 20 * time.Second

// served is a `roost serve` that runs in this process.
type served struct {
	addr     string
	greeting string
	heard    heard
	problems *journal
	stop     context.CancelFunc
	ended    chan error
}

// heard gets what a program writes to its standard output.
type heard chan string

func (h heard) Write(p []byte) (int, error) {
	h <- string(p)
	return len(p), nil
}

// journal gets what a program writes to its standard error.
type journal struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

var address = regexp.MustCompile(`https?://(\S+)\n`)

// serveFor runs `roost serve` on a port of its own, until the test ends.
func serveFor(t *testing.T, args ...string) *served {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &served{heard: make(heard, 16), problems: new(journal), stop: stop, ended: make(chan error, 1)}
	done := make(chan struct{})
	go func() { // ends with ctx; the cleanup waits
		defer close(done)
		s.ended <- run(ctx, append([]string{"serve", "-listen", "127.0.0.1:0"}, args...), s.heard, s.problems)
	}()
	t.Cleanup(func() { stop(); <-done })
	s.greeting = receive(t, s.heard, "greeting")
	s.addr = address.FindStringSubmatch(s.greeting)[1]
	return s
}

// receive waits for a value that the test is about.
func receive[C ~chan T, T any](t *testing.T, from C, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s after %v", what, patience)
		panic("unreachable")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *served) open(t *testing.T, vsn string, header http.Header) *client.Conn {
	t.Helper()
	return client.Open(t, s.socket(vsn), client.Options{Header: header})
}

func (s *served) socket(vsn string) string {
	return "ws://" + s.addr + "/socket/websocket?vsn=" + vsn
}

// get asks for a path and returns the status and the body.
func (s *served) get(t *testing.T, path string) (int, string) {
	t.Helper()
	return do(t, http.MethodGet, "http://"+s.addr+path, nil, "")
}

// do sends one request on a connection of its own.
func do(t *testing.T, method, url string, header http.Header, body string) (int, string) {
	t.Helper()
	return doAs(t, "", method, url, header, body)
}

// doAs is do for a host that is not the URL's.
func doAs(t *testing.T, host, method, url string, header http.Header, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	req.Host = host
	maps.Copy(req.Header, header)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(b)
}

func TestTwoClientsTalk(t *testing.T) {
	s := serveFor(t)
	ann, bob := s.open(t, "2.0.0", nil), s.open(t, "2.0.0", nil)
	ann.Join(t, "room:lobby", "1", "")
	bob.Join(t, "room:lobby", "1", "")
	must(t, ann.Push("1", "2", "room:lobby", "shout", `{"body":"hello"}`))
	for _, c := range []*client.Conn{ann, bob} {
		c.Expect(t, `[null,null,"room:lobby","shout",{"body":"hello"}]`)
	}
	ann.ExpectReply(t, "1", "2", "room:lobby", "ok")
}

func TestClientsOfBothVersionsTalk(t *testing.T) {
	s := serveFor(t)
	modern, old := s.open(t, "2.0.0", nil), s.open(t, "1.0.0", nil)
	modern.Join(t, "any topic at all", "1", "")
	must(t, old.SendText(`{"topic":"any topic at all","event":"phx_join","payload":{},"ref":"1"}`))
	old.Next(t)
	must(t, old.SendText(`{"topic":"any topic at all","event":"shout","payload":{"a":[1,2]},"ref":"2"}`))
	modern.Expect(t, `[null,null,"any topic at all","shout",{"a":[1,2]}]`)
}

func TestTheGreetingSaysWhatIsServedWhere(t *testing.T) {
	s := serveFor(t)
	for _, want := range []string{
		"http://" + s.addr + "/\n", "ws://" + s.addr + "/socket/websocket", "http://" + s.addr + "/api/broadcast",
		"/healthz", "/readyz", "Only this machine can reach it",
	} {
		if !strings.Contains(s.greeting, want) {
			t.Errorf("it does not say %q:\n%s", want, s.greeting)
		}
	}
	if status, page := s.get(t, "/"); status != http.StatusOK || !strings.Contains(page, "<html") {
		t.Errorf("the playground: got %d %.80q", status, page)
	}
}

var pasted = regexp.MustCompile(`curl -H '([^:]+): ([^']+)' -d '([^']+)' (\S+)`)

func TestTheLineToPasteMakesAMessageAppear(t *testing.T) {
	s := serveFor(t)
	c := s.open(t, "2.0.0", nil)
	c.Join(t, "room:lobby", "1", "") // as the playground does
	line := pasted.FindStringSubmatch(s.greeting)
	if line == nil {
		t.Fatalf("no curl line in:\n%s", s.greeting)
	}
	header := http.Header{http.CanonicalHeaderKey(line[1]): {line[2]}}
	if status, body := do(t, http.MethodPost, line[4], header, line[3]); status != http.StatusOK {
		t.Errorf("got %d %s", status, body)
	}
	c.Expect(t, `[null,null,"room:lobby","shout",{"body":"hello from curl"}]`)
}

func TestTheGreetingWarnsWhenTheNetworkIsLetIn(t *testing.T) {
	text := greeting{addr: &net.TCPAddr{IP: net.IPv6unspecified, Port: 4000}}.String()
	for _, want := range []string{"http://localhost:4000/", "Everybody who can reach", "nobody is asked who they are", "Any host name will do"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

func TestTheGreetingSaysWhoIsAskedForWhat(t *testing.T) {
	local, network := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000}, &net.TCPAddr{IP: net.IPv4zero, Port: 4000}
	keys := new(atomic.Pointer[apiKeys])
	for _, c := range []struct {
		greeting greeting
		says     []string
		without  []string
	}{
		{greeting{addr: local}, []string{"  curl -H 'content-type"}, []string{"token", "key", "Nobody"}},
		{
			greeting{addr: local, secret: "the.secret", api: gate{keys: keys}},
			[]string{"roost token -secret-file the.secret 42", `socket", {authToken: TOKEN})`, `curl -H "authorization: Bearer $ROOST_API_KEY" -H 'content-type`},
			[]string{"Nobody"},
		},
		{greeting{addr: local, api: gate{network: true}}, []string{"what -trusted-proxies pass on", "Everybody whom they let through can join and push"}, []string{"-listen :4000"}},
		{greeting{addr: network, api: gate{network: true}}, []string{"can join and push", "Nobody can publish: -api-keys FILE"}, []string{"curl"}},
		{greeting{addr: network, api: gate{network: true, insecure: true}}, []string{"can join, push and publish", "  curl -H 'content-type"}, nil},
		{
			greeting{addr: network, secret: "s", api: gate{network: true, insecure: true}},
			[]string{"can publish: the API asks for no key"},
			[]string{"nobody is asked who they are"},
		},
		{greeting{addr: network, secret: "s", api: gate{network: true, keys: keys}}, []string{"Clients need a token"}, []string{"Everybody"}},
	} {
		text := c.greeting.String()
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%+v: it does not say %q:\n%s", c.greeting, want, text)
			}
		}
		for _, wrong := range c.without {
			if strings.Contains(text, wrong) {
				t.Errorf("%+v: it says %q:\n%s", c.greeting, wrong, text)
			}
		}
	}
}

func TestTheGreetingDoesNotOfferWhatWasAskedFor(t *testing.T) {
	if text := (greeting{addr: &net.TCPAddr{IP: net.IPv4zero, Port: 4000}, named: true}).String(); strings.Contains(text, "-host") {
		t.Errorf("got %s", text)
	}
}

func TestAddressesAreToldApart(t *testing.T) {
	for text, want := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "0.0.0.0:1": false, "192.0.2.1:1": false} {
		a, err := net.ResolveTCPAddr("tcp", text)
		must(t, err)
		if isLocal(a) != want {
			t.Errorf("%s: got %v", text, !want)
		}
	}
	if isLocal(&net.UnixAddr{}) {
		t.Error("a socket that is no TCP passes for one")
	}
}

func TestAServerThatStopsTellsItsClients(t *testing.T) {
	s := serveFor(t)
	c := s.open(t, "2.0.0", nil)
	c.Join(t, "room:lobby", "1", "")
	s.stop()
	c.ExpectClose(t, 1012)
	must(t, receive(t, s.ended, "end"))
	said := []string{receive(t, s.heard, "progress"), receive(t, s.heard, "progress")} // two who speak: in any order
	slices.Sort(said)
	if want := []string{
		"Draining: 1 of 1 connections told to come back (wave 1 of 1).\n",
		"Stopping: connections are told to come back. A second signal ends at once.\n",
	}; !slices.Equal(said, want) {
		t.Errorf("got %q", said)
	}
	if last := receive(t, s.heard, "farewell"); last != "Roost has stopped.\n" {
		t.Errorf("got %q", last)
	}
}

func TestHealthAndReadinessAreTwoThings(t *testing.T) {
	s := serveFor(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := s.get(t, path); status != http.StatusOK || body != `{"status":"ok"}`+"\n" {
			t.Errorf("%s: got %d %q", path, status, body)
		}
	}
}

func TestWhatHindersListeningIsExplained(t *testing.T) {
	s := serveFor(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-listen", s.addr, "-reuse-port"}, "must have been started with -reuse-port, too"},
		{[]string{"-listen", "203.0.113.1:4000", "-allow-root"}, "This machine has no such address"}, // RFC 5737
		{[]string{"-listen", "nowhere"}, "An address is a host and a port"},
	} {
		if _, _, err := told(t, append([]string{"serve"}, tt.args...)...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v", tt.args, err)
		}
	}
}

func TestAPortInUseIsExplained(t *testing.T) {
	s := serveFor(t)
	_, _, err := told(t, "serve", "-listen", s.addr)
	if err == nil || !strings.Contains(err.Error(), s.addr) || !strings.Contains(err.Error(), "Choose another address: roost serve -listen") {
		t.Errorf("got %v", err)
	}
}

func TestFlagsAreRead(t *testing.T) {
	f, err := parseServe([]string{"--listen", ":4001", "-log=debug", "-origin", " https://a.example, //*.b.example,", "-host", "a.example,b.example"}, io.Discard)
	must(t, err)
	if !slices.Equal(f.hosts, []string{"a.example", "b.example"}) {
		t.Errorf("hosts: got %q", f.hosts)
	}
	if f.listen != ":4001" || f.log != slog.LevelDebug || !slices.Equal(f.origins, []string{"https://a.example", "//*.b.example"}) {
		t.Errorf("got %+v", f)
	}
	f, err = parseServe(nil, io.Discard)
	must(t, err)
	if f.listen != "127.0.0.1:4000" || f.log != slog.LevelWarn || f.origins != nil || f.hosts != nil {
		t.Errorf("without flags: got %+v", f)
	}
}

func TestWrongFlagsAreExplained(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"4001"}, `no argument "4001": flags come with a dash`},
		{[]string{"-port", "1"}, "flag provided but not defined: -port"},
		{[]string{"-log", "loud"}, "it takes debug, info, warn or error"},
		{[]string{"-origin", "https://", "-listen", "127.0.0.1:0"}, "flag -origin"},
		{[]string{"-host", "https://roost.example"}, `flag -host: "https://roost.example" is no name`},
		{[]string{"-host", "a.example, roost.example:4000"}, "as in -host roost.example"},
		{[]string{"-trusted-proxies", "10.0.0.0/8,here"}, `flag -trusted-proxies: transport: "here": expected a network`},
		{[]string{"-origin", "any,https://a.example"}, "flag -origin: any takes every page"},
		{[]string{"-origin", "any", "-listen", ":0"}, "or insist with -insecure"},
		{[]string{"-user", "nobody-of-that-name", "-listen", "127.0.0.1:0"}, "flag -user: user: unknown user"},
		{[]string{"-origin", "any", "-listen", "127.0.0.1:0", "-trusted-proxies", "10.0.0.0/8"}, "ask for tokens with -secret-file"},
		{[]string{"-hsts", "-1s"}, "flag -hsts is -1s"},
		{[]string{"-token-max-age", "-1h"}, "no token would be young enough"},
		{[]string{"-token-max-age", "1h"}, "need -secret-file"},
		{[]string{"-token-salt", "other"}, "need -secret-file"},
		{[]string{"-secret-file", "nowhere"}, "flag -secret-file: open nowhere"},
		{[]string{"-api-keys", "nowhere"}, "flag -api-keys: open nowhere"},
		{[]string{"-proxy-protocol"}, "flag -proxy-protocol needs -trusted-proxies"},
		{[]string{"-listen", "here"}, "cannot listen on here"},
	} {
		_, _, err := told(t, append([]string{"serve"}, c.args...)...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.args, err, c.want)
		}
	}
}

func TestAPageThatAProxyServesConnects(t *testing.T) {
	said := http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"app.example"}, "Origin": {"https://app.example"}}
	for args, refused := range map[string]bool{"-trusted-proxies=127.0.0.1": false, "-trusted-proxies=10.0.0.0/8": true} {
		f, err := parseServe([]string{args}, io.Discard)
		must(t, err)
		policy, err := f.policy(false)
		must(t, err)
		r := httptest.NewRequest(http.MethodGet, "http://localhost/socket/websocket", nil)
		r.Header, r.RemoteAddr = said, "127.0.0.1:1"
		if policy.Behind(f.proxies).Allows(r) == refused {
			t.Errorf("%s: refused %v", args, !refused)
		}
	}
}

func TestConnectionsOfAProxyBeginWithAHeader(t *testing.T) {
	s := serveFor(t, "-trusted-proxies", "127.0.0.1", "-proxy-protocol")
	announced := client.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			_, err = nc.Write([]byte("PROXY TCP4 203.0.113.9 10.0.0.2 12345 4000\r\n"))
		}
		return nc, err
	}}
	client.Open(t, s.socket("2.0.0"), announced).ExpectQuiet(t)
	if _, _, err := client.Dial(t.Context(), s.socket("2.0.0"), client.Options{}); err == nil {
		t.Error("it connects without one")
	}
}

func TestForwardedHeadersAreNotBelievedBehindAPROXYHeader(t *testing.T) {
	for _, c := range []struct {
		args    []string
		believe bool
	}{{[]string{"-trusted-proxies", "127.0.0.1"}, true}, {[]string{"-trusted-proxies", "127.0.0.1", "-proxy-protocol"}, false}} {
		f, err := parseServe(c.args, io.Discard)
		must(t, err)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Header = "127.0.0.1:1", http.Header{"X-Forwarded-For": {"203.0.113.9"}}
		if got := f.forwarders().ClientAddr(r).String(); (got == "203.0.113.9") != c.believe {
			t.Errorf("%q: the client is %s", c.args, got)
		}
	}
}

func TestPagesOfThisMachineConnectAndOthersDoNot(t *testing.T) {
	s := serveFor(t)
	for _, origin := range []string{"http://localhost:3000", "http://127.0.0.1:4000", "http://[::1]:1", "https://localhost"} {
		s.open(t, "2.0.0", http.Header{"Origin": {origin}}).ExpectQuiet(t)
	}
	for _, origin := range []string{"https://evil.example", "http://localhost.evil.example", "null", ""} {
		client.Refused(t, s.socket("2.0.0"), client.Options{Header: http.Header{"Origin": {origin}}}, http.StatusForbidden)
	}
}

func TestOriginsFollowTheAddressAndTheFlag(t *testing.T) {
	for _, c := range []struct {
		name    string
		flags   serveFlags
		local   bool
		origin  string
		allowed bool
	}{
		{"its own page, on the network", serveFlags{}, false, "http://example.com", true},
		{"a foreign page, on the network", serveFlags{}, false, "http://localhost", false},
		{"any page, on this machine", serveFlags{anyOrigin: true}, true, "https://evil.example", true},
		{"any page, on the network, with a token", serveFlags{anyOrigin: true, tokens: tokenFlags{file: "secret"}}, false, "https://evil.example", true},
		{"any page, on the network, for those who insist", serveFlags{anyOrigin: true, insecure: true}, false, "https://evil.example", true},
		{"a page that the flag names", serveFlags{origins: []string{"https://app.example"}}, true, "https://app.example", true},
		{"a page that it does not name", serveFlags{origins: []string{"https://app.example"}}, true, "http://localhost", false},
	} {
		policy, err := c.flags.policy(c.local)
		must(t, err)
		r := httptest.NewRequest(http.MethodGet, "http://example.com/socket/websocket", nil)
		r.Header.Set("Origin", c.origin)
		if policy.Allows(r) != c.allowed {
			t.Errorf("%s: got %v", c.name, !c.allowed)
		}
	}
}

func TestAPageWhoseNameResolvesToThisMachineIsRefusedEverywhere(t *testing.T) { // DNS rebinding
	s := serveFor(t)
	c := s.subscriber(t)
	rebound := with(asJSON, "Origin", "http://evil.example:4000")
	rebound.Set("Sec-Fetch-Site", "same-origin") // so it is, to the browser
	for _, r := range []struct{ method, path string }{
		{http.MethodPost, "/api/broadcast"}, {http.MethodGet, "/"}, {http.MethodGet, "/healthz"}, {http.MethodGet, "/socket/websocket"},
	} {
		status, body := doAs(t, "evil.example:4000", r.method, "http://"+s.addr+r.path, rebound, `{"topic":"room:1","event":"shout"}`)
		if status != http.StatusMisdirectedRequest || !strings.Contains(body, "-host evil.example") {
			t.Errorf("%s %s: got %d %s", r.method, r.path, status, body)
		}
	}
	client.Refused(t, s.socket("2.0.0"), client.Options{Host: "evil.example:4000"}, http.StatusMisdirectedRequest)
	c.ExpectQuiet(t)
}

func TestThisMachinesNamesAndThoseOfTheFlagAreAnswered(t *testing.T) {
	s := serveFor(t, "-host", "roost.example")
	for _, host := range []string{"localhost", "localhost:4000", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:4000", "roost.example:4000"} {
		if status, body := doAs(t, host, http.MethodGet, "http://"+s.addr+"/healthz", nil, ""); status != http.StatusOK {
			t.Errorf("%s: got %d %s", host, status, body)
		}
	}
	own := http.Header{"Origin": {"http://roost.example:4000"}}
	client.Open(t, s.socket("2.0.0"), client.Options{Host: "roost.example:4000", Header: own}).ExpectQuiet(t)
	if status, _ := doAs(t, "evil.example", http.MethodGet, "http://"+s.addr+"/healthz", nil, ""); status != http.StatusMisdirectedRequest {
		t.Errorf("another name: got %d", status)
	}
}

func TestNamesFollowTheAddressAndTheFlag(t *testing.T) {
	network, one, local := &net.TCPAddr{IP: net.IPv4zero}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}
	flags := serveFlags{hosts: []string{"roost.example"}}
	for _, c := range []struct {
		name  string
		flags serveFlags
		addr  net.Addr
		want  []string
	}{
		{"the network", serveFlags{}, network, nil},
		{"this machine", serveFlags{}, local, []string{"localhost", "127.0.0.1", "::1", "127.0.0.2"}},
		{"the network, with names", flags, network, []string{"localhost", "127.0.0.1", "::1", "roost.example"}},
		{"one address, with names", flags, one, []string{"localhost", "127.0.0.1", "::1", "roost.example", "192.0.2.1"}},
	} {
		if got := c.flags.names(c.addr); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q", c.name, got)
		}
	}
}

func TestLimitsOfTheFlagsHold(t *testing.T) {
	s := serveFor(t, "-max-connections", "1", "-message-rate", "1/h burst 2")
	c := s.open(t, "2.0.0", nil)
	c.Join(t, "room:1", "1", "")
	must(t, c.Push("1", "2", "room:1", "e", ""))
	c.Expect(t, `[null,null,"room:1","e",{}]`)
	c.ExpectReply(t, "1", "2", "room:1", "ok")
	must(t, c.Push("1", "3", "room:1", "e", ""))
	if got := string(c.ExpectReply(t, "1", "3", "room:1", "error")); !strings.Contains(got, "too many messages") {
		t.Errorf("got %s", got)
	}
	client.Refused(t, "ws://"+s.addr+"/socket/websocket?vsn=2.0.0", client.Options{}, http.StatusServiceUnavailable)
}

func TestLimitsThatAreNoneAreExplained(t *testing.T) {
	for _, args := range [][]string{{"-max-connections", "-1"}, {"-connect-rate", "often"}} {
		if _, problems, err := told(t, append([]string{"serve"}, args...)...); err == nil {
			t.Errorf("%q: %s", args, problems)
		}
	}
}
