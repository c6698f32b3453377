package conformance

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
)

// from is a handshake of a page; "" is an Origin header that is empty.
func from(origin string) client.Options {
	return client.Options{Header: http.Header{"Origin": {origin}}}
}

// checking makes configurations with an origin policy.
func checking(p transport.OriginPolicy) func(*roost.Config) {
	return func(c *roost.Config) { c.Host, c.CheckOrigin = "example.com", p }
}

// listed is a policy with entries that are all right.
func listed(t *testing.T, entries ...string) func(*roost.Config) {
	t.Helper()
	p, err := transport.OriginList(entries...)
	must(t, err)
	return checking(p)
}

// accepts and refuses fail the test unless pages of these origins are treated so.
func (s *server) accepts(t *testing.T, origins ...string) {
	t.Helper()
	for _, o := range origins {
		s.dialWith(t, "vsn=2.0.0", from(o)).Drop()
	}
}

func (s *server) refuses(t *testing.T, origins ...string) {
	t.Helper()
	for _, o := range origins {
		if body := s.refused(t, "vsn=2.0.0", from(o), http.StatusForbidden); body != "" {
			t.Errorf("origin %q: got the body %q, want none", o, body)
		}
	}
}

// The policies that the clauses name.
var (
	sameHost = checking(transport.OriginPolicy{}) // the default
	anyOne   = checking(transport.AnyOrigin())
	sameConn = checking(transport.SameConn())
	nobody   = checking(transport.OriginFunc(func(transport.Origin, *http.Request) bool { return false }))
)

func TestOriginsThatAreNone(t *testing.T) {
	list := listed(t, "//example.com")
	clauseWith(t, 30, "without Origin everything passes", nobody, func(t *testing.T, s *server) {
		s.open(t)
		for _, policy := range []func(*roost.Config){sameHost, anyOne, sameConn, list} {
			s.another(t, policy).open(t)
		}
	})
	clauseWith(t, 31, "an empty Origin is refused", sameHost, func(t *testing.T, s *server) {
		s.refuses(t, "")
		s.another(t, list).refuses(t, "")
		s.connects.none(t)
	})
	clauseWith(t, 36, "an Origin without host is refused", sameHost, func(t *testing.T, s *server) {
		s.refuses(t, "null", "host.com", "example.com")
		s.another(t, list).refuses(t, "null", "host.com", "example.com", "file://")
	})
	clauseWith(t, 32, "any origin passes when it is not checked", anyOne, func(t *testing.T, s *server) {
		s.accepts(t, "", "null", "file://", "host.com", "https://elsewhere.org", "not a URI at all")
	})
}

func TestOriginsOfTheHost(t *testing.T) {
	clauseWith(t, 33, "any scheme and port of the host", sameHost, func(t *testing.T, s *server) {
		s.accepts(t, "http://example.com", "https://example.com", "https://example.com:8443", "ws://example.com", "//example.com:1")
		s.refuses(t, "http://other.com", "http://localhost", "http://127.0.0.1")
	})
	clauseWith(t, 34, "no sub-domain of the host", sameHost, func(t *testing.T, s *server) {
		s.refuses(t, "http://www.example.com", "http://example.com.evil.org", "http://xexample.com")
	})
	clauseWith(t, 35, "the case of the host counts", sameHost, func(t *testing.T, s *server) {
		s.refuses(t, "http://Example.com", "http://EXAMPLE.COM")
		s.accepts(t, "HTTP://example.com")
	})
}

