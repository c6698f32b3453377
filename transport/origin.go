package transport

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// OriginPolicy decides which pages may open a socket here [§4.3].
//
// A browser sends a page's origin with every connect and attaches the user's
// cookies whatever the page: this check is what stops a foreign page from
// acting as the user. Programs other than browsers send what they like; it is
// no authentication.
//
// The zero value is the setting `true` with the host still open: it compares
// with "localhost" until OrSameHost names the endpoint's host. A policy does
// not change: safe for concurrent use.
type OriginPolicy struct {
	rule    originRule
	host    string
	entries []originEntry
	decide  func(Origin, *http.Request) bool
	proxies Proxies
}

// Origin is a parsed Origin header.
//
// Scheme is lower-case, Host keeps its case and has no brackets. Port is the
// explicit one, else that of http, https, ws or wss, else 0. What the header
// did not have, or had in no readable form, is empty.
type Origin struct {
	Scheme, Host string
	Port         int
}

// ErrBadOrigin means an entry of an origin list that names no host.
var ErrBadOrigin = errors.New("transport: bad origin")

type originRule byte

const (
	originUnset originRule = iota
	originSameHost
	originAny
	originList
	originSameConn
	originFunc
)

// defaultOriginHost is what Phoenix takes when no url host is configured [§3.7].
const defaultOriginHost = "localhost"

// AnyOrigin accepts every page: the setting `false`.
func AnyOrigin() OriginPolicy { return OriginPolicy{rule: originAny} }

// SameHost accepts pages from host, by any scheme and port: the setting `true`.
//
// The comparison is exact, case included; host is without port and, if it is an
// IPv6 address, without brackets. With "" it accepts every origin that has a host.
func SameHost(host string) OriginPolicy {
	return OriginPolicy{rule: originSameHost, host: host}
}

// SameConn accepts the pages of the request's own scheme, host and port: the setting `:conn`.
//
// The scheme is https if the request came over TLS to this process, or if a
// proxy that Behind trusts says so. Behind another one that ends TLS it is http:
// use a list there.
func SameConn() OriginPolicy { return OriginPolicy{rule: originSameConn} }

// OriginList accepts the pages that any entry matches; with no entry, none.
//
//	https://example.com   that scheme, its default port
//	//example.com         any scheme, any port
//	//example.com:888     any scheme, port 888
//	//*.example.com       the domain and every sub-domain
//
// A "*" elsewhere stands for itself. The error wraps ErrBadOrigin and names all
// entries that have no host or a port that is none.
func OriginList(entries ...string) (OriginPolicy, error) {
	p := OriginPolicy{rule: originList, entries: make([]originEntry, 0, len(entries))}
	var bad []string
	for _, text := range entries {
		entry, ok := parseOriginEntry(text)
		if !ok {
			bad = append(bad, strconv.Quote(text))
		}
		p.entries = append(p.entries, entry)
	}
	if len(bad) > 0 { // clause 45
		return OriginPolicy{}, fmt.Errorf(
			"%w: %s: expected a host, as in %q, %q or %q", ErrBadOrigin,
			strings.Join(bad, ", "), "https://example.com", "//example.com:888", "//*.example.com")
	}
	return p, nil
}

// OriginFunc accepts the pages for which f returns true.
//
// f is called on the goroutine of the request, for every request that has an
// Origin header, also for origins without a host (clause 44): their Host is "".
func OriginFunc(f func(Origin, *http.Request) bool) OriginPolicy {
	if f == nil {
		panic("transport: OriginFunc needs a function; to accept every origin use AnyOrigin")
	}
	return OriginPolicy{rule: originFunc, decide: f}
}

// IsZero reports whether the policy says nothing.
func (p OriginPolicy) IsZero() bool { return p.rule == originUnset }

// OrSameHost returns p, or SameHost(host) if p is the zero value.
func (p OriginPolicy) OrSameHost(host string) OriginPolicy {
	if p.rule == originUnset {
		return SameHost(host)
	}
	return p
}

// Behind returns p, which asks these proxies what scheme, host and port a request
// was sent to.
func (p OriginPolicy) Behind(proxies Proxies) OriginPolicy {
	p.proxies = proxies
	return p
}

// Allows reports whether the first Origin header of r passes.
//
// A request without one does (clause 30); an empty one is an origin without
// host, which only AnyOrigin and a function can let pass (clause 31).
func (p OriginPolicy) Allows(r *http.Request) bool {
	header := r.Header["Origin"]
	if len(header) == 0 || p.rule == originAny {
		return true
	}
	origin, hosted := parseOrigin(header[0])
	if p.rule == originFunc {
		return p.decide(origin, r)
	}
	return hosted && p.accepts(origin, r)
}

