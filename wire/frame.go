package wire

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// The first byte of a V2 binary frame. [§6.3]
const (
	framePush      = 0
	frameReply     = 1
	frameBroadcast = 2
)

// maxField is the longest field whose length fits in its byte. Clause 127.
const maxField = 255

// decodeFrame reads a client's binary frame: a push. Clauses 122, 130-132.
//
//	00 J R T E | join_ref | ref | topic | event | payload
func decodeFrame(m *Message, data []byte) error {
	const header = 5
	if len(data) == 0 {
		return ErrTruncated
	}
	if data[0] != framePush {
		return fmt.Errorf("%w: %d", ErrUnknownKind, data[0])
	}
	if len(data) < header {
		return ErrTruncated
	}
	var fields [4][]byte
	rest := data[header:]
	for i, size := range data[1:header] {
		if len(rest) < int(size) {
			return fmt.Errorf("%w: %d bytes", ErrTruncated, len(data))
		}
		fields[i], rest = rest[:size], rest[size:]
		if !utf8.Valid(fields[i]) {
			return ErrNotUTF8
		}
	}
	*m = Message{Topic: alias(fields[2]), Event: alias(fields[3]), Payload: Binary(rest)}
	m.JoinRef, m.Ref = stringRefs(alias(fields[0]), alias(fields[1]))
	return nil
}

// stringRefs returns two string refs that share one allocation: quotes have to be
// put around what binary frames carry bare. Nothing is "", not null.
func stringRefs(a, b string) (Ref, Ref) {
	both := make([]byte, 0, len(a)+len(b)+4)
	both = appendString(both, a)
	middle := len(both)
	both = appendString(both, b)
	return Ref(alias(both[:middle])), Ref(alias(both[middle:]))
}

// appendFrame appends m as a binary frame. Clauses 123-128.
//
//	00 J T E   | join_ref | topic | event | payload
//	01 J R T S | join_ref | ref | topic | status | payload
//	02 T E     | topic | event | payload
func appendFrame(dst []byte, m *Message) ([]byte, error) {
	switch m.Kind {
	case Push:
		return appendFields(dst, framePush, m, m.JoinRef.Text(), m.Topic, m.Event)
	case Reply:
		return appendFields(dst, frameReply, m, m.JoinRef.Text(), m.Ref.Text(), m.Topic, m.Status)
	case Broadcast:
		return appendFields(dst, frameBroadcast, m, m.Topic, m.Event)
	}
	return dst, ErrKind
}

func appendFields(dst []byte, kind byte, m *Message, fields ...string) ([]byte, error) {
	size := 1 + len(fields) + len(m.Payload.data)
	for _, f := range fields {
		if len(f) > maxField {
			return dst, fmt.Errorf("%w: %.40q... takes %d in the binary %s on %.40q", ErrFieldTooLong, f, len(f), m.Kind, m.Topic)
		}
		size += len(f)
	}
	dst = append(slices.Grow(dst, size), kind)
	for _, f := range fields {
		dst = append(dst, byte(len(f))) //nolint:gosec // checked above
	}
	for _, f := range fields {
		dst = append(dst, f...)
	}
	return append(dst, m.Payload.data...), nil
}
