package wire

import "errors"

// A client's frame that cannot be read ends its connection with 1011 [§6.1];
// these are the reasons that [Serializer.Decode] gives, wrapped with details.
var (
	ErrSyntax      = errors.New("wire: invalid JSON")
	ErrTooDeep     = errors.New("wire: JSON nested too deeply")
	ErrShape       = errors.New("wire: not a message")
	ErrTruncated   = errors.New("wire: truncated binary frame")
	ErrUnknownKind = errors.New("wire: unknown kind of binary frame")
	ErrNotUTF8     = errors.New("wire: not UTF-8")
)

// What cannot be written is the fault of whoever made the message; these are the
// reasons that [Serializer.Encode] and [Payload.Decode] give.
var (
	ErrNotObject    = errors.New("wire: payload is not a JSON object")
	ErrBinary       = errors.New("wire: payload is binary")
	ErrNotBinary    = errors.New("wire: payload is not binary")
	ErrFieldTooLong = errors.New("wire: field exceeds 255 bytes")
	ErrKind         = errors.New("wire: message of unknown kind")
)
