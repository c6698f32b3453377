package wire

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// appendString appends s as a JSON string with only the escapes that JSON
// demands: `/`, `<` and non-ASCII stay as they are [§6.5]. Bytes that are not
// UTF-8 become U+FFFD, because a text frame that is not UTF-8 costs the receiver
// its connection.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	written := 0
	for i := 0; i < len(s); {
		size := literal(s[i:])
		if size > 0 {
			i += size
			continue
		}
		dst = append(dst, s[written:i]...)
		dst = appendEscape(dst, s[i])
		i++
		written = i
	}
	dst = append(dst, s[written:]...)
	return append(dst, '"')
}

// literal returns how many bytes the first character of s takes in a JSON string
// when it may stand there as it is, else 0.
func literal(s string) int {
	c := s[0]
	if c < utf8.RuneSelf {
		if c < ' ' || c == '"' || c == '\\' {
			return 0
		}
		return 1
	}
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return 0
	}
	return size
}

// appendEscape appends what stands for the byte c, which is not literal.
func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if c >= utf8.RuneSelf {
		return utf8.AppendRune(dst, utf8.RuneError)
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}

// stringOf returns the content of the JSON string raw, which it aliases unless
// there is an escape in it. What is no string is returned as it is, and not ok.
func stringOf(raw []byte) (s string, ok bool) {
	switch {
	case raw[0] != '"':
		return alias(raw), false
	case bytes.IndexByte(raw, '\\') >= 0:
		return unquote(raw), true
	}
	return alias(raw[1 : len(raw)-1]), true
}

// unquote returns the content of the valid JSON string raw. Surrogates without a
// partner become U+FFFD. It allocates; few clients escape what they need not.
func unquote(raw []byte) string {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return alias(raw) // not valid after all, which only a hand-made Ref can be
	}
	return s
}
