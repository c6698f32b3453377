package transport_test

import (
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/roostgo/roost/transport"
)

// from is a request with these Origin headers to http://host.com:4000/.
func from(origins ...string) *http.Request {
	r := &http.Request{Host: "host.com:4000", Header: http.Header{}}
	if len(origins) > 0 {
		r.Header["Origin"] = origins
	}
	return r
}

func origins(t testing.TB, entries ...string) transport.OriginPolicy {
	t.Helper()
	p, err := transport.OriginList(entries...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type originCase struct {
	name   string
	policy transport.OriginPolicy
	allow  []string
	refuse []string
}

func (tt originCase) run(t *testing.T) {
	for _, o := range tt.allow {
		if !tt.policy.Allows(from(o)) {
			t.Errorf("%v refuse %q", tt.policy, o)
		}
	}
	for _, o := range tt.refuse {
		if tt.policy.Allows(from(o)) {
			t.Errorf("%v allow %q", tt.policy, o)
		}
	}
}

func TestAnOriginIsCheckedAsItsPolicySays(t *testing.T) {
	same := transport.SameHost("host.com")
	list := origins(t, "https://example.com", "//other.com")
	hostless := []string{"null", "", "host.com", "host.com:80", "example.com", "https:example.com", "https:/example.com", "/host.com"}
	for _, tt := range []originCase{
		{"clause 31: an empty header under true", same, nil, []string{""}},
		{"clause 31: an empty header under a list", list, nil, []string{""}},
		{"clause 32: false accepts everything", transport.AnyOrigin(),
			[]string{"null", "file://", "", "http://x", "\x00", "http://[", "http://host:99999999999"}, nil},
		{"clause 33: true ignores scheme and port", same,
			[]string{"http://host.com", "https://host.com", "ws://host.com:81", "x-y.z+1://host.com", "//host.com", "http://host.com:65535"}, nil},
		{"clause 34: true refuses sub-domains", same, nil,
			[]string{"http://a.host.com", "http://host.com.evil.com", "http://evilhost.com", "http://host.co", "http://com"}},
		{"clause 35: true compares case-sensitively", same, []string{"HTTP://host.com"}, []string{"http://Host.com", "http://HOST.COM"}},
		{"clause 36: no host under true", same, nil, hostless},
		{"clause 36: no host under a list", list, nil, hostless},
		{"clause 36: an empty host", same, nil, []string{"file://", "http://", "http://:80"}},
		{"clause 36: an empty host under a list", list, nil, []string{"file://", "//"}},
		{"clause 37: an entry without scheme and port", origins(t, "//example.com"),
			[]string{"http://example.com", "https://example.com", "http://example.com:8080", "ws://example.com"}, []string{"http://example.org"}},
		{"clause 38: an entry with a scheme", origins(t, "http://scheme.com"),
			[]string{"http://scheme.com", "http://scheme.com:80", "HTTP://scheme.com", "http://scheme.com:"},
			[]string{"https://scheme.com", "http://scheme.com:8080", "https://scheme.com:80", "ws://scheme.com", "//scheme.com", "//scheme.com:80"}},
		{"clause 39: an entry with a port", origins(t, "//port.com:81"),
			[]string{"http://port.com:81", "https://port.com:81", "http://port.com:0081"},
			[]string{"http://port.com:82", "http://port.com", "http://port.com:8181"}},
		{"clause 39: a default port counts as given", origins(t, "//port.com:443"),
			[]string{"https://port.com", "wss://port.com", "http://port.com:443"}, []string{"http://port.com", "foo://port.com"}},
		{"clause 39: an unknown scheme has no default port", origins(t, "app://port.com"),
			[]string{"app://port.com", "app://port.com:5", "APP://port.com"}, []string{"http://port.com"}},
		{"clause 40: a leading wildcard", origins(t, "//*.ex.com"),
			[]string{"http://ex.com", "http://a.ex.com", "https://b.a.ex.com:8443"},
			[]string{"http://prefix-ex.com", "http://ex.com.evil.com", "http://x.EX.com", "http://com", "http://aex.com"}},
		{"clause 40: a wildcard with a scheme", origins(t, "http://*.foo.example.com"),
			[]string{"http://foo.example.com", "http://x.foo.example.com"},
			[]string{"http://example.com", "http://x.prefix-foo.example.com", "https://x.foo.example.com", "http://foo.example.com:81"}},
		{"clause 40: an asterisk elsewhere is literal", origins(t, "//a.*.com", "//*ex.com", "//*"),
			[]string{"http://a.*.com", "http://*ex.com", "http://*"},
			[]string{"http://a.b.com", "http://prefix-ex.com", "http://ex.com", "http://x"}},
		{"clause 40: only the first asterisk is a wildcard", origins(t, "//*.*.com"),
			[]string{"http://*.com", "http://a.*.com"}, []string{"http://a.b.com", "http://b.com"}},
		{"clause 41: an entry without wildcard", origins(t, "//ex.com"), []string{"http://ex.com"}, []string{"http://org1.ex.com"}},
		{"clause 42: the request's own origin", transport.SameConn(), []string{"http://host.com:4000", "HTTP://host.com:4000"},
			[]string{"http://host.com", "https://host.com:4000", "http://other.com:4000", "//host.com:4000", "http://HOST.com:4000", "null"}},
		{"clause 43: websocket schemes", transport.SameConn(), nil, []string{"ws://host.com:4000", "wss://host.com:4000"}},
		{"no configured host accepts any", transport.SameHost(""),
			[]string{"http://a", "https://b.c:5", "file://"}, []string{"null", "", "a"}},
		{"the zero policy is true for localhost", transport.OriginPolicy{},
			[]string{"http://localhost:4000", "https://localhost"}, []string{"http://example.com", "http://host.com:4000", "null", "file://"}},
		{"an empty list accepts nothing", origins(t), nil, []string{"http://host.com", "null"}},
		{"an IPv6 host", transport.SameHost("::1"), []string{"http://[::1]", "http://[::1]:4000"},
			[]string{"http://::1", "http://[::1", "http://::1]", "http://[::1]x", "http://[::1]x80", "http://[::1]:x", "http://[[::1]]", "http://[]"}},
		{"an IPv6 entry", origins(t, "http://[::1]:4000"), []string{"http://[::1]:4000"}, []string{"http://[::1]", "http://[::2]:4000"}},
		{"brackets are for IPv6", same, nil, []string{"http://[host.com]"}},
		{"path, query, fragment and user are skipped", same,
			[]string{"http://host.com/x", "http://host.com?x", "http://host.com#x", "http://user:pw@host.com:80/@evil.com", "http://a@b.com@host.com"},
			[]string{"http://host.com@evil.com", "http://evil.com/@host.com", "http://evil.com?//host.com", "http://evil.com#host.com"}},
		{"what is no host", origins(t, "//*.ex.com", "//host.com"), nil,
			[]string{"http://evil.com\\.ex.com", "http://host.com http://evil.com", "http://evil.com\x00.ex.com", " http://host.com", "http://host.com "}},
		{"what is no port", origins(t, "//host.com"), nil,
			[]string{"http://host.com:x", "http://host.com:80x", "http://host.com:-1", "http://host.com:+80", "http://host.com:0",
				"http://host.com:65536", "http://host.com:99999999999", "http://host.com:80:80", "http://host.com:8_0"}},
		{"what is no scheme", same, nil, []string{"1http://host.com", "ht tp://host.com", "://host.com", ":", "hé://host.com"}},
	} {
		t.Run(tt.name, tt.run)
	}
}

func TestARequestWithoutOriginPasses(t *testing.T) { // clause 30
	never := transport.OriginFunc(func(transport.Origin, *http.Request) bool {
		t.Error("called without an origin")
		return false
	})
	for _, p := range []transport.OriginPolicy{
		{}, transport.AnyOrigin(), transport.SameHost("h"), origins(t), origins(t, "//h"), transport.SameConn(), never,
	} {
		if !p.Allows(from()) {
			t.Errorf("%v refuse a request without Origin header", p)
		}
	}
}

func TestOnlyTheFirstOriginHeaderCounts(t *testing.T) {
	p := transport.SameHost("host.com")
	if !p.Allows(from("http://host.com", "http://evil.com")) || p.Allows(from("http://evil.com", "http://host.com")) {
		t.Error("another header than the first was checked")
	}
}

func TestTheOriginOfTheRequestItself(t *testing.T) { // clause 42
	tests := []struct {
		name, host, origin string
		secure, want       bool
	}{
		{"the default port of http", "host.com", "http://host.com", false, true},
		{"the default port of http, spelt out in the origin", "host.com", "http://host.com:80", false, true},
		{"the default port of http, spelt out in the request", "host.com:80", "http://host.com", false, true},
		{"the default port of https", "host.com", "https://host.com", true, true},
		{"https on another port", "host.com:4001", "https://host.com:4001", true, true},
		{"http to an https server", "host.com", "http://host.com:443", true, false},
		{"https to an http server", "host.com", "https://host.com:80", false, false},
		{"an IPv6 host", "[::1]:4000", "http://[::1]:4000", false, true},
		{"an IPv6 host on the default port", "[::1]", "http://[::1]", false, true},
		{"another port", "host.com:4000", "http://host.com:4001", false, false},
		{"no host on both sides", "", "http://", false, false},
		{"unreadable hosts on both sides", "host.com:x", "http://host.com:x", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := from(tt.origin)
			r.Host = tt.host
			if tt.secure {
				r.TLS = new(tls.ConnectionState)
			}
			if got := transport.SameConn().Allows(r); got != tt.want {
				t.Errorf("%s to %s: %v, want %v", tt.origin, tt.host, got, tt.want)
			}
		})
	}
}

func TestAFunctionSeesEveryParsedOrigin(t *testing.T) { // clause 44
	tests := map[string]transport.Origin{
		"https://a.com":                 {Scheme: "https", Host: "a.com", Port: 443},
		"HTTP://A.com:8080/x":           {Scheme: "http", Host: "A.com", Port: 8080},
		"ws://a.com":                    {Scheme: "ws", Host: "a.com", Port: 80},
		"wss://a.com":                   {Scheme: "wss", Host: "a.com", Port: 443},
		"app://a.com":                   {Scheme: "app", Host: "a.com"},
		"//a.com":                       {Host: "a.com"},
		"http://[fe80::1]:81":           {Scheme: "http", Host: "fe80::1", Port: 81},
		"null":                          {},
		"":                              {},
		"file://":                       {Scheme: "file"},
		"a.com:80":                      {Scheme: "a.com"},
		"http://a.com:x":                {Scheme: "http"},
		"chrome-extension://abcdefghij": {Scheme: "chrome-extension", Host: "abcdefghij"},
	}
	for header, want := range tests {
		t.Run(header, func(t *testing.T) {
			r := from(header)
			for _, answer := range []bool{true, false} {
				p := transport.OriginFunc(func(o transport.Origin, got *http.Request) bool {
					if o != want || got != r {
						t.Errorf("called with %+v, want %+v", o, want)
					}
					return answer
				})
				if p.Allows(r) != answer {
					t.Errorf("the answer %v did not decide", answer)
				}
			}
		})
	}
}

func TestAFunctionPolicyNeedsAFunction(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("OriginFunc(nil) did not panic")
		}
	}()
	transport.OriginFunc(nil)
}

