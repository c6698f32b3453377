package token_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/token"
)

// vectors are tokens that testdata/vectors.escript made with Erlang's own means.
type vectors struct {
	Secret string
	Salt   string
	Signed int64 `json:"signed_at_ms"`
	Tokens map[string]string
}

func read(t testing.TB) vectors {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// keys returns the keyring of the vectors.
func (v vectors) keys(t testing.TB, c token.Config) *token.Keyring {
	t.Helper()
	k, err := token.New([]byte(v.Secret), v.Salt, c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (v vectors) signedAt() time.Time { return time.UnixMilli(v.Signed) }

// at runs f when the clock says t.
func at(t *testing.T, when time.Time, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(when))
		f(t)
	})
}

func TestTokensOfErlangAreRead(t *testing.T) {
	v := read(t)
	huge := func(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }
	for name, want := range map[string]any{
		"nil": nil, "true": true, "false": false, "an atom": token.Atom("admin"),
		"0": int64(0), "255": int64(255), "256": int64(256), "-1": int64(-1),
		"2147483647": int64(math.MaxInt32), "2147483648": int64(math.MaxInt32 + 1),
		"-2147483648": int64(math.MinInt32), "-2147483649": int64(math.MinInt32 - 1),
		"9223372036854775807": int64(math.MaxInt64), "-9223372036854775808": int64(math.MinInt64),
		"9223372036854775808": huge(63), "two to the 2100th": huge(2100),
		"1.5": 1.5, "-0.0": math.Copysign(0, -1),
		"a binary": "ada", "no binary": "", "bytes": "\x00\xff\x80",
		"no list": []any{}, "a list of bytes": []any{int64(1), int64(2), int64(3)}, "a list": []any{int64(1), int64(1000), "x"},
		"a tuple": token.Tuple{token.Atom("user"), int64(1)}, "no tuple": token.Tuple{},
		"atom keys": map[string]any{"user_id": int64(42)}, "binary keys": map[string]any{"user_id": int64(42)}, "no map": map[string]any{},
		"nested":      map[string]any{"roles": []any{token.Atom("admin"), token.Tuple{token.Atom("room"), "lobby"}}, "age": 36.5},
		"an old atom": token.Atom("café"), "sha384": int64(7), "sha512": int64(7), "no end": int64(7),
	} {
		var got any
		if err := v.keys(t, token.Config{}).Verify(v.Tokens[name], token.Forever, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v; want %#v", name, got, err, want)
		}
	}
}

func TestOlderFormsOfTokensAreReadAndLastADay(t *testing.T) {
	v := read(t)
	for _, name := range []string{"two elements", "a map"} {
		for _, c := range []struct {
			age  time.Duration
			want error
		}{{24 * time.Hour, nil}, {24*time.Hour + time.Millisecond, token.ErrExpired}} {
			at(t, v.signedAt().Add(c.age), func(t *testing.T) {
				var got int
				if err := v.keys(t, token.Config{}).Verify(v.Tokens[name], token.AsSigned, &got); !errors.Is(err, c.want) || err == nil && got != 7 {
					t.Errorf("%s after %v: %d, %v", name, c.age, got, err)
				}
			})
		}
	}
}

func TestAgesThatErlangStoresAreKept(t *testing.T) {
	v := read(t)
	for _, c := range []struct {
		name string
		age  time.Duration
		want error
	}{
		{"0", 24 * time.Hour, nil},
		{"0", 24*time.Hour + time.Millisecond, token.ErrExpired},
		{"a fractional age", 1500 * time.Millisecond, nil},
		{"a fractional age", 1501 * time.Millisecond, token.ErrExpired},
		{"no end", 50 * 365 * 24 * time.Hour, nil},
		{"an endless number", 50 * 365 * 24 * time.Hour, nil},
		{"an endless float", 50 * 365 * 24 * time.Hour, nil},
		{"a huge age", 50 * 365 * 24 * time.Hour, nil},
		{"an age below none", 0, token.ErrExpired},
		{"a huge age below none", 0, token.ErrExpired},
		{"no age", 0, token.ErrExpired},
		{"before all time", 0, token.ErrExpired},
		{"after all time", 0, token.ErrInvalid},
	} {
		at(t, v.signedAt().Add(c.age), func(t *testing.T) {
			if err := v.keys(t, token.Config{}).Verify(v.Tokens[c.name], token.AsSigned, nil); v.Tokens[c.name] == "" || !errors.Is(err, c.want) {
				t.Errorf("%s after %v: %v, want %v", c.name, c.age, err, c.want)
			}
		})
	}
}

