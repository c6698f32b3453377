package frame

import "encoding/binary"

// MaxHeader is the longest header that a server writes: two bytes and a 64-bit length, no mask.
const MaxHeader = 10

// maxHeader is the longest header that a client writes: with the four bytes of the mask.
const maxHeader = MaxHeader + 4

// AppendHeader appends the header of a final, unmasked frame with n bytes of payload.
func AppendHeader(dst []byte, op Opcode, rsv1 bool, n int) []byte {
	return appendLength(append(dst, firstByte(op, rsv1)), 0, n)
}

// PutHeader writes a header right before its payload and returns where the frame begins.
//
// The payload is b[MaxHeader:]; the header ends at MaxHeader and the frame is b[start:]. It panics when b is shorter
// than MaxHeader.
func PutHeader(b []byte, op Opcode, rsv1 bool) (start int) {
	var buf [MaxHeader]byte
	h := AppendHeader(buf[:0], op, rsv1, len(b)-MaxHeader)
	start = MaxHeader - len(h)
	copy(b[start:MaxHeader], h)
	return start
}

// AppendMasked appends a frame as a client sends it, well-formed or not.
//
// rsv is any of RSV1, RSV2 and RSV3. The payload is copied, then masked.
func AppendMasked(dst []byte, fin bool, rsv byte, op Opcode, key [4]byte, payload []byte) []byte {
	first := byte(op)&0x0f | rsv&rsvBits
	if fin {
		first |= finBit
	}
	dst = appendLength(append(dst, first), maskBit, len(payload))
	dst = append(dst, key[:]...)
	start := len(dst)
	dst = append(dst, payload...)
	Mask(key, 0, dst[start:])
	return dst
}

// firstByte returns the first byte of a final frame.
func firstByte(op Opcode, rsv1 bool) byte {
	if rsv1 {
		return finBit | RSV1 | byte(op)
	}
	return finBit | byte(op)
}

// appendLength appends the second byte, with the mask bit or 0, and the length in its shortest form.
func appendLength(dst []byte, mask byte, n int) []byte {
	switch {
	case n <= 125:
		return append(dst, mask|byte(n)) //nolint:gosec // n is in 0..125
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, mask|126), uint16(n)) //nolint:gosec // n is in 126..65535
	default:
		return binary.BigEndian.AppendUint64(append(dst, mask|127), uint64(n)) //nolint:gosec // n is positive
	}
}

// header is a frame's header and how far its payload has come.
type header struct {
	left   uint64 // payload bytes that have not arrived
	key    [4]byte
	pos    uint8 // position in key of the next payload byte
	op     Opcode
	rsv    byte
	fin    bool
	masked bool
}

// parseHeader reads a header from the start of b; n is its length, 0 when b ends before it does.
//
// A length that would fit a shorter form is accepted: RFC 6455 §5.2 binds the sender to the minimal form but names no
// action for the receiver, Phoenix's server accepts it too, and nothing here depends on the form.
func parseHeader(b []byte) (h header, n int) {
	if len(b) < 2 {
		return h, 0
	}
	h.op, h.rsv, h.fin = Opcode(b[0]&0x0f), b[0]&rsvBits, b[0]&finBit != 0
	h.masked = b[1]&maskBit != 0
	h.left, n = parseLength(b)
	if n == 0 || !h.masked {
		return h, n
	}
	if len(b) < n+4 {
		return h, 0
	}
	h.key = [4]byte(b[n:])
	return h, n + 4
}

// parseLength reads the payload length from the header in b, which has two bytes at least; n is where it ends, or 0.
func parseLength(b []byte) (length uint64, n int) {
	switch short := b[1] &^ maskBit; {
	case short <= 125:
		return uint64(short), 2
	case short == 126 && len(b) >= 4:
		return uint64(binary.BigEndian.Uint16(b[2:])), 4
	case short == 127 && len(b) >= 10:
		return binary.BigEndian.Uint64(b[2:]), 10
	}
	return 0, 0
}
