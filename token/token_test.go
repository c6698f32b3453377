package token_test

import (
	"bytes"
	"crypto/sha512"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/token"
)

var (
	secret = []byte("one secret key base of enough bytes")
	rolled = []byte("the next secret key base, as long ones")

	derivations = map[string]token.Config{
		"2000 iterations":   {KeyIterations: 2000},
		"a key of 64 bytes": {KeyLength: 64},
		"a key by sha512":   {KeyDigest: sha512.New},
	}
)

// ring returns a keyring for tests that are not about how it is made.
func ring(t testing.TB, c token.Config) *token.Keyring {
	t.Helper()
	k, err := token.New(secret, "user socket", c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// kind is one of the two ways in which tokens are made and checked.
type kind struct {
	name  string
	make  func(k *token.Keyring, data any) (string, error)
	check func(k *token.Keyring, token string, maxAge time.Duration, dst any) error
}

var kinds = []kind{
	{"signed", (*token.Keyring).Sign, (*token.Keyring).Verify},
	{"encrypted", (*token.Keyring).Encrypt, (*token.Keyring).Decrypt},
}

// each runs f for both kinds.
func each(t *testing.T, f func(t *testing.T, kind kind)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) { f(t, kind) })
	}
}

// made returns a token of a kind.
func (kind kind) made(t testing.TB, k *token.Keyring, data any) string {
	t.Helper()
	made, err := kind.make(k, data)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestWhatGoesIntoATokenComesOutOfIt(t *testing.T) {
	each(t, func(t *testing.T, kind kind) {
		k := ring(t, token.Config{})
		var got string
		if err := kind.check(k, kind.made(t, k, "ada"), token.AsSigned, &got); err != nil || got != "ada" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestAnEncryptedTokenIsAnotherEachTimeAndDoesNotShowItsData(t *testing.T) {
	k := ring(t, token.Config{}).At(time.Now())
	one, two := kinds[1].made(t, k, "ada"), kinds[1].made(t, k, "ada")
	if one == two {
		t.Error("the nonce is the same")
	}
	if !strings.HasPrefix(one, "XCP.") {
		t.Error(one)
	}
}

func TestNoTokenIsMissing(t *testing.T) {
	each(t, func(t *testing.T, kind kind) {
		if err := kind.check(ring(t, token.Config{}), "", token.AsSigned, nil); !errors.Is(err, token.ErrMissing) {
			t.Error(err)
		}
	})
}

func TestATokenWithAnyByteChangedIsInvalid(t *testing.T) {
	each(t, func(t *testing.T, kind kind) {
		k := ring(t, token.Config{})
		made := kind.made(t, k, "ada")
		for i := range made {
			for _, c := range []byte("A_.=\n\xff") {
				forged := []byte(made)
				forged[i] = c
				if string(forged) == made {
					continue
				}
				if err := kind.check(k, string(forged), token.Forever, nil); !errors.Is(err, token.ErrInvalid) {
					t.Fatalf("%q: %v", forged, err)
				}
			}
		}
	})
}

func TestATokenWithBytesAddedOrTakenAwayIsInvalid(t *testing.T) {
	each(t, func(t *testing.T, kind kind) {
		k := ring(t, token.Config{})
		made := kind.made(t, k, "ada")
		for i := range made {
			for _, forged := range []string{made[:i], made[i+1:], made[:i] + "\n" + made[i:], made[:i] + "." + made[i:], made[:i] + made[i+1:]} {
				if err := kind.check(k, forged, token.Forever, nil); forged != "" && !errors.Is(err, token.ErrInvalid) {
					t.Fatalf("%q: %v", forged, err)
				}
			}
		}
		for _, more := range []string{"\n", "\r\n", "=", "A", "."} {
			if err := kind.check(k, made+more, token.Forever, nil); !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%q after it: %v", more, err)
			}
		}
	})
}

func TestATokenLongerThanAnyIsInvalid(t *testing.T) {
	each(t, func(t *testing.T, kind kind) {
		k := ring(t, token.Config{})
		if _, err := kind.make(k, strings.Repeat("a", 60_000)); err == nil || !strings.Contains(err.Error(), "the bound is") {
			t.Errorf("made: %v", err)
		}
		if err := kind.check(k, strings.Repeat("a", 65_537), token.Forever, nil); !errors.Is(err, token.ErrInvalid) || !strings.Contains(err.Error(), "the bound is") {
			t.Errorf("checked: %v", err)
		}
	})
}

func TestTokensOfAnotherSecretOrSaltAreInvalid(t *testing.T) {
	each(t, func(t *testing.T, kind kind) {
		made := kind.made(t, ring(t, token.Config{}), "ada")
		for _, c := range []struct {
			secret []byte
			salt   string
		}{{rolled, "user socket"}, {secret, "password reset"}, {secret, ""}} {
			k, err := token.New(c.secret, c.salt, token.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if err := kind.check(k, made, token.Forever, nil); !errors.Is(err, token.ErrInvalid) {
				t.Errorf("%q: %v", c.salt, err)
			}
		}
	})
}

func TestTokensOfAnOlderSecretAreAcceptedAndNoneAreMadeWithIt(t *testing.T) {
	each(t, func(t *testing.T, kind kind) {
		before := ring(t, token.Config{})
		after, err := token.New(rolled, "user socket", token.Config{Older: [][]byte{[]byte("an even older one, of long ago"), secret}})
		if err != nil {
			t.Fatal(err)
		}
		if err := kind.check(after, kind.made(t, before, 7), token.AsSigned, nil); err != nil {
			t.Errorf("made before: %v", err)
		}
		if err := kind.check(after, kind.made(t, after, 7), token.AsSigned, nil); err != nil {
			t.Errorf("made after: %v", err)
		}
		if err := kind.check(before, kind.made(t, after, 7), token.AsSigned, nil); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("made after, checked before: %v", err)
		}
	})
}

func TestContradictionsAreToldAllAtOnce(t *testing.T) {
	_, err := token.New([]byte("short"), "salt", token.Config{Older: [][]byte{secret, nil}, MaxAge: -1, KeyLength: -1})
	for _, want := range []string{"secret 1 of 3 has 5 bytes", "secret 3 of 3 has 0 bytes", "MaxAge -1ns", "KeyLength -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if strings.Contains(fmt.Sprint(err), "short") {
		t.Error("it tells the secret")
	}
}

func TestEncryptingNeedsAKeyOf32Bytes(t *testing.T) {
	k := ring(t, token.Config{KeyLength: 64})
	if _, err := k.Encrypt(7); err == nil || !strings.Contains(err.Error(), "KeyLength") {
		t.Error(err)
	}
	made := kinds[1].made(t, ring(t, token.Config{}), 7)
	if err := k.Decrypt(made, token.AsSigned, nil); !errors.Is(err, token.ErrInvalid) {
		t.Error(err)
	}
}

func TestAKeyringDoesNotPrintItsKeys(t *testing.T) {
	k := ring(t, token.Config{})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(verb, k); got != "token.Keyring" {
			t.Errorf("%s: %s", verb, got)
		}
	}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("starting", slog.Any("keys", k))
	}
	if strings.Contains(log.String(), "[") {
		t.Error(log.String())
	}
}

func TestAKeyringIsSharedByGoroutines(t *testing.T) {
	k := ring(t, token.Config{})
	done := make(chan error)
	for i := range 8 {
		go func() {
			var got int
			err := k.Decrypt(kinds[1].made(t, k, i), token.AsSigned, &got)
			if err == nil && got != i {
				err = fmt.Errorf("%d, want %d", got, i)
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
