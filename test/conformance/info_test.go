package conformance

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/testcert"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
)

// told is a handshake that carries a bit of everything.
func told() client.Options {
	return client.Options{Header: http.Header{
		"X-B": {"2", "3"}, "X-A": {"1"}, "Xylophone": {"secret"}, "Cookie": {"c=secret"}, "Authorization": {"secret"},
		"Traceparent": {"00-1-2-01"}, "Tracestate": {"a=b"}, "Tracing": {"secret"}, "User-Agent": {"tester/1"},
		"Sec-Websocket-Protocol": {"p1, p2"}, "Sec-Fetch-Mode": {"secret"},
	}}
}

func TestConnectInfo(t *testing.T) {
	clause(t, 49, "x-headers", func(t *testing.T, s *server) {
		s.dialWith(t, "", told())
		want := []transport.HeaderField{{Name: "x-a", Value: "1"}, {Name: "x-b", Value: "2"}, {Name: "x-b", Value: "3"}}
		if got := s.connects.expect(t).Info.XHeaders; !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
	clause(t, 50, "trace context", func(t *testing.T, s *server) {
		s.dialWith(t, "", told())
		want := []transport.HeaderField{{Name: "traceparent", Value: "00-1-2-01"}, {Name: "tracestate", Value: "a=b"}}
		if got := s.connects.expect(t).Info.TraceContext; !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
	clause(t, 51, "sec-websocket headers", func(t *testing.T, s *server) {
		s.dialWith(t, "", told())
		var names []string
		for _, f := range s.connects.expect(t).Info.SecWebSocket {
			names = append(names, f.Name)
		}
		want := []string{"sec-websocket-key", "sec-websocket-protocol", "sec-websocket-version"}
		if !reflect.DeepEqual(names, want) {
			t.Fatalf("got %v, want %v", names, want)
		}
	})
	clause(t, 52, "URI and user agent", func(t *testing.T, s *server) {
		s.dialWith(t, "a=b&c", told())
		info := s.connects.expect(t).Info
		if want := s.HTTP + "/socket/websocket?a=b&c"; info.URI.String() != want || info.UserAgent != "tester/1" {
			t.Fatalf("got %v and %q, want %s and tester/1", info.URI, info.UserAgent, want)
		}
		o := with("User-Agent", "") // net/http's own is left out then
		o.Host = "app.example.com"
		s.dialWith(t, "", o)
		if info := s.connects.expect(t).Info; info.URI.Host != "app.example.com:80" || info.UserAgent != "" {
			t.Fatalf("got host %q and user agent %q, want app.example.com:80 and none", info.URI.Host, info.UserAgent)
		}
	})
}

func TestInfoLeavesOut(t *testing.T) {
	clause(t, 48, "cookies, other headers and unasked tokens", func(t *testing.T, s *server) {
		o := told()
		o.Header["Sec-Websocket-Protocol"] = []string{"phoenix, base64url.bearer.phx.dG9r"}
		s.dialWith(t, "", o)
		info := s.connects.expect(t).Info
		info.URI = nil // a pointer
		if all := fmt.Sprintf("%+v", info); info.AuthToken != "" || strings.Contains(all, "secret") {
			t.Fatalf("got %s", all)
		}
	})
}

// tenantKey is where the middleware of the test keeps its value.
type tenantKey struct{}

func TestValuesOfTheApplication(t *testing.T) {
	clauseOnly(t, 54, "middleware's values reach Connect", func(t *testing.T) {
		for _, engine := range engines() {
			tenants := make(chan any, 1)
			s := newServer(engine, func(c *roost.Config) {
				c.Connect = func(ctx context.Context, _ *roost.Connect) error {
					tenants <- ctx.Value(tenantKey{})
					return nil
				}
			})
			s.listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s.Endpoint.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), tenantKey{}, 7)))
			}))
			s.open(t)
			if got := receive(t, tenants, "call of Connect"); got != 7 {
				t.Fatalf("got %v, want 7", got)
			}
		}
	})
}

func TestPeer(t *testing.T) {
	clause(t, 53, "the peer without TLS", func(t *testing.T, s *server) {
		o := told()
		o.Header["X-Forwarded-For"] = []string{"10.1.2.3"}
		c := s.dialWith(t, "", o)
		info := s.connects.expect(t).Info
		if want := netip.MustParseAddrPort(c.NetConn().LocalAddr().String()); info.PeerAddr != want || info.PeerCert != nil {
			t.Fatalf("got %v and certificate %v, want %v and none", info.PeerAddr, info.PeerCert != nil, want)
		}
	})
	clauseOnly(t, 53, "the peer's certificate with TLS", func(t *testing.T) {
		for _, engine := range engines() {
			s := newServer(engine, nil)
			base := s.listenTLS(t)
			trusting := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the test's own server
			url := strings.Replace(base, "https", "wss", 1) + "/socket/websocket?vsn=2.0.0"
			c := client.Open(t, url, client.Options{TLS: trusting})
			c.ExpectQuiet(t)
			if info := s.connects.expect(t).Info; info.PeerCert != nil || info.URI.Scheme != "https" {
				t.Fatalf("got certificate %v and scheme %q, want none and https", info.PeerCert != nil, info.URI.Scheme)
			}
			own := testcert.New(t, "client").TLS
			identified := trusting.Clone()
			identified.Certificates = []tls.Certificate{own}
			client.Open(t, url, client.Options{TLS: identified})
			if info := s.connects.expect(t).Info; info.PeerCert == nil || !reflect.DeepEqual(info.PeerCert.Raw, own.Certificate[0]) {
				t.Fatal("the client's certificate did not arrive")
			}
		}
	})
}

// listenTLS serves the endpoint over TLS, which asks clients for a certificate; it returns the https URL.
func (s *server) listenTLS(t *testing.T) string {
	t.Helper()
	hs := httptest.NewUnstartedServer(s.Endpoint)
	hs.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	hs.StartTLS()
	t.Cleanup(func() {
		s.shutdown(t)
		hs.Close()
	})
	return hs.URL
}
