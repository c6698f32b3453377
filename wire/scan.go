package wire

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// maxDepth is how deep arrays and objects may nest, as in encoding/json.
const maxDepth = 10_000

// scanner walks one JSON text. It accepts exactly what encoding/json accepts,
// does not recurse, and does not allocate within the first 64 levels of nesting.
//
// Its methods say whether all is well; err holds the first reason why not.
type scanner struct {
	data []byte
	pos  int // of the next byte to read
	nest nesting
	err  error
}

// validate returns nil when data is one JSON value and nothing else, or else
// [ErrSyntax] or [ErrTooDeep] with the place.
func validate(data []byte) error {
	s := scanner{data: data}
	if s.value() && s.end() {
		return nil
	}
	return s.problem()
}

// problem returns err with the place where it arose.
func (s *scanner) problem() error {
	return fmt.Errorf("%w at byte %d", s.err, s.pos)
}

func (s *scanner) fail(err error) bool {
	s.err = err
	return false
}

// peek skips blanks and returns the byte behind them, or 0 at the end; a NUL is
// as wrong in every place as the end is, except to end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// end says whether only blanks are left.
func (s *scanner) end() bool {
	s.peek()
	return s.pos == len(s.data) || s.fail(ErrSyntax)
}

// value moves past the next value, however deep.
func (s *scanner) value() bool {
	base := s.nest.depth
	for {
		opened, ok := s.begin()
		if !ok {
			return false
		}
		if opened {
			continue
		}
		more, ok := s.finish(base)
		if !more || !ok {
			return ok
		}
	}
}

// begin moves past a scalar or an empty container, or into a container, up to its
// first value.
func (s *scanner) begin() (opened, ok bool) {
	switch c := s.peek(); c {
	case '"':
		return false, s.text()
	case '{':
		return s.open(object)
	case '[':
		return s.open(array)
	case 't':
		return false, s.word("true")
	case 'f':
		return false, s.word("false")
	case 'n':
		return false, s.word("null")
	}
	return false, s.number()
}

// finish moves past whatever a completed value completes, down to the depth base,
// and says whether more values are to follow before that.
func (s *scanner) finish(base int) (more, ok bool) {
	for s.nest.depth > base {
		switch c := s.peek(); {
		case c == ',':
			s.pos++
			return true, s.nest.top() == array || s.key()
		case c == s.nest.top().closer():
			s.pos++
			s.nest.pop()
		default:
			return false, s.fail(ErrSyntax)
		}
	}
	return false, true
}

// open moves into the container that begins here, or past it if it is empty.
func (s *scanner) open(c container) (opened, ok bool) {
	if !s.nest.push(c) {
		return false, s.fail(ErrTooDeep)
	}
	s.pos++
	if s.peek() == c.closer() {
		s.pos++
		s.nest.pop()
		return false, true
	}
	return true, c == array || s.key()
}

// key moves past a member's name and colon.
func (s *scanner) key() bool {
	_, ok := s.name()
	return ok
}

// name moves past a member's name and colon and returns the name, quotes included.
func (s *scanner) name() (quoted []byte, ok bool) {
	if s.peek() != '"' {
		return nil, s.fail(ErrSyntax)
	}
	from := s.pos
	if !s.text() {
		return nil, false
	}
	quoted = s.data[from:s.pos]
	if s.peek() != ':' {
		return nil, s.fail(ErrSyntax)
	}
	s.pos++
	return quoted, true
}

// word moves past w.
func (s *scanner) word(w string) bool {
	if len(s.data)-s.pos < len(w) || string(s.data[s.pos:s.pos+len(w)]) != w {
		return s.fail(ErrSyntax)
	}
	s.pos += len(w)
	return true
}

// number moves past a number. RFC 8259 §6
func (s *scanner) number() bool {
	if s.at('-') {
		s.pos++
	}
	if s.at('0') {
		s.pos++
	} else if !s.digits() {
		return false
	}
	if s.at('.') {
		s.pos++
		if !s.digits() {
			return false
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		return s.digits()
	}
	return true
}

// digits moves past one digit or more.
func (s *scanner) digits() bool {
	i := s.pos
	for i < len(s.data) && s.data[i]-'0' <= 9 {
		i++
	}
	if i == s.pos {
		return s.fail(ErrSyntax)
	}
	s.pos = i
	return true
}

func (s *scanner) at(c byte) bool {
	return s.pos < len(s.data) && s.data[s.pos] == c
}

// text moves past a string.
func (s *scanner) text() bool {
	i := s.pos + 1
	for {
		i += plain(s.data[i:])
		if i == len(s.data) {
			break
		}
		if s.data[i] == '"' {
			s.pos = i + 1
			return true
		}
		n := escape(s.data[i:])
		if n == 0 {
			break
		}
		i += n
	}
	s.pos = i
	return s.fail(ErrSyntax)
}

// plain returns how many bytes of b come before the first quote, backslash or
// control character. It looks at eight bytes at a time.
func plain(b []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote := w ^ '"'*ones
		slash := w ^ '\\'*ones
		// The high bit of each byte that is zero (quote, slash) or below 0x20 (w). A
		// borrow can mark a byte wrongly only above a byte that is marked rightly.
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-' '*ones)&^w) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// escape returns the length of the escape that b starts with, 0 if it is none.
func escape(b []byte) int {
	if len(b) < 2 || b[0] != '\\' {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) && isHex(b[5]) {
			return 6
		}
	}
	return 0
}

func isHex(c byte) bool {
	return c-'0' <= 9 || c|0x20-'a' <= 'f'-'a'
}
