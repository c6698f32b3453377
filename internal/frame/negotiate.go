package frame

import (
	"strconv"
	"strings"
)

// NegotiateDeflate answers the permessage-deflate offers in the values of Sec-WebSocket-Extensions headers.
//
// The first offer that can be honoured is taken; response is the header value to answer with. Neither side carries its
// compression context from message to message: the server's messages are compressed once for all connections, and an
// idle client costs no window. The client reads with a window of 1<<window bytes, to which the sender has to keep:
// [Deflate] does for payloads that are no longer. It is 0 when no offer is taken: the connection then goes without
// compression.
func NegotiateDeflate(offers []string) (response string, window uint8) {
	for _, value := range offers {
		if response, window = negotiate(value); window > 0 {
			return response, window
		}
	}
	return "", 0
}

// negotiate answers the offers of one header value. What follows a syntax error is not read.
func negotiate(value string) (response string, window uint8) {
	s := scanner{rest: value}
	for {
		for s.skip(',') { // RFC 9110 §5.6.1.2: empty elements are ignored
		}
		o, wellFormed := s.offer()
		if !wellFormed {
			return "", 0
		}
		if response, window = o.accept(); window > 0 {
			return response, window
		}
	}
}

// offer is one extension with its parameters.
type offer struct {
	name   string
	params []param
}

// param is a parameter; one without a value differs from one with an empty value.
type param struct {
	name, value string
	valued      bool
}

// accept answers the offer, RFC 7692 §7.1.
func (o *offer) accept() (response string, window uint8) {
	if o.name != "permessage-deflate" {
		return "", 0
	}
	window = MaxWindow
	response = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	for i, p := range o.params {
		if !p.valid() || seen(o.params[:i], p.name) {
			return "", 0
		}
		if p.name == "server_max_window_bits" {
			window, _ = windowBits(p.value)
			response += "; server_max_window_bits=" + p.value // §7.1.2.1: to be repeated
		}
	}
	return response, window
}

// seen reports whether one of the parameters has the name.
func seen(params []param, name string) bool {
	for _, p := range params {
		if p.name == name {
			return true
		}
	}
	return false
}

// valid reports whether the parameter is well-formed and can be honoured.
func (p *param) valid() bool {
	switch p.name {
	case "server_no_context_takeover", "client_no_context_takeover":
		return !p.valued
	case "server_max_window_bits":
		_, ok := windowBits(p.value)
		return ok
	case "client_max_window_bits":
		_, ok := windowBits(p.value)
		return ok || !p.valued // only a hint: any window can be read
	}
	return false
}

// MaxWindow is the largest window: 32 KiB, RFC 7692 §7.1.2.
const MaxWindow = 15

// windowBits reads a number from 8 to 15 without leading zeros, RFC 7692 §7.1.2.
func windowBits(s string) (bits uint8, ok bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || n < 8 || n > MaxWindow || s[0] == '0' {
		return 0, false
	}
	return uint8(n), true
}

// scanner reads the grammar of RFC 6455 §9.1 from the front of rest.
type scanner struct {
	rest string
}

// offer reads an extension up to the comma or the end behind it.
func (s *scanner) offer() (o offer, ok bool) {
	if o.name = s.token(); o.name == "" {
		return o, false
	}
	for s.skip(';') {
		p, ok := s.param()
		if !ok {
			return o, false
		}
		o.params = append(o.params, p)
	}
	return o, s.rest == "" || s.rest[0] == ','
}

// param reads a name and its value, if any.
func (s *scanner) param() (p param, ok bool) {
	if p.name = s.token(); p.name == "" {
		return p, false
	}
	if !s.skip('=') {
		return p, true
	}
	p.valued = true
	if s.skip('"') {
		p.value, ok = s.quoted()
		return p, ok
	}
	p.value = s.token()
	return p, p.value != ""
}

// space drops white space.
func (s *scanner) space() { s.rest = strings.TrimLeft(s.rest, " \t") }

// skip reads the byte c, with the white space around it, if it is next.
func (s *scanner) skip(c byte) bool {
	s.space()
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	s.space()
	return true
}

// token reads a token, RFC 9110 §5.6.2, and the white space around it; "" when none is next.
func (s *scanner) token() string {
	s.space()
	n := 0
	for n < len(s.rest) && tokenByte(s.rest[n]) {
		n++
	}
	t := s.rest[:n]
	s.rest = s.rest[n:]
	s.space()
	return t
}

// tokenByte reports whether c may stand in a token.
func tokenByte(c byte) bool {
	return c > ' ' && c < 0x7f && !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, rune(c))
}

// quoted reads the rest of a quoted string, which must hold a token once its escapes are resolved, RFC 6455 §9.1.
func (s *scanner) quoted() (value string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s.rest); i++ {
		c := s.rest[i]
		if c == '"' {
			s.rest = s.rest[i+1:]
			s.space()
			return b.String(), b.Len() > 0
		}
		if c == '\\' {
			if i++; i == len(s.rest) {
				break
			}
			c = s.rest[i]
		}
		if !tokenByte(c) {
			break
		}
		b.WriteByte(c)
	}
	return "", false
}
