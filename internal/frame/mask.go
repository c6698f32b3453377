package frame

import (
	"encoding/binary"
	"math/bits"
)

// Mask XORs b with key, beginning at key[pos], and returns the position that follows.
//
// pos is 0 to 3. Masking twice restores b; a payload may be masked in pieces by carrying the position. RFC 6455 §5.3.
func Mask(key [4]byte, pos int, b []byte) int {
	next := (pos + len(b)) & 3
	k := bits.RotateLeft32(binary.LittleEndian.Uint32(key[:]), -8*pos)
	word := uint64(k)<<32 | uint64(k)
	for len(b) >= 32 {
		xor(b, word)
		xor(b[8:], word)
		xor(b[16:], word)
		xor(b[24:], word)
		b = b[32:]
	}
	for len(b) >= 8 {
		xor(b, word)
		b = b[8:]
	}
	for i := range b { // at most seven: word needs no second turn
		b[i] ^= byte(word >> (8 * i)) //nolint:gosec // its lowest byte is meant
	}
	return next
}

// xor masks the first eight bytes of b.
func xor(b []byte, word uint64) {
	binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
}
