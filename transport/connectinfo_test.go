package transport_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/netip"
	"slices"
	"testing"

	"github.com/roostgo/roost/transport"
)

type fields = []transport.HeaderField

// carrying is a handshake with these header lines added.
func carrying(t testing.TB, lines ...string) *http.Request {
	t.Helper()
	return handshake(t, "GET /socket/a%20b/websocket?vsn=2.0.0&x=%zz HTTP/1.1", lines...)
}

func TestAnInfoListsHeadersByTheirNames(t *testing.T) {
	info := transport.NewInfo(carrying(t,
		"X-Forwarded-For: 10.0.0.1\r\nX-FORWARDED-FOR: 10.0.0.2", "x-a: 1", "X-: bare",
		"xx: no", "Ax-b: no", "Cookie: secret=1", "Authorization: secret",
		"TraceParent: 00-1-2-01", "tracestate: v=1", "traceparent2: no", "Trace: no",
		"Sec-WebSocket-Protocol: phoenix", "Sec-Fetch-Mode: no"))
	tests := []struct {
		name      string
		got, want fields
	}{
		{"clause 49: x_headers", info.XHeaders,
			fields{{"x-", "bare"}, {"x-a", "1"}, {"x-forwarded-for", "10.0.0.1"}, {"x-forwarded-for", "10.0.0.2"}}},
		{"clause 50: trace_context_headers", info.TraceContext, fields{{"traceparent", "00-1-2-01"}, {"tracestate", "v=1"}}},
		{"clause 51: sec_websocket_headers", info.SecWebSocket, fields{{"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
			{"sec-websocket-protocol", "phoenix"}, {"sec-websocket-version", "13"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !slices.Equal(tt.got, tt.want) {
				t.Errorf("got  %v\nwant %v", tt.got, tt.want)
			}
		})
	}
}

func TestAnInfoOfAPlainRequestHasNoHeaders(t *testing.T) {
	info := transport.NewInfo(&http.Request{URL: carrying(t).URL})
	if info.XHeaders != nil || info.TraceContext != nil || info.SecWebSocket != nil || info.UserAgent != "" || info.AuthToken != "" {
		t.Errorf("the info is %+v", info)
	}
	if info.PeerAddr.IsValid() || info.PeerCert != nil || info.URI.Host != "" {
		t.Errorf("the info is %+v", info)
	}
}

func TestTheURIOfAnInfoIsWhole(t *testing.T) { // clause 52
	tests := []struct {
		name, host   string
		secure       bool
		want         string
		hostname     string
		port, scheme string
	}{
		{"host and port", "host.com:4000", false, "http://host.com:4000", "host.com", "4000", "http"},
		{"the default port of http", "host.com", false, "http://host.com:80", "host.com", "80", "http"},
		{"the default port of https", "host.com", true, "https://host.com:443", "host.com", "443", "https"},
		{"an IPv6 host", "[::1]:4000", true, "https://[::1]:4000", "::1", "4000", "https"},
		{"an IPv6 host without port", "[::1]", false, "http://[::1]:80", "::1", "80", "http"},
		{"the case of the host", "Host.COM", false, "http://Host.COM:80", "Host.COM", "80", "http"},
		{"a host that cannot be read", "host.com:x", false, "http://host.com:x", "host.com:x", "", "http"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := carrying(t)
			r.Host = tt.host
			if tt.secure {
				r.TLS = new(tls.ConnectionState)
			}
			u := transport.NewInfo(r).URI
			if got, want := u.String(), tt.want+"/socket/a%20b/websocket?vsn=2.0.0&x=%zz"; got != want {
				t.Errorf("the URI is %s, want %s", got, want)
			}
			if u.Scheme != tt.scheme || u.Hostname() != tt.hostname || u.Port() != tt.port || u.Path != "/socket/a b/websocket" {
				t.Errorf("the parts of the URI are %#v", u)
			}
		})
	}
}

func TestAnEncodedPathKeepsItsSpelling(t *testing.T) { // clause 52
	u := transport.NewInfo(handshake(t, "GET /a%2Fb/%63 HTTP/1.1")).URI
	if u.EscapedPath() != "/a%2Fb/%63" || u.Path != "/a/b/c" {
		t.Errorf("the path is %q, spelt %q", u.Path, u.EscapedPath())
	}
}

func TestChangingAnInfosURILeavesTheRequestAlone(t *testing.T) {
	r := carrying(t)
	transport.NewInfo(r).URI.Path = "/changed"
	if r.URL.Path == "/changed" {
		t.Error("the request's URL is shared")
	}
}

func TestTheUserAgentIsTheHeadersValueOrNothing(t *testing.T) { // clause 52
	if got := transport.NewInfo(carrying(t, "User-Agent: curl/8")).UserAgent; got != "curl/8" {
		t.Errorf("the user agent is %q", got)
	}
	if got := transport.NewInfo(carrying(t)).UserAgent; got != "" {
		t.Errorf("the user agent is %q, want none", got)
	}
}

func TestThePeerIsTheTCPPeer(t *testing.T) { // clause 53
	tests := map[string]netip.AddrPort{
		"127.0.0.1:50000":         netip.MustParseAddrPort("127.0.0.1:50000"),
		"[::1]:50000":             netip.MustParseAddrPort("[::1]:50000"),
		"[fe80::1%eth0]:1":        netip.MustParseAddrPort("[fe80::1%eth0]:1"),
		"[::ffff:10.0.0.1]:50000": netip.MustParseAddrPort("10.0.0.1:50000"),
		"":                        {},
		"@":                       {},
		"/run/roost.sock":         {},
		"localhost:1":             {},
	}
	for remote, want := range tests {
		t.Run(remote, func(t *testing.T) {
			r := carrying(t, "X-Forwarded-For: 6.6.6.6")
			r.RemoteAddr = remote
			if got := transport.NewInfo(r).PeerAddr; got != want {
				t.Errorf("the peer is %v, want %v", got, want)
			}
		})
	}
}

func TestTheCertificateIsThatOfTheClient(t *testing.T) { // clause 53
	leaf, issuer := &x509.Certificate{Raw: []byte("leaf")}, &x509.Certificate{Raw: []byte("issuer")}
	r := carrying(t)
	if transport.NewInfo(r).PeerCert != nil {
		t.Error("a certificate without TLS")
	}
	r.TLS = new(tls.ConnectionState)
	if transport.NewInfo(r).PeerCert != nil {
		t.Error("a certificate without client authentication")
	}
	r.TLS.PeerCertificates = []*x509.Certificate{leaf, issuer}
	if got := transport.NewInfo(r).PeerCert; got != leaf {
		t.Errorf("the certificate is %v", got)
	}
}

func TestAnInfoWithATokenHasItInOnePlace(t *testing.T) { // clause 51 and [§4.4]
	key, version := transport.HeaderField{Name: "sec-websocket-key", Value: "dGhlIHNhbXBsZSBub25jZQ=="},
		transport.HeaderField{Name: "sec-websocket-version", Value: "13"}
	const protocol = "sec-websocket-protocol"
	tests := []struct {
		name, lines string
		want        fields
	}{
		{"phoenix and the token", "phoenix, " + tokenPrefix + "dG9r", fields{key, {protocol, "phoenix"}, version}},
		{"more protocols", "a,phoenix ," + tokenPrefix + "dG9r,b", fields{key, {protocol, "a, phoenix, b"}, version}},
		{"only the token", tokenPrefix + "dG9r", fields{key, version}},
		{"a token in a further line", "phoenix, " + tokenPrefix + "dG9r\r\nSec-WebSocket-Protocol: x, " + tokenPrefix + "eA",
			fields{key, {protocol, "phoenix"}, {protocol, "x"}, version}},
		{"a further line of tokens only", tokenPrefix + "dG9r\r\nSec-WebSocket-Protocol: " + tokenPrefix + "eA", fields{key, version}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := carrying(t, "Sec-WebSocket-Protocol: "+tt.lines)
			token, _, rest, err := transport.AuthToken(r.Header)
			plain := transport.NewInfo(r)
			before := slices.Clone(plain.SecWebSocket)
			info := plain.WithAuthToken(token, rest)
			if err != nil || info.AuthToken != "tok" || !slices.Equal(info.SecWebSocket, tt.want) {
				t.Errorf("token %q, %v, fields %v; want %v", info.AuthToken, err, info.SecWebSocket, tt.want)
			}
			if plain.AuthToken != "" || !slices.Equal(plain.SecWebSocket, before) {
				t.Errorf("the info itself changed to %+v", plain)
			}
		})
	}
}

func BenchmarkNewInfo(b *testing.B) {
	r := carrying(b, "User-Agent: Mozilla/5.0", "Origin: http://localhost:4000", "Accept-Language: en", "Accept-Encoding: gzip",
		"Cache-Control: no-cache", "Pragma: no-cache", "Sec-WebSocket-Extensions: permessage-deflate", "X-Forwarded-For: 10.0.0.1")
	r.RemoteAddr = "127.0.0.1:50000"
	b.ReportAllocs()
	for b.Loop() {
		transport.NewInfo(r)
	}
}
