package tlsrecord

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"fmt"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// Suite is one of the cipher suites of TLS 1.3 (RFC 8446 §B.4).
type Suite uint16

// The suites that this package knows: those of crypto/tls.
const (
	AES128    = Suite(tls.TLS_AES_128_GCM_SHA256)
	AES256    = Suite(tls.TLS_AES_256_GCM_SHA384)
	ChaCha20  = Suite(tls.TLS_CHACHA20_POLY1305_SHA256)
	maxSecret = sha512.Size384
	maxKey    = 32
)

func (s Suite) known() bool { return s == AES128 || s == AES256 || s == ChaCha20 }

func (s Suite) hash() func() hash.Hash {
	if s == AES256 {
		return sha512.New384
	}
	return sha256.New
}

// secretSize is the length of the suite's traffic secrets.
func (s Suite) secretSize() int {
	if s == AES256 {
		return sha512.Size384
	}
	return sha256.Size
}

func (s Suite) keySize() int {
	if s == AES128 {
		return 16
	}
	return 32
}

// aead makes the suite's cipher of a direction.
func (s Suite) aead(d *direction) cipher.AEAD {
	a, err := s.newAEAD(d.key[:s.keySize()])
	if err != nil { // the size is right
		panic(fmt.Sprintf("tlsrecord: make a cipher: %v", err))
	}
	return a
}

func (s Suite) newAEAD(key []byte) (cipher.AEAD, error) {
	if s == ChaCha20 {
		return chacha20poly1305.New(key)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
