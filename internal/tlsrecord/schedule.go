package tlsrecord

import (
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

// derive makes the key and the first nonce of a direction's secret (§7.3).
func (s Suite) derive(d *direction) {
	secret := d.secret[:s.secretSize()]
	key, iv := s.expand(secret, "key", s.keySize()), s.expand(secret, "iv", nonceSize)
	copy(d.key[:], key)
	copy(d.iv[:], iv)
	clear(key)
}

// succeed replaces a direction's secret by its successor (§7.2), whose records
// are counted from 0. Ciphers notice.
func (s Suite) succeed(d *direction) {
	next := s.expand(d.secret[:s.secretSize()], "traffic upd", s.secretSize())
	copy(d.secret[:], next)
	clear(next)
	s.derive(d)
	d.seq = 0
}