func TestCompressedTokensAreRead(t *testing.T) {
	v := read(t)
	var got []string
	if err := v.keys(t, token.Config{}).Verify(v.Tokens["compressed"], token.Forever, &got); err != nil || len(got) != 500 || got[499] != "again" {
		t.Errorf("%d, %v", len(got), err)
	}
}

func TestOtherDerivationsOfTheKeyAreRead(t *testing.T) {
	v := read(t)
	for name, c := range derivations {
		var got int
		if err := v.keys(t, c).Verify(v.Tokens[name], token.Forever, &got); err != nil || got != 7 {
			t.Errorf("%s: %d, %v", name, got, err)
		}
		if err := v.keys(t, token.Config{}).Verify(v.Tokens[name], token.Forever, nil); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s with the usual key: %v", name, err)
		}
	}
}

func TestEncryptedTokensOfErlangAreRead(t *testing.T) {
	v := read(t)
	for name, c := range map[string]token.Config{
		"encrypted":        {},
		"encrypted by AES": {},
		"encrypted by AES with a key of 64 bytes": {KeyLength: 64},
	} {
		k := v.keys(t, c)
		var got int
		if err := k.Decrypt(v.Tokens[name], token.Forever, &got); err != nil || got != 7 {
			t.Errorf("%s: %d, %v", name, got, err)
		}
		if err := k.Verify(v.Tokens[name], token.Forever, nil); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%s, taken for a signed one: %v", name, err)
		}
	}
	if err := v.keys(t, token.Config{}).Decrypt(v.Tokens["0"], token.Forever, nil); !errors.Is(err, token.ErrInvalid) {
		t.Errorf("a signed one, taken for encrypted: %v", err)
	}
}

func TestTokensOfErlangThatAreNoPlainDataAreInvalid(t *testing.T) {
	v := read(t)
	for _, name := range []string{"a bitstring", "an improper list", "a process", "a function", "four elements", "not a time"} {
		got := any("as it was")
		err := v.keys(t, token.Config{}).Verify(v.Tokens[name], token.Forever, &got)
		if v.Tokens[name] == "" || !errors.Is(err, token.ErrInvalid) || strings.Contains(err.Error(), "signature") || got != "as it was" {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// What Roost signs at the same time, of data that both write alike, is the same
// token to the last byte: so Phoenix reads it.
func TestTokensAreThoseOfErlang(t *testing.T) {
	v := read(t)
	for name, data := range map[string]any{
		"0": 0, "255": uint8(255), "256": int16(256), "-1": -1, "2147483648": uint32(1 << 31), "-9223372036854775808": int64(math.MinInt64),
		"9223372036854775808": uint64(1 << 63), "1.5": float32(1.5), "-0.0": math.Copysign(0, -1),
		"a binary": "ada", "no binary": []byte{}, "bytes": [3]byte{0, 255, 128},
		"no list": []int{}, "a list of bytes": []int{1, 2, 3}, "a list": []any{1, 1000, "x"}, "no tuple": token.Tuple{},
		"binary keys": map[string]int{"user_id": 42}, "no map": struct{}{},
	} {
		got, err := v.keys(t, token.Config{}).At(v.signedAt()).Sign(data)
		if err != nil || got != v.Tokens[name] {
			t.Errorf("%s: %s, %v; want %s", name, got, err, v.Tokens[name])
		}
	}
}