func TestAListWithoutHostsIsAConfigurationError(t *testing.T) { // clause 45
	bad := []string{"example.com", "https:example.com", "", "//", "file://", "*.example.com", "//*.", "http://h:x", "http://h:0", "//a b"}
	p, err := transport.OriginList(append([]string{"//good.com"}, bad...)...)
	if !errors.Is(err, transport.ErrBadOrigin) {
		t.Fatalf("OriginList: %v, want ErrBadOrigin", err)
	}
	for _, entry := range bad {
		if !strings.Contains(err.Error(), `"`+entry+`"`) {
			t.Errorf("%q does not name %q", err, entry)
		}
	}
	if strings.Contains(err.Error(), "good.com") || p.Allows(from("http://anything")) {
		t.Errorf("%q, and a policy that accepts", err)
	}
}

func TestTheEndpointsHostReplacesOnlyTheZeroPolicy(t *testing.T) { // clause 8
	if p := (transport.OriginPolicy{}).OrSameHost("ex.com"); !p.Allows(from("http://ex.com")) || p.Allows(from("http://localhost")) {
		t.Errorf("the zero policy became %v", p)
	}
	for _, p := range []transport.OriginPolicy{transport.SameHost("host.com"), origins(t, "//host.com")} {
		if q := p.OrSameHost("ex.com"); q.Allows(from("http://ex.com")) || !q.Allows(from("http://host.com")) {
			t.Errorf("%v became %v", p, q)
		}
	}
}

