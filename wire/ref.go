package wire

import "strings"

// Ref is a ref or join_ref: the JSON value that the client sent, as text.
//
// The zero value is null, `"1"` with its quotes is the string 1, `1` is the
// number; the two differ (clauses 102, 103). Strings are in canonical form:
// however a client escaped it, the same string is the same Ref. Other values
// are kept as they were written.
type Ref string

// StringRef returns the ref that is the string s.
func StringRef(s string) Ref {
	return Ref(alias(appendString(make([]byte, 0, len(s)+2), s)))
}

// IsNull says whether the ref is null.
func (r Ref) IsNull() bool { return r == "" }

// Text returns what a binary frame carries for r: the content of a string, the
// JSON of any other value, nothing for null.
func (r Ref) Text() string {
	if !isString(string(r)) {
		return string(r)
	}
	if strings.IndexByte(string(r), '\\') >= 0 {
		return unquote([]byte(r))
	}
	return string(r[1 : len(r)-1])
}

// refOf returns the ref that a client wrote as the JSON value raw.
func refOf(raw []byte) Ref {
	text := alias(raw)
	switch {
	case text == "null":
		return ""
	case isString(text) && strings.IndexByte(text, '\\') >= 0:
		return StringRef(unquote(raw))
	}
	return Ref(text)
}

// isString says whether the valid JSON value raw is a string.
func isString(raw string) bool { return len(raw) >= 2 && raw[0] == '"' }