// String says whom the policy accepts, for logs.
func (p OriginPolicy) String() string {
	switch p.rule {
	case originAny:
		return "any origin"
	case originList:
		return fmt.Sprintf("origins %q", p.entries)
	case originSameConn:
		return "the origin that the request was sent to"
	case originFunc:
		return "origins that a function accepts"
	}
	if host := p.sameHost(); host != "" {
		return fmt.Sprintf("origins of host %q", host)
	}
	return "any origin with a host"
}

func (p OriginPolicy) accepts(o Origin, r *http.Request) bool {
	switch p.rule {
	case originSameConn:
		return o.Host != "" && o == p.proxies.origin(r)
	case originList:
		return p.listed(o)
	}
	host := p.sameHost()
	return host == "" || host == o.Host
}

func (p OriginPolicy) sameHost() string {
	if p.rule == originUnset {
		return defaultOriginHost
	}
	return p.host
}

func (p OriginPolicy) listed(o Origin) bool {
	for i := range p.entries {
		if p.entries[i].matches(o) {
			return true
		}
	}
	return false
}

// originEntry is one line of a list. Empty parts of the origin match anything.
type originEntry struct {
	text   string
	origin Origin
	suffix string // ".example.com" for "*.example.com"
}

func parseOriginEntry(text string) (originEntry, bool) {
	o, _ := parseOrigin(text)
	e := originEntry{text: text, origin: o}
	if domain, wild := strings.CutPrefix(o.Host, "*."); wild {
		e.origin.Host, e.suffix = domain, "."+domain
	}
	return e, e.origin.Host != "" && !hasPath(text)
}

// hasPath reports whether what is written as an origin has more than one has.
func hasPath(text string) bool {
	_, authority, _ := strings.Cut(text, "//")
	return strings.ContainsAny(authority, "/?# ")
}

// String returns the entry as it was written.
func (e originEntry) String() string { return e.text }

func (e originEntry) matches(o Origin) bool {
	return (e.origin.Scheme == "" || e.origin.Scheme == o.Scheme) &&
		(e.origin.Port == 0 || e.origin.Port == o.Port) &&
		(e.origin.Host == o.Host || e.suffix != "" && strings.HasSuffix(o.Host, e.suffix))
}

// parseOrigin splits an origin as a URI; hosted is false when it has no "//host".
//
// The host may be empty and yet there ("file://"). Path, query and fragment,
// which an origin should not have, and user information are skipped. A host or
// port that cannot be read leaves only the scheme.
func parseOrigin(s string) (o Origin, hosted bool) {
	if colon := schemeEnd(s); colon > 0 {
		o.Scheme, s = strings.ToLower(s[:colon]), s[colon+1:]
	}
	authority, hosted := strings.CutPrefix(s, "//")
	if !hosted {
		return o, false
	}
	if end := strings.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	host, port, ok := splitHost(authority, o.Scheme)
	if !ok {
		return o, false
	}
	o.Host, o.Port = host, port
	return o, true
}

// schemeEnd is the index of the colon after a scheme (RFC 3986 §3.1), or -1.
func schemeEnd(s string) int {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		other := '0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'
		switch {
		case c == ':':
			return i
		case !letter && (i == 0 || !other):
			return -1
		}
	}
	return -1
}

// requestOrigin is the scheme, host and port that r itself was sent to, whoever
// sent it.
func requestOrigin(r *http.Request) Origin {
	o := Origin{Scheme: "http"}
	if r.TLS != nil {
		o.Scheme = "https"
	}
	o.Host, o.Port, _ = splitHost(r.Host, o.Scheme)
	return o
}

// splitHost splits "host", "host:port" or "[v6]:port"; without port it is the scheme's.
func splitHost(s, scheme string) (host string, port int, ok bool) {
	host, rest, bracketed := strings.Cut(s, "]")
	if bracketed {
		host, ok = strings.CutPrefix(host, "[")
		ok = ok && strings.Contains(host, ":") // brackets are for IPv6
	} else {
		colon := strings.IndexByte(s, ':')
		if colon < 0 {
			colon = len(s)
		}
		host, rest, ok = s[:colon], s[colon:], true
	}
	port, portOK := parsePort(rest, scheme)
	if !ok || !portOK || strings.IndexFunc(host, notInHost) >= 0 {
		return "", 0, false
	}
	return host, port, true
}

// notInHost marks what no host has: blanks, controls and the marks of other URI parts.
func notInHost(c rune) bool {
	return c <= ' ' || c == 0x7f || strings.ContainsRune("\"/<>?@[\\]^`{|}", c)
}

// parsePort reads "" or ":" (the scheme's port) or ":1" to ":65535".
func parsePort(s, scheme string) (port int, ok bool) {
	if s == "" || s == ":" {
		return defaultPort(scheme), true
	}
	n, err := strconv.ParseUint(s[1:], 10, 16)
	return int(n), s[0] == ':' && err == nil && n > 0
}

func defaultPort(scheme string) int {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	}
	return 0
}
