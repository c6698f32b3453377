package term_test

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/roostgo/roost/internal/term"
)

// random returns a term with so many levels at the most.
func random(r *rand.Rand, levels int) any {
	kinds := 12
	if levels == 0 {
		kinds = 9
	}
	switch r.IntN(kinds) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return term.Atom(fmt.Sprintf("a%d", r.IntN(9)))
	case 3:
		return int64(r.IntN(300))
	case 4:
		return int64(r.Uint64()) >> r.IntN(64)
	case 5:
		n := new(big.Int).SetUint64(r.Uint64() | 1<<63)
		return n.Lsh(n, uint(1+r.IntN(3000)))
	case 6:
		return math.Ldexp(r.NormFloat64(), r.IntN(200)-100)
	case 7, 8:
		b := make([]byte, r.IntN(20))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return string(b)
	case 9:
		return several(r, levels)
	case 10:
		return term.Tuple(several(r, levels))
	}
	m := term.Map{}
	for i, v := range several(r, levels) {
		m = append(m, term.Pair{Key: term.Tuple{int64(i), random(r, 0)}, Value: v})
	}
	return m
}

func several(r *rand.Rand, levels int) []any {
	list := make([]any, r.IntN(6))
	for i := range list {
		list[i] = random(r, levels-1)
	}
	return list
}

func TestWhatIsWrittenReadsTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		want := random(r, 5)
		data, err := term.Encode(want)
		if err != nil {
			t.Fatalf("%#v: %v", want, err)
		}
		if got, err := term.Decode(data); err != nil || !same(got, want) {
			t.Fatalf("%#v was read as %#v, %v", want, got, err)
		}
	}
}

func TestATermThatEndsTooEarlyIsRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		data, err := term.Encode(random(r, 4))
		if err != nil {
			t.Fatal(err)
		}
		for end := range data {
			if v, err := term.Decode(data[:end]); err == nil {
				t.Fatalf("% x without its last %d bytes is %#v", data, len(data)-end, v)
			}
		}
	}
}

// What is read can be written, and is then written always alike.
func FuzzDecode(f *testing.F) {
	for _, data := range erlang(f) {
		f.Add(data)
	}
	f.Add(compressed(2, []byte("a\x01")))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := term.Decode(data)
		if err != nil {
			return
		}
		first, err := term.Encode(v)
		if err != nil {
			t.Fatalf("%#v: %v", v, err)
		}
		again, err := term.Decode(first)
		if err != nil {
			t.Fatalf("%#v: %v", v, err)
		}
		second, err := term.Encode(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%x and %x, %v", first, second, err)
		}
	})
}
