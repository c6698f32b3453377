package transport

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Select returns the first supported protocol that the client offers [§5.3].
//
// The server's order decides. No protocol is selected, and ok is true, when
// supported is nil (the setting is off, clause 81) or offered is nil (no header,
// clause 80). ok is false when the two have nothing in common: HTTP 403, clause
// 79. An empty list that is not nil supports nothing, so it refuses every offer.
//
// What is offered is Offered's, or with auth tokens what AuthToken leaves of it.
func Select(supported, offered []string) (selected string, ok bool) {
	if supported == nil || offered == nil {
		return "", true
	}
	for _, protocol := range supported {
		if slices.Contains(offered, protocol) {
			return protocol, true
		}
	}
	return "", false
}

// Offered lists the first Sec-WebSocket-Protocol header; nil means there is none.
//
// Further lines do not count [§5.3]. A header without elements gives an empty
// list that is not nil: the client offered nothing that could be selected.
func Offered(header http.Header) []string {
	lines := header["Sec-Websocket-Protocol"]
	if len(lines) == 0 {
		return nil
	}
	offered := []string{}
	for element := range elements(lines[0]) {
		offered = append(offered, element)
	}
	return offered
}

// PhoenixProtocol is what phoenix.js offers beside its auth token; a socket with
// auth tokens supports it ahead of the configured protocols [§4.6].
const PhoenixProtocol = "phoenix"

// tokenPrefix marks the element of Sec-WebSocket-Protocol that is a token [§4.6].
const tokenPrefix = "base64url.bearer.phx."

// ErrBadToken means an auth token that is not Base64: HTTP 403 (Phoenix: 500).
var ErrBadToken = errors.New("transport: bad auth token")

// AuthToken takes the auth token out of the offered protocols [§4.6].
//
// With exactly one token element, found is true and rest is the other elements:
// nil when there are none, as if the client had sent no header (clause 62). With
// none, or with more than one (clause 63), found is false and rest is all of
// them. Both Base64 alphabets are read, padded or not; the token is whatever
// bytes they stand for, and may be empty.
//
// The error is ErrBadToken; the token's text is not in it.
func AuthToken(header http.Header) (token string, found bool, rest []string, err error) {
	offered := Offered(header)
	at := tokenIndex(offered)
	if at < 0 {
		return "", false, offered, nil
	}
	token, err = decodeToken(offered[at][len(tokenPrefix):])
	if err != nil {
		return "", false, nil, err
	}
	if len(offered) == 1 {
		return token, true, nil, nil
	}
	return token, true, append(offered[:at], offered[at+1:]...), nil
}

// tokenIndex is the index of the only token element, or -1.
func tokenIndex(offered []string) int {
	at := -1
	for i, o := range offered {
		switch {
		case !strings.HasPrefix(o, tokenPrefix):
		case at >= 0:
			return -1
		default:
			at = i
		}
	}
	return at
}

var standardAlphabet = strings.NewReplacer("-", "+", "_", "/")

func decodeToken(s string) (string, error) {
	digits := strings.TrimRight(s, "=")
	padding := len(s) - len(digits)
	if padding > 0 && (padding > 2 || len(s)%4 != 0) {
		return "", ErrBadToken
	}
	// The decoder would skip line breaks.
	token, err := base64.RawStdEncoding.DecodeString(standardAlphabet.Replace(digits))
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return "", ErrBadToken
	}
	return string(token), nil
}

// elements yields the elements of a comma-separated header, empty ones left out.
func elements(header string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for more := true; more; {
			var element string
			element, header, more = strings.Cut(header, ",")
			element = strings.Trim(element, " \t")
			if element != "" && !yield(element) {
				return
			}
		}
	}
}
