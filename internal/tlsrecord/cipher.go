package tlsrecord

import (
	"crypto/cipher"
	"encoding/binary"
	"math"
)

// Cipher opens and seals the records of a State. The zero value works for any:
// keys are made when they are needed and kept until the State's are others, so
// that a cache of a few Ciphers serves many connections, and may give any of
// them to any connection. Making keys takes about three microseconds, keeping
// them 900 bytes, for each direction.
//
// It belongs to one goroutine at a time; the two directions do not touch each
// other's keys.
type Cipher struct{ in, out half }

// half is the keys of one direction.
type half struct {
	suite Suite
	mark  [16]byte // begin of the secret that they were made of
	aead  cipher.AEAD
	iv    [nonceSize]byte
	nonce [nonceSize]byte // of the record at work
}

// Wipe drops the keys.
func (c *Cipher) Wipe() { *c = Cipher{} }

// ready makes the keys anew unless they are those of the secret.
func (h *half) ready(s Suite, secret []byte) {
	if h.aead != nil && h.suite == s && h.mark == [16]byte(secret) {
		return
	}
	h.aead, h.iv = s.keys(secret)
	h.suite, h.mark = s, [16]byte(secret)
}

// count takes the next record's number and makes its nonce (§5.3). It reports
// false when all numbers are used up.
func (h *half) count(d *direction) bool {
	if d.seq == math.MaxUint64 {
		return false
	}
	h.nonce = h.iv
	tail := h.nonce[nonceSize-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^d.seq)
	d.seq++
	return true
}
