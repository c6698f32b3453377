package roost_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
)

// localProxies trusts the tests' own clients as if they were proxies.
var localProxies = transport.Proxies{netip.MustParsePrefix("127.0.0.0/8")}

// proxied is a handshake as a proxy passes it on.
func proxied(origin string) client.Options {
	return client.Options{Header: http.Header{
		"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"app.example"}, "Origin": {origin},
	}}
}

// refusals gets who was refused.
type refusals chan telemetry.ConnectRefused

func (r refusals) Handle(_ context.Context, e telemetry.Event) {
	if refused, ok := e.(telemetry.ConnectRefused); ok {
		r <- refused
	}
}

func (refusals) Enabled(slog.Level) bool { return true }

func TestAPageOfTheProxysNameConnectsAndItsClientIsKnown(t *testing.T) {
	infos, told := make(chan transport.Info, 1), make(refusals, 4)
	r := start(t, &roost.Server{Endpoint: roost.NewEndpoint(roost.Config{
		CheckOrigin: transport.SameConn(), Proxies: localProxies, Telemetry: []telemetry.Handler{told},
		Connect: func(_ context.Context, c *roost.Connect) error { infos <- c.Info(); return nil },
	})})
	client.Open(t, r.url("/socket/websocket"), proxied("https://app.example"))
	info := receive(t, infos, "connect")
	if info.ClientAddr != netip.MustParseAddr("203.0.113.9") || info.PeerAddr.Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("got the client %v and the peer %v", info.ClientAddr, info.PeerAddr)
	}
	if info.URI.Scheme != "https" || info.URI.Host != "app.example:443" {
		t.Errorf("got %v", info.URI)
	}
	client.Refused(t, r.url("/socket/websocket"), proxied("https://evil.example"), http.StatusForbidden)
	client.Refused(t, "ws://"+r.addr+"/socket/websocket?vsn=9.0.0", proxied("https://app.example"), http.StatusForbidden)
	for _, check := range []string{"origin", "version"} {
		if e := receive(t, told, "refusal"); e.Check != check || e.Remote != "203.0.113.9" {
			t.Errorf("got check %q of %s, want %q of the client", e.Check, e.Remote, check)
		}
	}
}

func TestWhatAClientForgesIsNotBelieved(t *testing.T) {
	r := start(t, &roost.Server{Endpoint: roost.NewEndpoint(roost.Config{CheckOrigin: transport.SameConn()})})
	client.Refused(t, r.url("/socket/websocket"), proxied("https://app.example"), http.StatusForbidden)
}

func TestBehindAProxyWithAHeaderTheClientIsThePeer(t *testing.T) {
	infos := make(chan transport.Info, 1)
	s := &roost.Server{ProxyProtocol: localProxies, Endpoint: roost.NewEndpoint(roost.Config{
		Connect: func(_ context.Context, c *roost.Connect) error { infos <- c.Info(); return nil },
	})}
	r := start(t, s)
	begin := func(header string) client.Options {
		return client.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil {
				_, err = nc.Write([]byte(header))
			}
			return nc, err
		}}
	}
	client.Open(t, r.url("/socket/websocket"), begin("PROXY TCP4 203.0.113.9 10.0.0.2 12345 4000\r\n"))
	info := receive(t, infos, "connect")
	if want := netip.MustParseAddrPort("203.0.113.9:12345"); info.PeerAddr != want || info.ClientAddr != want.Addr() {
		t.Errorf("got the peer %v and the client %v, want %v", info.PeerAddr, info.ClientAddr, want)
	}
	if _, resp, err := client.Dial(t.Context(), r.url("/socket/websocket"), begin("")); err == nil || resp != nil {
		t.Errorf("without a header: got %v, %v", resp, err)
	}
	if n := s.Stats().BadHeaders; n != 1 {
		t.Errorf("%d bad headers are counted, want 1", n)
	}
}
