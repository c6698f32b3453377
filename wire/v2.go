package wire

import (
	"fmt"
	"slices"
)

// V2 returns the serializer of vsn 2.0.0: JSON arrays and binary frames. [§6.1]
//
// Its pushes and broadcasts carry a JSON object or bytes, anything else is
// [ErrNotObject] (clauses 110, 111); replies carry any JSON or bytes. A topic,
// event, status or ref over 255 bytes beside a binary payload is
// [ErrFieldTooLong].
func V2() Serializer { return v2{} }

type v2 struct{}

func (v2) Name() string { return "v2" }

func (v2) Decode(m *Message, binary bool, data []byte) error {
	if binary {
		return decodeFrame(m, data)
	}
	s := scanner{data: data}
	var e elements
	n, ok := s.elements(&e)
	if !ok || !s.end() {
		return s.problem()
	}
	if n < len(e) {
		return fmt.Errorf("%w: V2 needs five elements, not %d", ErrShape, n) // clause 100
	}
	received(m, e[0], e[1], e[2], e[3], e[4])
	return nil
}

func (v2) Encode(dst []byte, m *Message) (out []byte, binary bool, err error) {
	if m.Payload.binary {
		out, err = appendFrame(dst, m)
		return out, true, err
	}
	if m.Kind > Broadcast {
		return dst, false, ErrKind
	}
	if m.Kind != Reply && !m.Payload.IsObject() {
		return dst, false, fmt.Errorf("%w: V2 carries an object or bytes in the %s %q; wrap the value in a struct or a map, or bytes in wire.Bytes", ErrNotObject, m.Kind, m.Event)
	}
	return appendArray(slices.Grow(dst, jsonSize(m)), m), false, nil
}

// appendArray appends m as an array of exactly five elements. Clauses 98, 104-106.
func appendArray(dst []byte, m *Message) []byte {
	dst = append(dst, '[')
	dst = appendRef(dst, m, m.JoinRef)
	dst = append(dst, ',')
	dst = appendRef(dst, m, m.Ref)
	dst = append(dst, ',')
	dst = appendTopic(dst, m)
	dst = append(dst, ',')
	dst = appendEvent(dst, m)
	dst = append(dst, ',')
	dst = appendPayload(dst, m)
	return append(dst, ']')
}

// elements are the raw JSON values of a V2 message: join_ref, ref, topic, event
// and payload.
type elements [5][]byte

// elements moves past an array, notes its first five elements and returns how
// many it has. Clause 99.
func (s *scanner) elements(e *elements) (n int, ok bool) {
	if s.peek() != '[' {
		return 0, s.fail(errNoArray) // clause 101
	}
	opened, ok := s.open(array)
	if !opened {
		return 0, ok
	}
	for {
		s.peek()
		from := s.pos
		if !s.value() {
			return n, false
		}
		if n < len(e) {
			e[n] = s.data[from:s.pos:s.pos]
		}
		n++
		switch s.peek() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return n, true
		default:
			return n, s.fail(ErrSyntax)
		}
	}
}

var errNoArray = fmt.Errorf("%w: V2 reads a JSON array", ErrShape)