func TestPoliciesSayWhomTheyAccept(t *testing.T) {
	for want, p := range map[string]transport.OriginPolicy{
		`origins of host "localhost"`:             {},
		`origins of host "a.com"`:                 transport.SameHost("a.com"),
		`any origin with a host`:                  transport.SameHost(""),
		`any origin`:                              transport.AnyOrigin(),
		`origins ["//a.com" "//*.b.com:1"]`:       origins(t, "//a.com", "//*.b.com:1"),
		`the origin that the request was sent to`: transport.SameConn(),
		`origins that a function accepts`:         transport.OriginFunc(func(transport.Origin, *http.Request) bool { return true }),
	} {
		if got := p.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

func TestCheckingAnOriginDoesNotAllocate(t *testing.T) {
	r := from("http://host.com:4000")
	same, conn, list := transport.SameHost("host.com"), transport.SameConn(), origins(t, "//a.com", "//*.host.com")
	if n := testing.AllocsPerRun(100, func() {
		if !same.Allows(r) || !conn.Allows(r) || !list.Allows(r) {
			t.Error("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzOrigin(f *testing.F) {
	for _, seed := range []string{
		"http://host.com", "https://a.host.com:444/x?y#z", "null", "", "file://", "//[::1]:80", "http://u@host.com", "host.com",
		"http://host.com\\.ex.com", "http://\x00", "a:b://c", "http://[", "http://host.com:999999",
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, header, host string) {
		r := from(header)
		r.Host = host
		var seen transport.Origin
		transport.OriginFunc(func(o transport.Origin, _ *http.Request) bool { seen = o; return true }).Allows(r)
		checkOrigin(t, header, seen)
		if transport.SameConn().Allows(r) && (seen.Scheme != "http" || seen.Host == "") {
			t.Errorf("%q is taken for the origin of %q", header, host)
		}
		if transport.SameHost("host.com").Allows(r) != (seen.Host == "host.com") {
			t.Errorf("%q parsed to %+v", header, seen)
		}
		wild := origins(t, "//*.host.com").Allows(r)
		if wild != (seen.Host == "host.com" || strings.HasSuffix(seen.Host, ".host.com")) {
			t.Errorf("%q against the wildcard: %v", header, wild)
		}
	})
}

// checkOrigin fails on parts that an origin cannot have or the header did not give.
func checkOrigin(t *testing.T, header string, o transport.Origin) {
	t.Helper()
	if o.Scheme != strings.ToLower(o.Scheme) || !strings.Contains(header, o.Host) || o.Port < 0 || o.Port > 65535 {
		t.Errorf("%q parsed to %+v", header, o)
	}
	if strings.ContainsAny(o.Host, "/?#@[]\\ \x00") || o.Host != "" && !strings.Contains(header, "//") {
		t.Errorf("%q has the host %q", header, o.Host)
	}
}

func BenchmarkOriginAllows(b *testing.B) {
	r := from("http://host.com:4000")
	for name, p := range map[string]transport.OriginPolicy{
		"same": transport.SameHost("host.com"), "conn": transport.SameConn(), "list": origins(b, "//a.com", "//*.host.com"),
	} {
		b.Run("policy="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !p.Allows(r) {
					b.Fatal("refused")
				}
			}
		})
	}
}
