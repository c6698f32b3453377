package transport

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// CheckUpgrade reports what keeps r from becoming a WebSocket; nil means nothing.
//
// The checks are those of RFC 6455 §4.2.1 in the order of [§5.1] step 10. The
// error is an *UpgradeError whose text is the body of the HTTP 400 answer. It is
// the last step of a connect: version, origin and the application come first
// (clause 69).
func CheckUpgrade(r *http.Request) error {
	// Not one returned call: a nil *UpgradeError in an error is not nil.
	if err := checkUpgrade(r); err != nil {
		return err
	}
	return nil
}

// UpgradeError says why a request is no WebSocket handshake.
type UpgradeError struct {
	Header string // the offending header, lower-case; "" if it is no header's fault
	Text   string
}

// Error returns the text that the client reads.
func (e *UpgradeError) Error() string { return e.Text }

func checkUpgrade(r *http.Request) *UpgradeError {
	switch {
	case r.ProtoMajor != 1 || r.ProtoMinor != 1:
		return &UpgradeError{Text: "HTTP version " + r.Proto + " unsupported"}
	case r.Method != http.MethodGet:
		return &UpgradeError{Text: "HTTP method " + r.Method + " unsupported"}
	case r.Host == "": // net/http moves the header there
		return absentHeader("host")
	}
	return checkUpgradeHeader(r.Header)
}

func checkUpgradeHeader(h http.Header) *UpgradeError {
	key, version := h["Sec-Websocket-Key"], h["Sec-Websocket-Version"]
	switch {
	case !hasElement(h["Connection"], "upgrade"):
		return wrongHeader("connection", "must contain 'upgrade'", h["Connection"])
	case !hasElement(h["Upgrade"], "websocket"):
		return wrongHeader("upgrade", "must contain 'websocket'", h["Upgrade"])
	case len(key) == 0:
		return absentHeader("sec-websocket-key")
	case len(key) > 1 || !isNonce(key[0]):
		return wrongHeader("sec-websocket-key", "must be 16 bytes in Base64", key)
	case len(version) != 1 || version[0] != "13":
		return wrongHeader("sec-websocket-version", "must equal '13'", version)
	}
	return nil
}

func absentHeader(name string) *UpgradeError {
	return &UpgradeError{Header: name, Text: "'" + name + "' header is absent"}
}

func wrongHeader(name, rule string, got []string) *UpgradeError {
	return &UpgradeError{Header: name, Text: "'" + name + "' header " + rule + ", got " + quoted(got)}
}

// Bounds of what an answer repeats of a request.
const (
	maxQuotedValues = 4
	maxQuotedBytes  = 64 // of each value
)

// quoted writes values as ["a", "b"], and "…" where it leaves something out.
func quoted(values []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == maxQuotedValues {
			b.WriteString("…")
			break
		}
		if len(v) > maxQuotedBytes {
			v = v[:maxQuotedBytes] + "…"
		}
		b.WriteString(strconv.Quote(v))
	}
	b.WriteByte(']')
	return b.String()
}

// hasElement reports whether any line of a header lists want, which is lower-case.
func hasElement(lines []string, want string) bool {
	for _, line := range lines {
		for element := range elements(line) {
			if equalFoldASCII(element, want) {
				return true
			}
		}
	}
	return false
}

// equalFoldASCII compares s with lower. strings.EqualFold would fold "ſ" into "s".
func equalFoldASCII(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// nonceLen is the length of 16 bytes in padded Base64.
const nonceLen = 24

// isNonce reports whether key stands for 16 bytes (RFC 6455 §4.1).
func isNonce(key string) bool {
	if len(key) != nonceLen {
		return false
	}
	var text [nonceLen]byte
	var nonce [nonceLen / 4 * 3]byte
	copy(text[:], key)
	n, err := base64.StdEncoding.Decode(nonce[:], text[:])
	return err == nil && n == 16
}
