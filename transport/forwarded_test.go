package transport_test

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/roostgo/roost/transport"
)

func proxies(t testing.TB, list string) transport.Proxies {
	t.Helper()
	p, err := transport.ParseProxies(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// via is a request from a peer with these X-Forwarded-For lines.
func via(peer string, lines ...string) *http.Request {
	r := from()
	r.RemoteAddr = peer
	if len(lines) > 0 {
		r.Header["X-Forwarded-For"] = lines
	}
	return r
}

func TestAClientIsWhomTheProxiesName(t *testing.T) {
	ours := proxies(t, "10.0.0.0/8, fd00::/8, 192.0.2.7")
	for _, tt := range []struct {
		name string
		r    *http.Request
		want string // "" is the zero Addr
	}{
		{"no proxy", via("203.0.113.1:5"), "203.0.113.1"},
		{"a client that claims to be another", via("203.0.113.1:5", "198.51.100.1"), "203.0.113.1"},
		{"one proxy", via("10.0.0.1:5", "203.0.113.1"), "203.0.113.1"},
		{"a proxy that says nothing", via("10.0.0.1:5"), "10.0.0.1"},
		{"a proxy that names itself only", via("10.0.0.1:5", "10.0.0.1"), "10.0.0.1"},
		{"what the client wrote itself", via("10.0.0.1:5", "1.1.1.1, 203.0.113.1"), "203.0.113.1"},
		{"a client that names a proxy", via("10.0.0.1:5", "10.9.9.9, 203.0.113.1"), "203.0.113.1"},
		{"two proxies", via("10.0.0.1:5", "1.1.1.1, 203.0.113.1, 10.0.0.2"), "203.0.113.1"},
		{"two lines", via("10.0.0.1:5", "1.1.1.1, 203.0.113.1", "10.0.0.2"), "203.0.113.1"},
		{"a line that ends the chain", via("10.0.0.1:5", "1.1.1.1", "203.0.113.1,10.0.0.2"), "203.0.113.1"},
		{"proxies only", via("10.0.0.1:5", "10.0.0.3, 10.0.0.2"), "10.0.0.3"},
		{"an address with a port", via("10.0.0.1:5", "203.0.113.1:443"), "203.0.113.1"},
		{"IPv6", via("[fd00::1]:5", "2001:db8::1"), "2001:db8::1"},
		{"IPv6 in brackets", via("[fd00::1]:5", "[2001:db8::1]"), "2001:db8::1"},
		{"IPv6 in brackets with a port", via("[fd00::1]:5", "[2001:db8::1]:443"), "2001:db8::1"},
		{"IPv6 with a zone", via("[fd00::1%eth0]:5", "fe80::1%eth0"), "fe80::1"},
		{"IPv4 in IPv6", via("[::ffff:10.0.0.1]:5", "::ffff:203.0.113.1"), "203.0.113.1"},
		{"empty elements", via("10.0.0.1:5", "203.0.113.1,, ,", ""), "203.0.113.1"},
		{"blanks", via("10.0.0.1:5", " \t203.0.113.1 \t"), "203.0.113.1"},
		{"a proxy that does not know", via("10.0.0.1:5", "203.0.113.1, unknown"), "10.0.0.1"},
		{"garbage before a proxy", via("10.0.0.1:5", "203.0.113.1, <script>, 10.0.0.2"), "10.0.0.2"},
		{"garbage on a line of its own", via("10.0.0.1:5", "203.0.113.1", "?", "10.0.0.2"), "10.0.0.2"},
		{"IPv4 in brackets", via("10.0.0.1:5", "[203.0.113.1]"), "10.0.0.1"},
		{"half a bracket", via("10.0.0.1:5", "[2001:db8::1"), "10.0.0.1"},
		{"a single address that is trusted", via("192.0.2.7:5", "203.0.113.1"), "203.0.113.1"},
		{"its neighbour", via("192.0.2.8:5", "203.0.113.1"), "192.0.2.8"},
		{"a Unix socket", via("@", "203.0.113.1"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want netip.Addr
			if tt.want != "" {
				want = netip.MustParseAddr(tt.want)
			}
			if got := ours.ClientAddr(tt.r); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
			if got := transport.Proxies(nil).ClientAddr(tt.r); got != netip.MustParseAddrPort(orZero(tt.r.RemoteAddr)).Addr().Unmap().WithZone("") && want.IsValid() {
				t.Errorf("without proxies: got %v", got)
			}
		})
	}
}

func orZero(peer string) string {
	if peer == "@" {
		return "0.0.0.0:0"
	}
	return peer
}

// What a client writes stands before what proxies add: whatever it is, they agree
// on the address that the first of them saw.
func TestNoClientCanChooseItsAddress(t *testing.T) {
	ours := proxies(t, "10.0.0.0/8")
	random := rand.New(rand.NewPCG(1, 2))
	forged := []string{"1.1.1.1", "10.1.1.1", "unknown", "", "[::1]:1", "10.0.0.1:1", ",", "\"", "fd00::1"}
	for range 2000 {
		var lines []string
		for range random.IntN(4) {
			lines = append(lines, forged[random.IntN(len(forged))]+", "+forged[random.IntN(len(forged))])
		}
		hops := []string{"203.0.113.1"} // what the first proxy adds, and then the others
		for range random.IntN(3) {
			hops = append(hops, fmt.Sprintf("10.2.0.%d", random.IntN(256)))
		}
		if random.IntN(2) == 0 || len(lines) == 0 {
			lines = append(lines, strings.Join(hops, ", "))
		} else {
			lines[len(lines)-1] += ", " + strings.Join(hops, ",")
		}
		if got := ours.ClientAddr(via("10.0.0.9:1", lines...)); got != netip.MustParseAddr("203.0.113.1") {
			t.Fatalf("%q: got %v", lines, got)
		}
	}
}

func TestLogsNameTheClientAndItsPortWhereThatIsKnown(t *testing.T) {
	ours := proxies(t, "10.0.0.0/8")
	for peer, want := range map[string]string{"203.0.113.1:5": "203.0.113.1:5", "10.0.0.1:5": "198.51.100.1", "@": "@"} {
		if got := ours.RemoteAddr(via(peer, "198.51.100.1")); got != want {
			t.Errorf("%s: got %s, want %s", peer, got, want)
		}
	}
}

func TestWrongNetworksAreAllNamed(t *testing.T) {
	_, err := transport.ParseProxies("10.0.0.0/8, 10.0.0.0/33, here,::ffff:10.0.0.0/104")
	for _, want := range []string{`"10.0.0.0/33"`, `"here"`, `"::ffff:10.0.0.0/104"`, "as in 10.0.0.0/8"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %s: %v", want, err)
		}
	}
	if p := proxies(t, " , "); len(p) != 0 {
		t.Errorf("got %v", p)
	}
}

// saying adds what a proxy says: name, value, name, value …
func saying(r *http.Request, said ...string) *http.Request {
	for i := 0; i < len(said); i += 2 {
		r.Header.Add(said[i], said[i+1])
	}
	return r
}

func TestTheURIIsWhatTheClientAskedFor(t *testing.T) {
	ours := proxies(t, "10.0.0.0/8")
	secure := func(r *http.Request) *http.Request { r.TLS = new(tls.ConnectionState); return r }
	for _, tt := range []struct {
		name string
		r    *http.Request
		want string
	}{
		{"nothing said", via("10.0.0.1:1"), "http://host.com:4000"},
		{"by a client", saying(via("203.0.113.1:1"), "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.com"), "http://host.com:4000"},
		{"scheme", saying(via("10.0.0.1:1"), "X-Forwarded-Proto", "https"), "https://host.com:4000"},
		{"scheme of a WebSocket", saying(via("10.0.0.1:1"), "X-Forwarded-Proto", "WSS"), "https://host.com:4000"},
		{"scheme that is none", saying(via("10.0.0.1:1"), "X-Forwarded-Proto", "javascript"), "http://host.com:4000"},
		{"host", saying(via("10.0.0.1:1"), "X-Forwarded-Host", "app.com"), "http://app.com:80"},
		{"scheme and host", saying(via("10.0.0.1:1"), "X-Forwarded-Proto", "https", "X-Forwarded-Host", "app.com"), "https://app.com:443"},
		{"host with a port", saying(via("10.0.0.1:1"), "X-Forwarded-Host", "app.com:8443"), "http://app.com:8443"},
		{"IPv6 host", saying(via("10.0.0.1:1"), "X-Forwarded-Host", "[::1]:8443"), "http://[::1]:8443"},
		{"port", saying(via("10.0.0.1:1"), "X-Forwarded-Host", "app.com", "X-Forwarded-Port", "8443"), "http://app.com:8443"},
		{"ports that are none", saying(via("10.0.0.1:1"), "X-Forwarded-Port", "70000"), "http://host.com:4000"},
		{"host that is none", saying(via("10.0.0.1:1"), "X-Forwarded-Host", "a/b"), "http://host.com:4000"},
		{"two values", saying(via("10.0.0.1:1"), "X-Forwarded-Host", "evil.com, app.com"), "http://app.com:80"},
		{"two lines", saying(via("10.0.0.1:1"), "X-Forwarded-Host", "evil.com", "X-Forwarded-Host", "app.com"), "http://app.com:80"},
		{"TLS as far as here, not before", secure(saying(via("10.0.0.1:1"), "X-Forwarded-Proto", "http")), "http://host.com:4000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.r.URL = carrying(t).URL
			u := ours.Info(tt.r).URI
			if got := u.Scheme + "://" + u.Host; got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			tt.r.Header.Set("Origin", strings.Replace(tt.want, "https://app.com:443", "https://app.com", 1))
			if !transport.SameConn().Behind(ours).Allows(tt.r) {
				t.Error("its own page is refused")
			}
			tt.r.Header.Set("Origin", "http://evil.com")
			if transport.SameConn().Behind(ours).Allows(tt.r) {
				t.Error("a foreign page is let in")
			}
		})
	}
}

