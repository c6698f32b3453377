package transport

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Proxies are the networks of the proxies in front of a server: what they say
// about a client is believed. [§4.7]
//
// The zero value trusts nobody: anybody can send these headers. With networks,
// each proxy in them must add to X-Forwarded-For, and must set or remove
// X-Forwarded-Proto, -Host and -Port, or clients will.
//
// RFC 7239's Forwarded is not looked at. A proxy passes on the one of both that
// it does not write, so a server that reads both believes clients, and which one
// to read cannot be seen in a request. Proxies that write Forwarded write
// X-Forwarded-For too, or can be told to, so a setting would gain nothing that a
// wrong one could not cost.
//
// A Proxies must not be changed once it is in use; then it is safe for concurrent
// use.
type Proxies []netip.Prefix

// ParseProxies reads networks (10.0.0.0/8, fd00::/8) and addresses, with commas
// between. The error names all that are neither.
func ParseProxies(list string) (Proxies, error) {
	var proxies Proxies
	var bad []string
	for text := range elements(list) {
		network, ok := parseNetwork(text)
		if !ok {
			bad = append(bad, strconv.Quote(text))
			continue
		}
		proxies = append(proxies, network)
	}
	if len(bad) > 0 {
		return nil, fmt.Errorf("transport: %s: expected a network or an address, as in 10.0.0.0/8, fd00::/8 or 192.0.2.7", strings.Join(bad, ", "))
	}
	return proxies, nil
}

func parseNetwork(text string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = plainAddr(a)
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	return p, err == nil && !p.Addr().Is4In6() // what is mapped is compared as IPv4
}

// Contains reports whether an address is a proxy's. An IPv4 address that is
// mapped into IPv6 counts as IPv4; zones do not count.
func (p Proxies) Contains(a netip.Addr) bool {
	a = plainAddr(a)
	for _, network := range p {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// plainAddr is an address in the form in which it is compared and counted.
func plainAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// ClientAddr is the address of the client that sent r: the TCP peer, or if that
// is a proxy, the last address that no proxy has, of those that the proxies name
// in X-Forwarded-For.
//
// Each proxy adds whom it got the request from at the end, so the list is read
// backwards, and only as far as proxies wrote it. Where one names no address, it
// is the client itself. The zero Addr means that the peer has no IP, as on a
// Unix socket.
func (p Proxies) ClientAddr(r *http.Request) netip.Addr {
	client := plainAddr(peerAddr(r.RemoteAddr).Addr())
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0 && p.Contains(client); i-- {
		var whole bool
		if client, whole = p.backwards(client, lines[i]); !whole {
			break
		}
	}
	return client
}

// backwards follows one line from a proxy; whole is false where it found what is
// no address.
func (p Proxies) backwards(client netip.Addr, line string) (_ netip.Addr, whole bool) {
	for more := true; more && p.Contains(client); {
		var hop string
		if line, hop, more = cutLast(line); hop == "" {
			continue
		}
		a, ok := parseHop(hop)
		if !ok {
			return client, false
		}
		client = a
	}
	return client, true
}

// cutLast takes the last element off a list; more says that others are before it.
func cutLast(list string) (before, last string, more bool) {
	comma := strings.LastIndexByte(list, ',')
	if comma >= 0 {
		before = list[:comma]
	}
	return before, strings.Trim(list[comma+1:], " \t"), comma >= 0
}

// parseHop reads an address with or without port: 192.0.2.7, 192.0.2.7:80, ::1,
// [::1] or [::1]:80.
func parseHop(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return plainAddr(a), true
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		return plainAddr(a.Addr()), true
	}
	inner, opened := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	a, err := netip.ParseAddr(inner)
	return plainAddr(a), opened && closed && err == nil && a.Is6()
}

// RemoteAddr is r.RemoteAddr, or the address of the client that proxies name.
// It is for logs.
func (p Proxies) RemoteAddr(r *http.Request) string {
	if client := p.ClientAddr(r); p.forwarded(r) {
		return client.String()
	}
	return r.RemoteAddr
}

// forwarded reports whether a proxy sent r.
func (p Proxies) forwarded(r *http.Request) bool {
	return len(p) > 0 && p.Contains(peerAddr(r.RemoteAddr).Addr())
}

// origin is the scheme, host and port that the client sent r to. What a proxy
// does not say, or not readably, stays as it is in the request.
//
// Of several values the last counts, which the nearest proxy wrote. A proxy that
// is behind another one passes on what that one says.
func (p Proxies) origin(r *http.Request) Origin {
	o := requestOrigin(r)
	if !p.forwarded(r) {
		return o
	}
	o.Scheme = forwardedScheme(r, o.Scheme)
	host, port, ok := splitHost(lastElement(r, "X-Forwarded-Host"), o.Scheme)
	if !ok || host == "" {
		host, port, _ = splitHost(r.Host, o.Scheme)
	}
	o.Host, o.Port = host, port
	if n, err := strconv.ParseUint(lastElement(r, "X-Forwarded-Port"), 10, 16); err == nil && n > 0 && host != "" {
		o.Port = int(n)
	}
	return o
}

// forwardedScheme is https or http; some proxies call them by the names that
// they have in a WebSocket's URL.
func forwardedScheme(r *http.Request, def string) string {
	switch said := lastElement(r, "X-Forwarded-Proto"); {
	case equalFoldASCII(said, "https"), equalFoldASCII(said, "wss"):
		return "https"
	case equalFoldASCII(said, "http"), equalFoldASCII(said, "ws"):
		return "http"
	}
	return def
}

// lastElement is the last one of a header; "" without. name is in net/http's
// spelling.
func lastElement(r *http.Request, name string) string {
	lines := r.Header[name]
	if len(lines) == 0 {
		return ""
	}
	_, last, _ := cutLast(lines[len(lines)-1])
	return last
}
