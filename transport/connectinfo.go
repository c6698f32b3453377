package transport

import (
	"cmp"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Info is what a connect may know of its request beside the parameters [§4.4].
//
// Cookies and headers in general are left out on purpose: a socket that decides
// by cookie is open to every page that the origin check lets pass. An Info keeps
// nothing of the request alive but strings and the certificate.
type Info struct {
	PeerAddr     netip.AddrPort    // the TCP peer, never a forwarded address; zero if it has no IP
	ClientAddr   netip.Addr        // the client behind trusted proxies, else the peer; zero if it has no IP
	PeerCert     *x509.Certificate // what a TLS client proved to have; its DER is Raw; nil without
	URI          *url.URL          // Host always has its port; Path, RawPath and RawQuery are the request's
	UserAgent    string            // "" without
	XHeaders     []HeaderField     // x-…
	TraceContext []HeaderField     // traceparent and tracestate
	SecWebSocket []HeaderField     // sec-websocket-…
	AuthToken    string            // "" until WithAuthToken
}

// HeaderField is one line of a request header, its name in lower case.
type HeaderField struct{ Name, Value string }

// NewInfo collects the facts of r, and trusts no proxy.
//
// Header fields are sorted by name; lines of the same name keep their order.
func NewInfo(r *http.Request) Info { return Proxies(nil).Info(r) }

// Info is NewInfo behind proxies: they say who the client is, and what scheme,
// host and port it asked for.
func (p Proxies) Info(r *http.Request) Info {
	info := Info{
		PeerAddr:   peerAddr(r.RemoteAddr),
		ClientAddr: p.ClientAddr(r),
		URI:        p.requestURI(r),
		UserAgent:  r.Header.Get("User-Agent"),
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		info.PeerCert = r.TLS.PeerCertificates[0] // clause 53
	}
	info.collect(r.Header)
	return info
}

// WithAuthToken returns the info with a token that AuthToken found.
//
// rest are the protocols that AuthToken left: they replace the first
// sec-websocket-protocol line, so that the token is not there a second time.
// Further lines lose their token elements too.
func (i Info) WithAuthToken(token string, rest []string) Info {
	i.AuthToken = token
	fields := make([]HeaderField, 0, len(i.SecWebSocket))
	first := true
	for _, f := range i.SecWebSocket {
		if f.Name == "sec-websocket-protocol" {
			if !first {
				rest = withoutTokens(f.Value)
			}
			first = false
			f.Value = strings.Join(rest, ", ")
		}
		if f.Name != "sec-websocket-protocol" || len(rest) > 0 {
			fields = append(fields, f)
		}
	}
	i.SecWebSocket = fields
	return i
}

func withoutTokens(header string) []string {
	var kept []string
	for element := range elements(header) {
		if !strings.HasPrefix(element, tokenPrefix) {
			kept = append(kept, element)
		}
	}
	return kept
}

// collect files the headers that an Info has a place for.
func (i *Info) collect(header http.Header) {
	for name, values := range header {
		if fields := i.place(name); fields != nil {
			*fields = appendFields(*fields, strings.ToLower(name), values)
		}
	}
	for _, fields := range [][]HeaderField{i.XHeaders, i.TraceContext, i.SecWebSocket} {
		slices.SortStableFunc(fields, func(a, b HeaderField) int { return cmp.Compare(a.Name, b.Name) })
	}
}

// place returns the fields that a header in net/http's spelling belongs to, or nil.
func (i *Info) place(name string) *[]HeaderField {
	switch {
	case strings.HasPrefix(name, "X-"):
		return &i.XHeaders
	case strings.HasPrefix(name, "Sec-Websocket-"):
		return &i.SecWebSocket
	case name == "Traceparent" || name == "Tracestate":
		return &i.TraceContext
	}
	return nil
}

func appendFields(fields []HeaderField, name string, values []string) []HeaderField {
	for _, v := range values {
		fields = append(fields, HeaderField{Name: name, Value: v})
	}
	return fields
}

// peerAddr reads the address that net/http gives; a Unix socket's has no IP.
func peerAddr(remote string) netip.AddrPort {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// requestURI is r.URL with the scheme, host and port that a server's request
// leaves out. A Host header that cannot be read stays as it is.
func (p Proxies) requestURI(r *http.Request) *url.URL {
	o := p.origin(r)
	host := r.Host
	if o.Host != "" {
		host = net.JoinHostPort(o.Host, strconv.Itoa(o.Port))
	}
	return &url.URL{
		Scheme: o.Scheme, Host: host,
		Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery,
	}
}
