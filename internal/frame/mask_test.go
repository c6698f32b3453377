package frame

import (
	"bytes"
	"fmt"
	"testing"
)

// maskSlowly is RFC 6455 §5.3 word for word.
func maskSlowly(key [4]byte, pos int, b []byte) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = b[i] ^ key[(pos+i)%4]
	}
	return out
}

func sequence(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + 3)
	}
	return b
}

func TestMaskEqualsTheDefinitionAtEveryLengthAndPosition(t *testing.T) {
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	for n := range 140 {
		for pos := range 4 {
			b := sequence(n)
			want := maskSlowly(key, pos, b)
			next := Mask(key, pos, b)
			if !bytes.Equal(b, want) || next != (pos+n)%4 {
				t.Fatalf("n=%d pos=%d: got %x, next %d; want %x, next %d", n, pos, b, next, want, (pos+n)%4)
			}
		}
	}
}

func TestMaskInPiecesEqualsMaskAtOnce(t *testing.T) {
	key := [4]byte{1, 2, 3, 4}
	want := maskSlowly(key, 0, sequence(100))
	for cut := range 101 {
		b := sequence(100)
		Mask(key, Mask(key, 0, b[:cut]), b[cut:])
		if !bytes.Equal(b, want) {
			t.Fatalf("cut at %d: got %x, want %x", cut, b, want)
		}
	}
}

func BenchmarkMask(b *testing.B) {
	for _, n := range []int{16, 128, 4096} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			p := sequence(n)
			b.SetBytes(int64(n))
			for b.Loop() {
				Mask([4]byte{1, 2, 3, 4}, 1, p)
			}
		})
	}
}
