package frame

import (
	"encoding/binary"
	"unicode/utf8"
)

// NoStatus is the Code of a close event whose frame carried none. It is never on the wire, RFC 6455 §7.4.1.
const NoStatus uint16 = 1005

// AppendControl appends a final, unmasked control frame. A payload over 125 bytes is cut.
func AppendControl(dst []byte, op Opcode, payload []byte) []byte {
	payload = payload[:min(len(payload), maxControl)]
	return append(AppendHeader(dst, op, false, len(payload)), payload...)
}

// AppendClose appends a close frame. Code 0 or [NoStatus] makes it an empty one.
//
// A reason over 123 bytes is cut before the rune that does not fit.
func AppendClose(dst []byte, code uint16, reason string) []byte {
	if code == 0 || code == NoStatus {
		return AppendHeader(dst, Close, false, 0)
	}
	reason = cut(reason, maxControl-2)
	dst = AppendHeader(dst, Close, false, 2+len(reason))
	return append(binary.BigEndian.AppendUint16(dst, code), reason...)
}

// cut returns the longest prefix of s that has n bytes at most and does not end inside a rune.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// closeEvent reads the payload of a close frame, RFC 6455 §5.5.1. It is not one byte: checkControl saw to that.
func closeEvent(p []byte) (Event, error) {
	if len(p) == 0 {
		return Event{Opcode: Close, Code: NoStatus}, nil
	}
	code, reason := binary.BigEndian.Uint16(p), p[2:]
	if !sendable(code) {
		return Event{}, errCloseCode
	}
	if !utf8.Valid(reason) {
		return Event{}, errCloseReason
	}
	return Event{Opcode: Close, Payload: reason, Code: code}, nil
}

// sendable reports whether a close frame may carry the code.
//
// RFC 6455 §7.4: 1004 has no meaning, 1005, 1006 and 1015 are for local use; 1012 to 1014 were registered with IANA
// later; 1016 to 2999 wait for revisions of the protocol; 3000 to 4999 are for libraries and applications.
func sendable(code uint16) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014:
		return true
	default:
		return code >= 3000 && code <= 4999
	}
}
