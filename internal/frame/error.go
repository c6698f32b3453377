package frame

// Error ends a connection: it carries the close code that the peer is to be sent.
type Error struct {
	Code uint16
	Text string // for the log; never for the peer, §5.7 of the protocol has all reasons empty
}

// Error says what the peer did.
func (e *Error) Error() string { return "frame: " + e.Text }

// Close codes of the errors below, RFC 6455 §7.4.1.
const (
	protocolError uint16 = 1002
	invalidData   uint16 = 1007
	policy        uint16 = 1008
	tooBig        uint16 = 1009
)

// What a peer can do wrong. Shared values, so that an attack does not allocate.
var (
	errReserved      = &Error{protocolError, "reserved bits are set"}
	errOpcode        = &Error{protocolError, "unknown opcode"}
	errUnmasked      = &Error{protocolError, "frame is not masked"}
	errMasked        = &Error{protocolError, "frame of a server is masked"}
	errContinuation  = &Error{protocolError, "continuation of nothing"}
	errInterrupted   = &Error{protocolError, "new message inside a fragmented one"}
	errControlSize   = &Error{protocolError, "control frame is over 125 bytes"}
	errControlSplit  = &Error{protocolError, "control frame is fragmented"}
	errLength        = &Error{protocolError, "length has its top bit set"}
	errClosePayload  = &Error{protocolError, "close payload of one byte"}
	errCloseCode     = &Error{protocolError, "close code is not for the wire"}
	errCloseReason   = &Error{invalidData, "close reason is not UTF-8"}
	errText          = &Error{invalidData, "text is not UTF-8"}
	errDeflated      = &Error{invalidData, "compressed data is corrupt"}
	errEmptyFragment = &Error{policy, "message has too many empty continuations"}
	errFragments     = &Error{policy, "message has too many fragments"}
	errFrameSize     = &Error{tooBig, "frame is too large"}
	errMessageSize   = &Error{tooBig, "message is too large"}
	errRatio         = &Error{tooBig, "message inflates too much"}
)

// Bound is one of [Limits].
type Bound uint8

// The bounds.
const (
	NoBound Bound = iota
	FrameSize
	MessageSize
	Fragments // empty continuations, too
	Ratio
)

// Bound is which bound the peer hit; NoBound, if it broke a rule.
func (e *Error) Bound() Bound {
	switch e {
	case errFrameSize:
		return FrameSize
	case errMessageSize:
		return MessageSize
	case errFragments, errEmptyFragment:
		return Fragments
	case errRatio:
		return Ratio
	}
	return NoBound
}
