// Package secure has the headers with which a server asks browsers to distrust
// what it sends: they stand in every answer of the pages that Roost serves.
package secure

import "net/http"

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
