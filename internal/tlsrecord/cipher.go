package tlsrecord

import (
	"crypto/cipher"
	"encoding/binary"
	"math"
)

// Cipher opens and seals the records of a State. The zero value works for any:
// what is made of a State's keys is kept until they are others, so that a cache of a
// few Ciphers serves many connections, and may give any of them to any
// connection. Making it takes half a microsecond, keeping it 900 bytes, for each
// direction.
//
// It belongs to one goroutine at a time; the two directions do not touch each
// other's keys.
type Cipher struct{ in, out half }

// half is one direction.
type half struct {
	suite Suite
	mark  [16]byte // begin of the key that aead has
	aead  cipher.AEAD
	nonce [nonceSize]byte // of the record at work
}

// Wipe drops the keys.
func (c *Cipher) Wipe() { *c = Cipher{} }

// ready makes the cipher anew unless it is that of the direction's key.
func (h *half) ready(s Suite, d *direction) {
	if h.aead == nil || h.suite != s || h.mark != [16]byte(d.key[:]) {
		h.suite, h.mark, h.aead = s, [16]byte(d.key[:]), s.aead(d)
	}
}

// count takes the next record's number and makes its nonce (§5.3). It reports
// false when all numbers are used up.
func (h *half) count(d *direction) bool {
	if d.seq == math.MaxUint64 {
		return false
	}
	h.nonce = d.iv
	tail := h.nonce[nonceSize-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^d.seq)
	d.seq++
	return true
}
