package term_test

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/term"
)

// meanings are the terms that testdata/terms.escript wrote.
var meanings = map[string]any{
	"nil":                    nil,
	"true":                   true,
	"false":                  false,
	"atom":                   term.Atom("room"),
	"empty atom":             term.Atom(""),
	"atom in Latin-1":        term.Atom("café"),
	"atom beyond it":         term.Atom("\U0001F426"),
	"atom of 255 characters": term.Atom(strings.Repeat("é", 255)),
	"0":                      int64(0),
	"1":                      int64(1),
	"255":                    int64(255),
	"256":                    int64(256),
	"-1":                     int64(-1),
	"2147483647":             int64(math.MaxInt32),
	"2147483648":             int64(math.MaxInt32 + 1),
	"-2147483648":            int64(math.MinInt32),
	"-2147483649":            int64(math.MinInt32 - 1),
	"9223372036854775807":    int64(math.MaxInt64),
	"-9223372036854775808":   int64(math.MinInt64),
	"9223372036854775808":    power(1, 63),
	"-9223372036854775809":   new(big.Int).Sub(power(-1, 63), big.NewInt(1)),
	"2^2039":                 power(1, 2039), // the longest whose size fits in a byte
	"-2^2040":                power(-1, 2040),
	"0.0":                    0.0,
	"-0.0":                   math.Copysign(0, -1),
	"1.5":                    1.5,
	"smallest float":         math.SmallestNonzeroFloat64,
	"largest float":          math.MaxFloat64,
	"binary":                 "ada",
	"empty binary":           "",
	"bytes":                  "\x00\xff",
	"empty list":             []any{},
	"list of bytes":          []any{int64(1), int64(2), int64(255)},
	"list of integers":       []any{int64(1), int64(256)},
	"list":                   []any{"a", nil, []any{int64(1)}, []any{}},
	"empty tuple":            term.Tuple{},
	"tuple":                  term.Tuple{term.Atom("user"), int64(1)},
	"tuple of 256":           term.Tuple(slices.Repeat([]any{int64(0)}, 256)),
	"empty map":              term.Map{},
	"map":                    term.Map{{Key: "id", Value: int64(1)}},
	"map of atoms":           term.Map{{Key: term.Atom("id"), Value: term.Tuple{1.5, []any{term.Atom("x")}}}},
	"map of a map":           term.Map{{Key: term.Map{}, Value: term.Map{{Key: int64(1), Value: int64(2)}}}},
}

func power(sign, exponent int64) *big.Int {
	return new(big.Int).Lsh(big.NewInt(sign), uint(exponent))
}

// erlang returns the bytes that Erlang wrote, by name.
func erlang(t testing.TB) map[string][]byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "terms.json"))
	if err != nil {
		t.Fatal(err)
	}
	var encoded map[string]string
	if err := json.Unmarshal(data, &encoded); err != nil {
		t.Fatal(err)
	}
	terms := make(map[string][]byte)
	for name, digits := range encoded {
		if terms[name], err = hex.DecodeString(digits); err != nil {
			t.Fatal(err)
		}
	}
	return terms
}

func TestWhatErlangWritesIsReadAndWrittenAlike(t *testing.T) {
	terms := erlang(t)
	if len(terms) != len(meanings) {
		t.Fatalf("Erlang wrote %d terms, %d are known", len(terms), len(meanings))
	}
	for name, want := range meanings {
		got, err := term.Decode(terms[name])
		if err != nil || !same(got, want) {
			t.Errorf("%s reads %#v, %v", name, got, err)
		}
		back, err := term.Encode(want)
		if err != nil || !slices.Equal(back, terms[name]) {
			t.Errorf("%s is written % .60x, %v; by Erlang % .60x", name, back, err, terms[name])
		}
	}
}

// same compares terms: floats by their bits, so that -0.0 is not 0.0.
func same(a, b any) bool {
	x, isFloat := a.(float64)
	y, too := b.(float64)
	if isFloat && too {
		return math.Float64bits(x) == math.Float64bits(y)
	}
	return reflect.DeepEqual(a, b)
}

func TestOtherSpellingsAreRead(t *testing.T) {
	for _, c := range []struct {
		name string
		data string
		want any
	}{
		{"an atom in Latin-1", "\x83d\x00\x04caf\xe9", term.Atom("café")},
		{"a short atom in Latin-1", "\x83s\x04caf\xe9", term.Atom("café")},
		{"true with a long length", "\x83v\x00\x04true", true},
		{"a small integer in four bytes", "\x83b\x00\x00\x00\x07", int64(7)},
		{"a small integer with leading zeros", "\x83n\x03\x00\x07\x00\x00", int64(7)},
		{"a zero that is negative", "\x83n\x00\x01", int64(0)},
		{"a small integer with a long size", "\x83o\x00\x00\x00\x01\x01\x07", int64(-7)},
		{"a list of none", "\x83l\x00\x00\x00\x00j", []any{}},
		{"a string of none", "\x83k\x00\x00", []any{}},
		{"bytes not as a string", "\x83l\x00\x00\x00\x01a\x07j", []any{int64(7)}},
		{"a long tuple of one", "\x83i\x00\x00\x00\x01j", term.Tuple{[]any{}}},
		{"compressed", "\x83P\x00\x00\x00\x02\x78\x01\x01\x02\x00\xfd\xffa\x07\x00\xcb\x00\x69", int64(7)},
	} {
		if got, err := term.Decode([]byte(c.data)); err != nil || !same(got, c.want) {
			t.Errorf("%s: %#v, %v", c.name, got, err)
		}
	}
}

func TestWhatIsReadSharesNoMemoryWithItsBytes(t *testing.T) {
	data := []byte("\x83h\x03m\x00\x00\x00\x03adaw\x04roomn\x09\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09")
	got, err := term.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := term.Decode(slices.Clone(data))
	clear(data)
	if !same(got, want) {
		t.Errorf("%v, was %v", got, want)
	}
}
