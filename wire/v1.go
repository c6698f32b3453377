package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// V1 returns the serializer of clients that send no vsn: JSON objects. [§6.2]
//
// It knows no binary frames: one from a client is read as JSON (clause 119), a
// binary payload is [ErrBinary]. It never writes a join_ref (clause 115), and it
// lets pushes and broadcasts carry any JSON (clause 120).
func V1() Serializer { return v1{} }

type v1 struct{}

func (v1) Name() string { return "v1" }

func (v1) Decode(m *Message, binary bool, data []byte) error {
	// Nobody has looked at the bytes of a binary frame, and a payload is relayed as
	// it is: what is not UTF-8 would cost its receivers their connections.
	if binary && !utf8.Valid(data) {
		return ErrNotUTF8
	}
	s := scanner{data: data}
	var f members
	if !s.members(&f) || !s.end() {
		return s.problem()
	}
	if name := f.missing(); name != "" {
		return fmt.Errorf("%w: V1 needs the key %q", ErrShape, name) // clause 116
	}
	if f.joinRef == nil {
		f.joinRef = null
	}
	received(m, f.joinRef, f.ref, f.topic, f.event, f.payload)
	return nil
}

func (v1) Encode(dst []byte, m *Message) (out []byte, binary bool, err error) {
	if m.Payload.binary {
		return dst, false, fmt.Errorf("%w: V1 carries JSON only", ErrBinary)
	}
	if m.Kind > Broadcast {
		return dst, false, ErrKind
	}
	return appendObject(slices.Grow(dst, jsonSize(m)), m), false, nil
}

// appendObject appends m as an object of exactly four members. Clause 114.
func appendObject(dst []byte, m *Message) []byte {
	dst = append(dst, `{"topic":`...)
	dst = appendTopic(dst, m)
	dst = append(dst, `,"event":`...)
	dst = appendEvent(dst, m)
	dst = append(dst, `,"ref":`...)
	dst = appendRef(dst, m, m.Ref)
	dst = append(dst, `,"payload":`...)
	dst = appendPayload(dst, m)
	return append(dst, '}')
}

var null = []byte("null")

// members are the raw JSON values of a V1 message; nil means absent.
type members struct{ topic, event, payload, ref, joinRef []byte }

// missing returns the name of a required key that is absent, or "".
func (f *members) missing() string {
	switch {
	case f.topic == nil:
		return "topic"
	case f.event == nil:
		return "event"
	case f.payload == nil:
		return "payload"
	case f.ref == nil:
		return "ref"
	}
	return ""
}

// field returns where the value of the key belongs, nil for a key of no meaning.
func (f *members) field(key string) *[]byte {
	switch key {
	case "topic":
		return &f.topic
	case "event":
		return &f.event
	case "payload":
		return &f.payload
	case "ref":
		return &f.ref
	case "join_ref":
		return &f.joinRef
	}
	return nil
}

// members moves past an object and notes the members that make a message; of
// duplicate keys the last wins. [§6.5]
func (s *scanner) members(f *members) bool {
	if s.peek() != '{' {
		return s.fail(errNoObject) // clause 117
	}
	s.nest.push(object)
	s.pos++
	if s.peek() == '}' {
		s.pos++
		return true
	}
	for s.member(f) {
		switch s.peek() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return true
		default:
			return s.fail(ErrSyntax)
		}
	}
	return false
}

var errNoObject = fmt.Errorf("%w: V1 reads a JSON object", ErrShape)

// member moves past one member and notes its value if it makes a message.
func (s *scanner) member(f *members) bool {
	name, ok := s.name()
	if !ok {
		return false
	}
	s.peek()
	from := s.pos
	if !s.value() {
		return false
	}
	var buf [len("join_ref")]byte
	if field := f.field(keyOf(name, &buf)); field != nil {
		*field = s.data[from:s.pos:s.pos]
	}
	return true
}

// keyOf is the content of a member's name if it may be one of a message. Those
// are short and ASCII: others are not decoded, however many there are.
func keyOf(raw []byte, buf *[len("join_ref")]byte) string {
	s := raw[1 : len(raw)-1]
	if bytes.IndexByte(s, '\\') < 0 {
		return alias(s)
	}
	n := 0
	for ; len(s) > 0 && n < len(buf); n++ {
		if s[0] != '\\' {
			buf[n], s = s[0], s[1:]
			continue
		}
		if s[1] != 'u' {
			return ""
		}
		code, err := strconv.ParseUint(alias(s[2:6]), 16, 7)
		if err != nil {
			return ""
		}
		buf[n], s = byte(code), s[6:]
	}
	if len(s) > 0 {
		return ""
	}
	return alias(buf[:n])
}