func TestAnInfoTellsThePeerFromTheClient(t *testing.T) { // [§4.7]
	r := via("10.0.0.1:5", "203.0.113.1")
	r.URL = carrying(t).URL
	info := proxies(t, "10.0.0.0/8").Info(r)
	if info.PeerAddr != netip.MustParseAddrPort("10.0.0.1:5") || info.ClientAddr != netip.MustParseAddr("203.0.113.1") {
		t.Errorf("got the peer %v and the client %v", info.PeerAddr, info.ClientAddr)
	}
	info = transport.NewInfo(r)
	if info.ClientAddr != netip.MustParseAddr("10.0.0.1") {
		t.Errorf("without proxies: got the client %v", info.ClientAddr)
	}
}

func TestFindingTheClientDoesNotAllocate(t *testing.T) {
	ours, r := proxies(t, "10.0.0.0/8"), via("10.0.0.1:5", "1.1.1.1, 203.0.113.1, 10.0.0.2")
	want := netip.MustParseAddr("203.0.113.1")
	if n := testing.AllocsPerRun(100, func() {
		if ours.ClientAddr(r) != want {
			t.Error("another client")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"203.0.113.1", "1.1.1.1, 10.0.0.2", "[::1]:80", "unknown", ",", "[::1", "fe80::1%x", "::ffff:10.0.0.1"} {
		f.Add(seed, seed, "https", "app.com:81")
	}
	ours := proxies(f, "10.0.0.0/8")
	f.Fuzz(func(t *testing.T, first, second, proto, host string) {
		r := saying(via("10.0.0.1:5", first, second), "X-Forwarded-Proto", proto, "X-Forwarded-Host", host)
		r.URL = carrying(t).URL
		info := ours.Info(r)
		if a := info.ClientAddr; !a.IsValid() || a.Is4In6() || a.Zone() != "" {
			t.Errorf("%q, %q: the client is %v", first, second, a)
		}
		if u := info.URI; u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(u.Host, "/@? \r\n") {
			t.Errorf("%q, %q: the URI is %v", proto, host, u)
		}
		// A hop that the nearest proxy adds is the end of it.
		r.Header["X-Forwarded-For"] = append(r.Header["X-Forwarded-For"], "203.0.113.9")
		if got := ours.ClientAddr(r); got != netip.MustParseAddr("203.0.113.9") {
			t.Errorf("%q, %q: the client is %v", first, second, got)
		}
	})
}
