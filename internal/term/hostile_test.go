package term_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"runtime"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/term"
)

// compressed returns a compressed term that claims to be of a size.
func compressed(size uint32, plain []byte) []byte {
	var b bytes.Buffer
	b.WriteString("\x83P")
	b.Write(binary.BigEndian.AppendUint32(nil, size))
	z, _ := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	_, _ = z.Write(plain)
	_ = z.Close()
	return b.Bytes()
}

func TestWhatIsNoPlainTermIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		data string
		want error
	}{
		{"nothing", "", term.ErrTruncated},
		{"a version alone", "\x83", term.ErrTruncated},
		{"another version", "\x82a\x01", term.ErrSyntax},
		{"two terms", "\x83a\x01a\x01", term.ErrSyntax},
		{"an integer without its byte", "\x83a", term.ErrTruncated},
		{"three bytes of four", "\x83b\x00\x00\x00", term.ErrTruncated},
		{"a big one without a sign", "\x83n\x01", term.ErrTruncated},
		{"a big one of another sign", "\x83n\x01\x02\x07", term.ErrSyntax},
		{"a big one of 4 GB", "\x83o\xff\xff\xff\xff\x00\x01", term.ErrTruncated},
		{"infinity", "\x83F\x7f\xf0\x00\x00\x00\x00\x00\x00", term.ErrSyntax},
		{"no number", "\x83F\x7f\xf8\x00\x00\x00\x00\x00\x01", term.ErrSyntax},
		{"a float in decimals", "\x83c1.50000000000000000000e+00\x00\x00\x00\x00\x00", term.ErrNotPlain},
		{"an atom that is not UTF-8", "\x83w\x01\xff", term.ErrSyntax},
		{"an atom of 256 characters", "\x83v\x01\x00" + strings.Repeat("a", 256), term.ErrTooLarge},
		{"an atom of the node's cache", "\x83R\x00", term.ErrNotPlain},
		{"a binary of 4 GB", "\x83m\xff\xff\xff\xff123", term.ErrTruncated},
		{"a bitstring", "\x83M\x00\x00\x00\x01\x03\xa0", term.ErrNotPlain},
		{"a list of 4 G", "\x83l\xff\xff\xff\xff", term.ErrTruncated},
		{"a list without its end", "\x83l\x00\x00\x00\x01a\x01", term.ErrTruncated},
		{"an improper list", "\x83l\x00\x00\x00\x01a\x01a\x02", term.ErrNotPlain},
		{"a tuple of 4 G", "\x83i\xff\xff\xff\xffj", term.ErrTruncated},
		{"a map of 2 G", "\x83t\x80\x00\x00\x00jj", term.ErrTruncated},
		{"a map without its last value", "\x83t\x00\x00\x00\x02jjh\x00", term.ErrTruncated},
		{"a map with a key twice", "\x83t\x00\x00\x00\x02a\x01jb\x00\x00\x00\x01j", term.ErrSyntax},
		{"a process", "\x83Xw\x01n\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", term.ErrNotPlain},
		{"a function", "\x83qw\x05listsw\x03mapa\x02", term.ErrNotPlain},
		{"a local term", "\x83y\x00", term.ErrNotPlain},
		{"a term in a term", "\x83h\x01\x83a\x01", term.ErrNotPlain},
		{"what is not compressed", "\x83P\x00\x00\x00\x02a\x01", term.ErrSyntax},
		{"compressed without a size", "\x83P\x00\x00", term.ErrTruncated},
		{"more than it claims", string(compressed(1, []byte("a\x01"))), term.ErrSyntax},
		{"less than it claims", string(compressed(3, []byte("a\x01"))), term.ErrSyntax},
		{"4 GB compressed", string(compressed(math.MaxUint32, nil)), term.ErrTooLarge},
		{"compressed twice", string(compressed(16, compressed(2, []byte("a\x01"))[1:])), term.ErrSyntax},
		{"lists in lists", "\x83" + strings.Repeat("l\x00\x00\x00\x01", term.MaxDepth) + strings.Repeat("j", term.MaxDepth+1), term.ErrTooDeep},
		{"maps in keys", "\x83" + strings.Repeat("t\x00\x00\x00\x01", term.MaxDepth) + strings.Repeat("j", term.MaxDepth+1), term.ErrTooDeep},
		{"a megabyte", "\x83m\x00\x10\x00\x00" + strings.Repeat(" ", 1<<20), term.ErrTooLarge},
	} {
		if got, err := term.Decode([]byte(c.data)); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

func TestTermsAsDeepAsAllowedAreRead(t *testing.T) {
	for _, head := range []string{"l\x00\x00\x00\x01", "h\x01"} {
		data := "\x83" + strings.Repeat(head, term.MaxDepth-1) + "j"
		if head[0] == 'l' {
			data += strings.Repeat("j", term.MaxDepth-1)
		}
		v, err := term.Decode([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := term.Encode(v); err != nil {
			t.Error(err)
		}
	}
}

// bombs are bytes that would like to be far more memory.
func bombs() map[string][]byte {
	const size = term.MaxSize
	level := "l\x00\x0f\x00\x00" // claims 983040 elements
	return map[string][]byte{
		"each level claims the rest":  append([]byte("\x83"+strings.Repeat(level, term.MaxDepth)), bytes.Repeat([]byte("j"), size-200)...),
		"each level claims pairs":     append([]byte("\x83"+strings.Repeat("t\x00\x07\x00\x00", term.MaxDepth)), bytes.Repeat([]byte("j"), size-200)...),
		"a megabyte of empty lists":   append([]byte("\x83l\x00\x0f\xff\x00"), bytes.Repeat([]byte("j"), 0xfff01)...),
		"a megabyte of big integers":  append([]byte("\x83l\x00\x05\x54\x00"), append(bytes.Repeat([]byte("n\x00\x00"), 0x55400), 'j')...),
		"a GB, as it claims":          compressed(1<<30, make([]byte, 1000)),
		"32 MB that claim to be 1 MB": compressed(size, make([]byte, 32<<20)),
	}
}

func TestForgedHeadersReserveNothing(t *testing.T) {
	for name, data := range bombs() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := term.Decode(data)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 48<<20 {
			t.Errorf("%s: %d bytes became %d MB", name, len(data), got>>20)
		}
		if legal := strings.HasPrefix(name, "a megabyte"); legal != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
		runtime.KeepAlive(v)
	}
}

func TestAMapInAKeyInAKeyTakesNoTimeToSpeakOf(t *testing.T) {
	v := any(term.Map{})
	for range term.MaxDepth - 1 { // spelling each key twice would take 2^31 steps
		v = term.Map{{Key: v, Value: nil}}
	}
	data, err := term.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := term.Decode(data); err != nil || !same(got, v) {
		t.Error(err)
	}
}

func TestWhatNoTermStandsForIsNotWritten(t *testing.T) {
	cycle := []any{nil}
	cycle[0] = cycle
	wide := []any{"laughter"}
	for range term.MaxDepth - 1 {
		wide = []any{wide, wide, wide, wide}
	}
	for _, c := range []struct {
		name  string
		value any
		want  error
	}{
		{"another type", 7, term.ErrValue},
		{"a pointer to nothing", (*big.Int)(nil), term.ErrValue},
		{"infinity", math.Inf(1), term.ErrValue},
		{"no number", math.NaN(), term.ErrValue},
		{"a key twice", term.Map{{Key: "a"}, {Key: "a"}}, term.ErrValue},
		{"an atom that is not UTF-8", term.Atom("\xff"), term.ErrSyntax},
		{"an atom of 256 characters", term.Atom(strings.Repeat("a", 256)), term.ErrTooLarge},
		{"a binary of a megabyte", strings.Repeat(" ", term.MaxSize), term.ErrTooLarge},
		{"an integer of a megabyte", power(1, 8*term.MaxSize+1), term.ErrTooLarge},
		{"a list of a million", make([]any, term.MaxSize+1), term.ErrTooLarge},
		{"a tuple of a million", make(term.Tuple, term.MaxSize+1), term.ErrTooLarge},
		{"a map of a million", make(term.Map, term.MaxSize+1), term.ErrTooLarge},
		{"one that holds itself", cycle, term.ErrTooDeep},
		{"one that holds the same very often", wide, term.ErrTooLarge},
	} {
		if got, err := term.Encode(c.value); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %d bytes, %v; want %v", c.name, len(got), err, c.want)
		}
	}
}
