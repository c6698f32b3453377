package token

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// How encrypted tokens begin, and what they authenticate beside their content. §16
const (
	encryptedXCP   = "XCP."
	encryptedGCM   = "QTEyOEdDTQ." // A128GCM, encoded
	associatedData = "A128GCM"
)

// Encrypt returns a token that holds data, which only the owners of the secret
// can read. The package says what data may be.
func (k *Keyring) Encrypt(data any) (string, error) {
	content, err := k.enclose(data)
	if err != nil {
		return "", err
	}
	aead, err := chacha20poly1305.NewX(k.keys[0])
	if err != nil {
		return "", fmt.Errorf("token: encrypting: %w; leave Config.KeyLength out, or 32", err)
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce) // never fails
	sealed := aead.Seal(nil, nonce, content, []byte(associatedData))
	text, tag := sealed[:len(content)], sealed[len(content):]
	return bounded(encryptedXCP + base.EncodeToString(slices.Concat(nonce, tag, text)))
}

// Decrypt does for tokens that Encrypt or Phoenix.Token.encrypt made what
// [Keyring.Verify] does for signed ones.
func (k *Keyring) Decrypt(token string, maxAge time.Duration, dst any) error {
	return k.accept(token, maxAge, dst, k.decrypted)
}

// decrypted returns what an encrypted token holds.
func (k *Keyring) decrypted(token string) ([]byte, error) {
	if rest, ok := strings.CutPrefix(token, encryptedXCP); ok {
		return k.fromXCP(rest)
	}
	if rest, ok := strings.CutPrefix(token, encryptedGCM); ok {
		return k.fromGCM(rest)
	}
	return nil, fmt.Errorf("%w: not an encrypted one", ErrInvalid)
}

var errNotOurs = fmt.Errorf("%w: not encrypted with any of the secrets and this salt", ErrInvalid)

// fromXCP reads nonce, tag and text of XChaCha20-Poly1305.
func (k *Keyring) fromXCP(part string) ([]byte, error) {
	raw, err := decoded(part)
	if err != nil {
		return nil, err
	}
	const nonceSize, head = chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
	if len(raw) < head {
		return nil, fmt.Errorf("%w: too short", ErrInvalid)
	}
	nonce, sealed := raw[:nonceSize], slices.Concat(raw[head:], raw[nonceSize:head])
	for _, key := range k.keys {
		aead, err := chacha20poly1305.NewX(key)
		if err != nil {
			return nil, fmt.Errorf("%w: %w; leave Config.KeyLength out, or 32", ErrInvalid, err)
		}
		if content, err := aead.Open(nil, nonce, sealed, []byte(associatedData)); err == nil {
			return content, nil
		}
	}
	return nil, errNotOurs
}

// fromGCM reads what Phoenix wrote before: the content is encrypted with a key
// of its own, and that with ours, as in RFC 7518 §4.7.
//
//	wrapped key ‖ tag ‖ nonce . nonce . text . tag
func (k *Keyring) fromGCM(rest string) ([]byte, error) {
	var parts [4][]byte
	encoded := strings.Split(rest, ".")
	if len(encoded) != len(parts) {
		return nil, fmt.Errorf("%w: not five parts", ErrInvalid)
	}
	for i, part := range encoded {
		b, err := decoded(part)
		if err != nil {
			return nil, err
		}
		parts[i] = b
	}
	wrapped, nonce, sealed := parts[0], parts[1], slices.Concat(parts[2], parts[3])
	if len(wrapped) < gcmNonce || len(parts[3]) != gcmTag {
		return nil, fmt.Errorf("%w: too short", ErrInvalid)
	}
	wrapped, wrapNonce := wrapped[:len(wrapped)-gcmNonce], wrapped[len(wrapped)-gcmNonce:]
	for _, key := range k.keys {
		own, ok := openGCM(key[:min(len(key), 32)], wrapNonce, wrapped, nil)
		if !ok {
			continue
		}
		if content, ok := openGCM(own, nonce, sealed, []byte(associatedData)); ok {
			return content, nil
		}
	}
	return nil, errNotOurs
}

// Sizes of AES-GCM, in bytes.
const gcmNonce, gcmTag = 12, 16

func openGCM(key, nonce, sealed, associated []byte) ([]byte, bool) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	aead, err := cipher.NewGCM(block)
	if err != nil || len(nonce) != aead.NonceSize() {
		return nil, false // Open panics for a nonce of another size
	}
	content, err := aead.Open(nil, nonce, sealed, associated)
	return content, err == nil
}
