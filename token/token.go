// Package token signs and encrypts data as Phoenix.Token does.
//
// A token that a Phoenix application signed verifies here, and one signed here
// verifies there, when both have the same secret_key_base and the same salt:
//
//	Phoenix.Token.sign(MyAppWeb.Endpoint, "user socket", user.id)
//
//	keys, err := token.New(secretKeyBase, "user socket", token.Config{})
//	err = keys.Verify(fromClient, token.AsSigned, &userID)
//
// A signed token can be read by whoever has it, an encrypted one by the owners
// of the secret only. Neither can be changed, and neither can be taken back
// before it expires.
//
// # Data
//
// Tokens hold Erlang terms. This is what they are in Go, and the other way round
// unless it says otherwise:
//
//	nil                     nil; a nil pointer, slice or map
//	booleans                bool
//	integers                every integer type that they fit, and *big.Int
//	floats                  float64, float32; integers too, where they fit exactly
//	binaries                string, []byte, [n]byte; an encoding.TextMarshaler
//	atoms                   Atom; read, a string too
//	lists                   slices, arrays
//	tuples                  Tuple; read, an array too
//	maps                    maps
//	maps with atom keys     structs; read, the keys may be binaries
//
// A struct's field has the name that its tag gives, `token:"user_id"`, or its
// own; "-" leaves it out. Reading, a field whose key is not there is an error
// unless it is a pointer, and keys without a field are passed over. An empty
// interface reads nil, bool, int64, *big.Int, float64, string, Atom, []any,
// Tuple and map[string]any. All else that Erlang can write (processes,
// references, functions, bitstrings, improper lists) is not read.
//
// §16 and other clauses cited here are those of the protocol document.
package token

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"time"
)

// Why a token is not accepted. The first is wrapped with details, which are for
// the log: a client is told no more than that it is not let in.
var (
	ErrInvalid = errors.New("token: invalid")
	ErrExpired = errors.New("token: expired")
	ErrMissing = errors.New("token: missing")
)

// Ages that are not a number of seconds.
const (
	// AsSigned leaves it to the token how old it may get.
	AsSigned time.Duration = math.MinInt64

	// Forever lets a token get as old as it likes.
	Forever time.Duration = math.MaxInt64
)

// What Phoenix takes when it is not told otherwise. §16
const (
	defaultMaxAge     = 24 * time.Hour
	defaultIterations = 1000
	defaultKeyLength  = 32

	// minSecret is how short a secret may be, in bytes.
	minSecret = 20
)

// maxToken is how long a token may be, in bytes. Phoenix has no such bound; a
// token travels in an URL or a header, which have far lower ones.
const maxToken = 64 << 10

// Config says how keys are derived and how old tokens may get. Both sides have
// to agree on how keys are derived; the zero value agrees with Phoenix.
type Config struct {
	// Older are secrets that were the secret before: what they signed or
	// encrypted is still accepted, and nothing new is made with them. Take one
	// out when its last token has expired. Default: none.
	Older [][]byte

	// MaxAge is how old tokens made here may get when whoever verifies them says
	// [AsSigned]. Default: 24 hours. [Forever] is allowed.
	MaxAge time.Duration

	// Leeway is how far in the future a token may have been signed, by a machine
	// whose clock is ahead. Default: 0, as in Phoenix.
	Leeway time.Duration

	// KeyIterations, KeyLength (in bytes) and KeyDigest are Phoenix's
	// key_iterations, key_length and key_digest. Encrypted tokens need a length
	// of 32. Defaults: 1000, 32, SHA-256.
	KeyIterations int
	KeyLength     int
	KeyDigest     func() hash.Hash
}

// Keyring makes and checks the tokens of one secret and one salt. It is safe for
// concurrent use. Printed, it does not show its keys.
type Keyring struct {
	keys   [][]byte // the first makes tokens, all check them
	maxAge time.Duration
	leeway time.Duration
	at     time.Time // when tokens are made; zero is now
}

// New derives the keys of a secret and a salt, once: it takes as long as
// thousands of verifications. The secret is the application's secret_key_base;
// the salt says what the tokens are for, so that one made for something else
// does not verify. The secrets are not kept.
//
// It returns an error for a secret of less than 20 bytes and for settings that
// make no sense, all of them at once.
func New(secret []byte, salt string, c Config) (*Keyring, error) {
	if err := c.check(secret); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	k := &Keyring{maxAge: c.MaxAge, leeway: c.Leeway}
	for _, s := range append([][]byte{secret}, c.Older...) {
		key, err := pbkdf2.Key(c.KeyDigest, string(s), []byte(salt), c.KeyIterations, c.KeyLength)
		if err != nil {
			return nil, fmt.Errorf("token: deriving the key for the salt %q: %w", salt, err)
		}
		k.keys = append(k.keys, key)
	}
	return k, nil
}

func (c Config) check(secret []byte) error {
	var errs []error
	for i, s := range append([][]byte{secret}, c.Older...) {
		if len(s) < minSecret {
			errs = append(errs, fmt.Errorf("token: secret %d of %d has %d bytes, which can be guessed: give it %d or more, 64 random ones best",
				i+1, 1+len(c.Older), len(s), minSecret))
		}
	}
	if c.MaxAge < 0 || c.Leeway < 0 {
		errs = append(errs, fmt.Errorf("token: MaxAge %v and Leeway %v: neither may be negative; leave them out for the defaults", c.MaxAge, c.Leeway))
	}
	if c.KeyIterations < 0 || c.KeyLength < 0 {
		errs = append(errs, fmt.Errorf("token: KeyIterations %d and KeyLength %d: neither may be negative; leave them out for Phoenix's", c.KeyIterations, c.KeyLength))
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	if c.MaxAge == 0 {
		c.MaxAge = defaultMaxAge
	}
	if c.KeyIterations == 0 {
		c.KeyIterations = defaultIterations
	}
	if c.KeyLength == 0 {
		c.KeyLength = defaultKeyLength
	}
	if c.KeyDigest == nil {
		c.KeyDigest = sha256.New
	}
	return c
}

// At returns a keyring with the same keys that makes tokens as if it were t:
// Phoenix's signed_at. It checks tokens as k does.
func (k *Keyring) At(t time.Time) *Keyring {
	as := *k
	as.at = t
	return &as
}

// Format implements [fmt.Formatter]: whatever the verb, no key is printed.
func (*Keyring) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "token.Keyring") }
