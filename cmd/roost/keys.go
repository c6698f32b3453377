package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
)

// minKey is how short a key of the API may be, in bytes.
const minKey = 32

// apiKeys are the hashes of the keys that open the API: all of one length,
// whatever that of the keys is.
type apiKeys [][sha256.Size]byte

// readKeys reads the keys of a file; "" has none.
func readKeys(name string) (keys apiKeys, warning string, err error) {
	if name == "" {
		return nil, "", nil
	}
	lines, warning, err := private(name)
	if err != nil {
		return nil, "", fmt.Errorf("flag -api-keys: %w", err)
	}
	for _, l := range lines {
		switch {
		case len(l.text) < minKey:
			return nil, "", fmt.Errorf("flag -api-keys: line %d of %s has %d bytes, fewer than %d, which can be guessed: "+
				"take what `roost secret` prints", l.number, name, len(l.text), minKey)
		case strings.ContainsFunc(l.text, func(r rune) bool { return r <= ' ' || r > '~' }):
			return nil, "", fmt.Errorf("flag -api-keys: line %d of %s cannot stand in a header: a key is of ASCII letters, digits and signs, "+
				"without blanks", l.number, name)
		}
		keys = append(keys, sha256.Sum256([]byte(l.text)))
	}
	return keys, warning, nil
}

// open reports whether what was sent is one of the keys. It takes as long
// whichever it is, and if it is none: equal, which is
// [subtle.ConstantTimeCompare], sees hashes, and all of them.
func (k apiKeys) open(sent string, equal func(x, y []byte) int) bool {
	hash := sha256.Sum256([]byte(sent))
	found := 0
	for i := range k {
		found |= equal(k[i][:], hash[:])
	}
	return found == 1
}

// bearer is the key that a request shows (RFC 6750 §2.1); "" for none, and for
// more than one.
func bearer(h http.Header) string {
	lines := h["Authorization"]
	if len(lines) != 1 {
		return ""
	}
	scheme, key, _ := strings.Cut(lines[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(key, " ")
}

// gate is who may call the API. Without keys it is everybody, where only this
// machine can do so, and nobody elsewhere.
type gate struct {
	keys     *atomic.Pointer[apiKeys] // replaced when the file changes; nil: there are none
	network  bool                     // others can reach the server
	insecure bool                     // the flag
}

// closed reports whether nobody may call it.
func (g gate) closed() bool { return g.keys == nil && g.network && !g.insecure }

// before lets those through to next who may call it.
func (g gate) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, why := g.objection(r); status != 0 {
			if status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", challenge(r.Header))
			}
			problem(w, status, why)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// objection is the status and the text of a refusal; 0 is none.
func (g gate) objection(r *http.Request) (status int, why string) {
	switch {
	case g.closed():
		return http.StatusForbidden, "the API is closed: others than this machine can reach it, and there are no keys. " +
			"Start the server with -api-keys FILE, a key a line as `roost secret` prints them, and send one of them as in authorization: Bearer KEY"
	case g.keys == nil && !g.insecure && forwarded(r.Header):
		return http.StatusForbidden, "the API is open to this machine only, and this came through a proxy: " +
			"start the server with -api-keys FILE, and with -trusted-proxies"
	case g.keys == nil:
		return 0, ""
	case bearer(r.Header) == "":
		return http.StatusUnauthorized, "a key is needed: send one of those in the file of -api-keys, as in authorization: Bearer KEY"
	case !g.keys.Load().open(bearer(r.Header), subtle.ConstantTimeCompare):
		return http.StatusUnauthorized, "the key is none of those in the file of -api-keys"
	}
	return 0, ""
}

// challenge says how to be let in (RFC 6750 §3): without a key nothing was wrong
// with it.
func challenge(h http.Header) string {
	if bearer(h) == "" {
		return `Bearer realm="roost"`
	}
	return `Bearer realm="roost", error="invalid_token"`
}

// forwarded reports whether a proxy says that it passed a request on. Many say
// so without being told to.
func forwarded(h http.Header) bool {
	for _, name := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"} {
		if h[name] != nil {
			return true
		}
	}
	return false
}