func TestOriginList(t *testing.T) {
	clauseWith(t, 37, "a host alone", listed(t, "//example.com"), func(t *testing.T, s *server) {
		s.accepts(t, "http://example.com", "https://example.com", "http://example.com:8080", "https://example.com:1")
		s.refuses(t, "http://example.org")
	})
	clauseWith(t, 38, "scheme and host", listed(t, "http://scheme.com"), func(t *testing.T, s *server) {
		s.accepts(t, "http://scheme.com", "http://scheme.com:80")
		s.refuses(t, "https://scheme.com", "http://scheme.com:8080", "https://scheme.com:80")
	})
	clauseWith(t, 39, "host and port", listed(t, "//port.com:81"), func(t *testing.T, s *server) {
		s.accepts(t, "http://port.com:81", "https://port.com:81")
		s.refuses(t, "http://port.com:82", "http://port.com")
	})
	clauseWith(t, 40, "a host and all below it", listed(t, "//*.ex.com"), func(t *testing.T, s *server) {
		s.accepts(t, "http://ex.com", "http://a.ex.com", "https://b.a.ex.com:99")
		s.refuses(t, "http://prefix-ex.com", "http://ex.com.org", "http://a.ex.org")
	})
	clauseWith(t, 41, "a host and none below it", listed(t, "//other.com", "//ex.com"), func(t *testing.T, s *server) {
		s.accepts(t, "http://ex.com", "http://other.com")
		s.refuses(t, "http://org1.ex.com")
	})
	clauseOnly(t, 45, "an entry without host is refused", func(t *testing.T) {
		for _, entry := range []string{"example.com", "https://", "", "null", "/path"} {
			if _, err := transport.OriginList("//fine.com", entry); err == nil {
				t.Errorf("%q was accepted", entry)
			}
		}
	})
}

func TestOriginOfTheConnection(t *testing.T) {
	asked := func(origin string) client.Options {
		o := from(origin)
		o.Host = "app.example.com:4000"
		return o
	}
	clauseWith(t, 42, "scheme, host and port must be the request's", sameConn, func(t *testing.T, s *server) {
		s.dialWith(t, "", asked("http://app.example.com:4000"))
		for _, o := range []string{"https://app.example.com:4000", "http://app.example.com", "http://app.example.com:4001", "http://example.com:4000", "//app.example.com:4000"} {
			s.refused(t, "", asked(o), http.StatusForbidden)
		}
		at80 := from("http://app.example.com")
		at80.Host = "app.example.com"
		s.dialWith(t, "", at80)
	})
	clauseOnly(t, 42, "over TLS the scheme is https", func(t *testing.T) {
		for _, engine := range engines() {
			s := newServer(engine, sameConn)
			base := s.listenTLS(t)
			o := from(base)
			o.TLS = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the test's own server
			client.Open(t, base+"/socket/websocket", o)
			o.Header = from(strings.Replace(base, "https", "http", 1)).Header
			client.Refused(t, base+"/socket/websocket", o, http.StatusForbidden)
		}
	})
	clauseWith(t, 43, "ws and wss are refused", sameConn, func(t *testing.T, s *server) {
		s.refused(t, "", asked("ws://app.example.com:4000"), http.StatusForbidden)
		s.refused(t, "", asked("wss://app.example.com:4000"), http.StatusForbidden)
	})
}

// asker decides about origins and notes what it was asked.
type asker struct {
	accept string // the only host that may come

	mu   sync.Mutex
	seen []transport.Origin // guarded by mu
}

func (a *asker) ask(o transport.Origin, _ *http.Request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = append(a.seen, o)
	return o.Host == a.accept
}

func TestOriginFunction(t *testing.T) {
	clauseWith(t, 44, "a function is asked", nobody, func(t *testing.T, s *server) {
		a := &asker{accept: "Example.com"} // its argument
		own := s.another(t, checking(transport.OriginFunc(a.ask)))
		own.accepts(t, "https://Example.com:8443", "HTTP://Example.com")
		own.refuses(t, "null", "host.com", "", "http://other.com")
		own.open(t) // has no Origin: not asked
		want := []transport.Origin{
			{Scheme: "https", Host: "Example.com", Port: 8443}, {Scheme: "http", Host: "Example.com", Port: 80},
			{}, {}, {}, {Scheme: "http", Host: "other.com", Port: 80},
		}
		if !reflect.DeepEqual(a.seen, want) {
			t.Fatalf("the function was asked about %+v, want %+v", a.seen, want)
		}
	})
}

func TestRefusedOrigin(t *testing.T) {
	clauseWith(t, 46, "a refused origin is logged", sameHost, func(t *testing.T, s *server) {
		s.refuses(t, "https://evil.org")
		r := s.logs.expectError(t, "connect_refused", "https://evil.org", "check", "origin")
		if r.Level != slog.LevelError { // [§14.2]
			t.Fatalf("got %v, want an error", r)
		}
		s.connects.none(t)
	})
}
