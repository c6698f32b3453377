package tlsrecord

import (
	"crypto/cipher"
	"crypto/hkdf"
	"fmt"
)

const nonceSize = 12

// expand is HKDF-Expand-Label without a context (RFC 8446 §7.1).
func (s Suite) expand(secret []byte, label string, size int) []byte {
	const prefix = "tls13 "
	info := make([]byte, 0, 32)
	info = append(info, byte(size>>8), byte(size), byte(len(prefix)+len(label))) //nolint:gosec // a few dozen at most
	info = append(append(append(info, prefix...), label...), 0)
	b, err := hkdf.Expand(s.hash(), secret, string(info), size)
	if err != nil { // the sizes are constants
		panic(fmt.Sprintf("tlsrecord: derive %q: %v", label, err))
	}
	return b
}

// keys makes the cipher and the first nonce of a traffic secret (§7.3).
func (s Suite) keys(secret []byte) (a cipher.AEAD, iv [nonceSize]byte) {
	key := s.expand(secret, "key", s.keySize())
	defer clear(key)
	a, err := s.aead(key)
	if err != nil { // the size is right
		panic(fmt.Sprintf("tlsrecord: make a cipher: %v", err))
	}
	return a, [nonceSize]byte(s.expand(secret, "iv", nonceSize))
}

// succeed replaces a traffic secret by its successor (§7.2).
func (s Suite) succeed(secret []byte) {
	next := s.expand(secret, "traffic upd", len(secret))
	copy(secret, next)
	clear(next)
}
