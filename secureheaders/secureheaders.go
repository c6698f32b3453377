// Package secureheaders has the headers with which a server asks browsers to
// distrust what it sends: they stand in every answer of the pages that Roost
// serves.
package secureheaders

import (
	"net/http"
	"strconv"
	"time"
)

// NoContent is the policy of an answer that is no page: it loads nothing, and
// nobody shows it in a frame.
const NoContent = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// fields are the headers and their values.
var fields = [...]struct{ name, value string }{
	{"Content-Security-Policy", NoContent},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"},
	{"Referrer-Policy", "same-origin"},
	{"X-Content-Type-Options", "nosniff"},
}

// Set sets the headers. A page then replaces Content-Security-Policy with its
// own, which ends in frame-ancestors 'none' as well.
func Set(h http.Header) {
	for _, f := range fields {
		h.Set(f.name, f.value)
	}
}

// Handler has every answer of next carry the headers, refusals too, unless next
// sets others.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Set(w.Header())
		next.ServeHTTP(w, r)
	})
}

// TLSOnly has every answer that goes out over TLS tell browsers to ask this host
// for nothing without TLS, on any port, for as long as maxAge from then on
// (Strict-Transport-Security). 0 or less tells them nothing.
//
// It says neither includeSubDomains nor preload: those bind other hosts, and
// the second cannot be taken back. What is asked without TLS is answered without
// the header (RFC 6797 §7.2).
func TLSOnly(maxAge time.Duration, next http.Handler) http.Handler {
	if maxAge <= 0 {
		return next
	}
	value := "max-age=" + strconv.FormatInt(int64(maxAge/time.Second), 10)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", value)
		}
		next.ServeHTTP(w, r)
	})
}
