package roost_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/testcert"
	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
)

// local limits this machine, too.
func local(c roost.Config) *roost.Endpoint {
	c.Limits.Address.Loopback = true
	return roost.NewEndpoint(c)
}

// from dials from an address of this machine, and says something first.
func from(address, first string) client.Options {
	return client.Options{Dial: func(ctx context.Context, network, to string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
		nc, err := d.DialContext(ctx, network, to)
		if err == nil && first != "" {
			_, err = io.WriteString(nc, first)
		}
		return nc, err
	}}
}

// announced is a PROXY header for a client.
func announced(client string) string { return "PROXY TCP4 " + client + " 10.0.0.2 12345 4000\r\n" }

// expectReset dials, and waits until the connection is reset: the dial itself may
// notice.
func expectReset(t *testing.T, o client.Options, address string) {
	t.Helper()
	nc, err := o.Dial(t.Context(), "tcp", address)
	if err == nil {
		defer nc.Close()
		must(nc.SetReadDeadline(time.Now().Add(patience)))
		_, err = nc.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

// silent dials, and says nothing more.
func silent(t *testing.T, o client.Options, address string) net.Conn {
	t.Helper()
	nc, err := o.Dial(t.Context(), "tcp", address)
	must(err)
	t.Cleanup(func() { _ = nc.Close() })
	return nc
}

// awaitPlaces waits until so many places are taken.
func awaitPlaces(t *testing.T, s *roost.Server, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); s.Stats().Handshakes.Held != n; {
		if time.Now().After(deadline) {
			t.Fatalf("%d places are taken, want %d", s.Stats().Handshakes.Held, n)
		}
	}
}

func TestAnAddressThatConnectsTooOftenIsResetAndOthersComeIn(t *testing.T) {
	s := &roost.Server{Endpoint: local(roost.Config{}), AddressRate: ratelimit.Limit{Rate: 1.0 / 3600, Burst: 2}}
	r := start(t, s)
	url := r.url("/socket/websocket")
	client.Open(t, url, from("127.0.0.1", ""))
	stays := client.Open(t, url, from("127.0.0.1", ""))
	expectReset(t, from("127.0.0.1", ""), r.addr)
	client.Open(t, url, from("127.0.0.2", "")).ExpectQuiet(t)
	stays.ExpectQuiet(t)
	if got := s.Stats().AddressRate; got.Refused != 1 || got.Allowed != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestAnAddressWithSilentConnectionsKeepsOthersOutOfNoPlace(t *testing.T) {
	s := &roost.Server{Endpoint: local(roost.Config{}), MaxHandshakes: 8, MaxHandshakesPerAddress: 2}
	r := start(t, s)
	first := silent(t, from("127.0.0.1", ""), r.addr)
	silent(t, from("127.0.0.1", ""), r.addr)
	for range 3 {
		expectReset(t, from("127.0.0.1", ""), r.addr)
	}
	client.Open(t, r.url("/socket/websocket"), from("127.0.0.2", "")).ExpectQuiet(t)
	awaitPlaces(t, s, 2)
	if got := s.Stats().Handshakes; got.KeyFull != 3 || got.KeyHigh != 2 {
		t.Errorf("got %+v", got)
	}
	_ = first.Close()
	awaitPlaces(t, s, 1)
	client.Open(t, r.url("/socket/websocket"), from("127.0.0.1", "")).ExpectQuiet(t)
}

func TestBehindAProxyEachClientHasItsOwnPlaces(t *testing.T) {
	s := &roost.Server{Endpoint: local(roost.Config{}), ProxyProtocol: localProxies, MaxHandshakesPerAddress: 2}
	r := start(t, s)
	silent(t, from("127.0.0.1", announced("203.0.113.1")), r.addr)
	silent(t, from("127.0.0.1", announced("203.0.113.2")), r.addr)
	silent(t, from("127.0.0.1", announced("203.0.113.1")), r.addr)
	for deadline := time.Now().Add(patience); s.Stats().Handshakes.KeyHigh != 2 && time.Now().Before(deadline); {
	}
	expectReset(t, from("127.0.0.1", announced("203.0.113.1")), r.addr)
	client.Open(t, r.url("/socket/websocket"), from("127.0.0.1", announced("203.0.113.3"))).ExpectQuiet(t)
	awaitPlaces(t, s, 3)
	if got := s.Stats(); got.Handshakes.KeyFull != 1 || got.BadHeaders != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestAnUpgradedConnectionTakesNoPlaceHoweverItCameIn(t *testing.T) {
	pair := testcert.New(t, "roost.example")
	for _, c := range []struct {
		tls   uint16
		proxy bool
	}{{0, false}, {0, true}, {tls.VersionTLS12, false}, {tls.VersionTLS12, true}, {tls.VersionTLS13, false}, {tls.VersionTLS13, true}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			s := &roost.Server{Endpoint: local(roost.Config{})}
			o := from("127.0.0.1", "")
			if c.proxy {
				s.ProxyProtocol = localProxies
				o = from("127.0.0.1", announced("203.0.113.3"))
			}
			if c.tls != 0 {
				s.TLS = &roost.TLS{MinVersion: tls.VersionTLS12, Config: &tls.Config{Certificates: []tls.Certificate{pair.TLS}}} //nolint:gosec // TLS.MinVersion goes first
				o.TLS = &tls.Config{RootCAs: testcert.Pool(pair), ServerName: "roost.example", MinVersion: c.tls, MaxVersion: c.tls}
			}
			r := start(t, s)
			url := r.url("/socket/websocket")
			if c.tls != 0 {
				url = r.secureURL()
			}
			client.Open(t, url, o).ExpectQuiet(t)
			awaitPlaces(t, s, 0)
			if got := s.Stats(); got.Handshakes.Allowed == 0 || got.Handshakes.HeldHigh != 1 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestATLSHandshakeThatFailsGivesItsPlaceBack(t *testing.T) {
	pair := testcert.New(t, "roost.example")
	s := &roost.Server{Endpoint: local(roost.Config{}), TLS: &roost.TLS{Config: &tls.Config{Certificates: []tls.Certificate{pair.TLS}, MinVersion: tls.VersionTLS13}}}
	r := start(t, s)
	nc, err := net.Dial("tcp", r.addr)
	must(err)
	awaitPlaces(t, s, 1) // while it says nothing
	_ = nc.Close()
	awaitPlaces(t, s, 0)
}

func TestAnImpossibleAddressRateIsExplained(t *testing.T) {
	s := &roost.Server{Endpoint: local(roost.Config{}), Addr: "127.0.0.1:0", AddressRate: ratelimit.Limit{Burst: 3}}
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "Server.AddressRate: ratelimit: impossible limit: a burst of 3 without a rate") {
		t.Errorf("got %v", err)
	}
}

func TestADoorInShadowLetsAllInAndTellsOnceOfEachLimit(t *testing.T) {
	told := make(hits, 16)
	s := &roost.Server{
		Endpoint: local(roost.Config{Telemetry: []telemetry.Handler{told}}), MaxHandshakes: 4, MaxHandshakesPerAddress: 2, HandshakesShadow: true,
		AddressRate: ratelimit.Limit{Rate: 1.0 / 3600, Burst: 1, Shadow: true},
	}
	r := start(t, s)
	for range 5 {
		silent(t, from("127.0.0.1", ""), r.addr)
	}
	silent(t, from("127.0.0.2", ""), r.addr)
	awaitPlaces(t, s, 6)
	if got, want := told.told(t, 3), []telemetry.LimitHit{
		{Limit: "too many new connections from this address", Key: "127.0.0.1", Shadow: true},
		{Limit: "too many connections in the handshake from this address", Key: "127.0.0.1", Shadow: true},
		{Limit: "too many connections in the handshake", Shadow: true},
	}; !slices.Equal(got, want) {
		t.Errorf("told %+v", got)
	}
	if len(told) > 0 {
		t.Errorf("told again: %+v", <-told)
	}
	if got := s.Stats(); got.Handshakes.Shadowed != 4 || got.AddressRate.Shadowed != 4 {
		t.Errorf("got %+v", got)
	}
}

func TestAServersPlacesHaveDefaults(t *testing.T) {
	for _, c := range []struct {
		server       *roost.Server
		all, address int
	}{
		{&roost.Server{}, 4096, 1024},
		{&roost.Server{MaxHandshakes: 10}, 10, 3},
		{&roost.Server{TLS: &roost.TLS{}}, 4096, 250},
		{&roost.Server{MaxHandshakes: 8, TLS: &roost.TLS{Handshakes: 100}}, 8, 2},
		{&roost.Server{MaxHandshakes: -1, TLS: &roost.TLS{Handshakes: 100}}, 0, 25},
		{&roost.Server{MaxHandshakes: 1}, 1, 1},
		{&roost.Server{MaxHandshakes: -1}, 0, 0},
		{&roost.Server{MaxHandshakesPerAddress: -1}, 4096, 0},
		{&roost.Server{MaxHandshakes: -1, MaxHandshakesPerAddress: 7}, 0, 7},
	} {
		if got := c.server.Places(); got.Max != c.all || got.PerKey != c.address {
			t.Errorf("%d and %d: got %+v", c.server.MaxHandshakes, c.server.MaxHandshakesPerAddress, got)
		}
	}
}

func TestAnIdleConnectionMakesRoomForANewcomer(t *testing.T) {
	s := &roost.Server{MaxHandshakes: 2}
	r := start(t, s)
	for i := range 4 {
		browser := &http.Client{Transport: new(http.Transport), Timeout: patience} // each keeps a connection of its own
		t.Cleanup(browser.CloseIdleConnections)
		answer, err := browser.Get("http://" + r.addr + "/nothing/here")
		if err != nil {
			t.Fatalf("client %d: %v", i+1, err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	if got := s.Stats(); got.Dismissed == 0 || got.Handshakes.Full != 0 {
		t.Errorf("got %+v", got)
	}
}
