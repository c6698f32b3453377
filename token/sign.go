package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"time"
)

// signedSHA256 is how a token that Phoenix signs begins: HS256, encoded. §16
const signedSHA256 = "SFMyNTY"

// base is how the parts of tokens are encoded. Strict, so that there is one
// spelling of each.
var base = base64.RawURLEncoding.Strict()

// digestOf returns the hash function that a signed token's first part names;
// false when it names none.
func digestOf(protected string) (func() hash.Hash, bool) {
	switch protected {
	case signedSHA256:
		return sha256.New, true
	case "SFMzODQ": // HS384
		return sha512.New384, true
	case "SFM1MTI": // HS512
		return sha512.New, true
	}
	return nil, false
}

// Sign returns a token that holds data, which everybody can read and nobody can
// change. The package says what data may be.
func (k *Keyring) Sign(data any) (string, error) {
	content, err := k.enclose(data)
	if err != nil {
		return "", err
	}
	input := signedSHA256 + "." + base.EncodeToString(content)
	return bounded(input + "." + signature(sha256.New, k.keys[0], input))
}

// Verify checks a token that Sign or Phoenix.Token.sign made, and stores what it
// holds in what dst points to; nil is for who only wants to know whether it
// verifies. The maximum age is the caller's to say: [AsSigned] leaves it to the
// token, and with 0 or less all tokens have expired.
//
// Errors: [ErrMissing] for the empty token, [ErrExpired], and [ErrInvalid] for
// all other faults, also for data that dst cannot hold. dst is then as it was.
func (k *Keyring) Verify(token string, maxAge time.Duration, dst any) error {
	return k.accept(token, maxAge, dst, k.verified)
}

// verified returns what a signed token holds.
func (k *Keyring) verified(token string) ([]byte, error) {
	input, sig, _ := cutLast(token, ".")
	protected, data, ok := strings.Cut(input, ".")
	if !ok || strings.Contains(data, ".") {
		return nil, fmt.Errorf("%w: not three parts", ErrInvalid)
	}
	digest, ok := digestOf(protected)
	if !ok {
		return nil, fmt.Errorf("%w: not signed by HMAC with SHA-2", ErrInvalid)
	}
	for _, key := range k.keys {
		if hmac.Equal([]byte(signature(digest, key, input)), []byte(sig)) {
			return decoded(data)
		}
	}
	return nil, fmt.Errorf("%w: the signature is not by any of the secrets with this salt", ErrInvalid)
}

// signature returns the encoded HMAC of input.
func signature(digest func() hash.Hash, key []byte, input string) string {
	mac := hmac.New(digest, key)
	mac.Write([]byte(input))
	return base.EncodeToString(mac.Sum(nil))
}

// decoded decodes one part of a token. Line breaks, which encoding/base64 passes
// over, are no part of one.
func decoded(part string) ([]byte, error) {
	b, err := base.DecodeString(part)
	if err != nil || strings.ContainsAny(part, "\r\n") {
		return nil, fmt.Errorf("%w: not URL-safe Base64 without padding", ErrInvalid)
	}
	return b, nil
}

// cutLast cuts s around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// bounded refuses to make a token that would not be accepted.
func bounded(token string) (string, error) {
	if len(token) > maxToken {
		return "", fmt.Errorf("token: it takes %d bytes, the bound is %d: put an id into the token and the data elsewhere", len(token), maxToken)
	}
	return token, nil
}
