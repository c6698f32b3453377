package frame

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// fuzzLimits are small enough for a fuzzer to reach.
func fuzzLimits(kind byte) *Limits {
	return &Limits{
		MaxFrame: 1 << 10, MaxMessage: 1 << 11, MaxFragments: 4, MaxRatio: 10,
		Deflate: kind&1 != 0, Unmasked: kind&2 != 0, SkipUTF8: kind&4 != 0,
	}
}

// chop cuts b where the seed says.
func chop(b []byte, seed uint64) [][]byte {
	r := rand.New(rand.NewPCG(seed, seed))
	var pieces [][]byte
	for len(b) > 0 {
		n := 1 + r.IntN(min(len(b), 1+r.IntN(64)))
		pieces, b = append(pieces, b[:n]), b[n:]
	}
	return pieces
}

// FuzzAssembler checks that bytes in any pieces give the events of the whole, and that no more than about twice what was
// fed is ever kept.
func FuzzAssembler(f *testing.F) {
	for i, r := range rules {
		f.Add(stream(r.frames...), byte(0), uint64(i))
	}
	f.Add(stream(deflated(Text, long), deflated(Binary, "x")), byte(1), uint64(7))
	f.Add(AppendClose(AppendControl(nil, Ping, []byte("p")), 1000, "bye"), byte(2), uint64(8))
	f.Fuzz(func(t *testing.T, b []byte, kind byte, seed uint64) {
		lim := fuzzLimits(kind)
		var a Assembler
		want := events(t, &a, lim, b)
		if a.Idle() != reflect.DeepEqual(a, Assembler{}) {
			t.Fatalf("idle %v with %+v kept", a.Idle(), a)
		}

		var all []got
		a = Assembler{}
		fed := 0
		for _, p := range chop(b, seed) {
			all = append(all, events(t, &a, lim, p)...)
			fed += len(p)
			if kept := cap(a.message.buf) + cap(a.control); kept > 2*fed+2*minBuffer {
				t.Fatalf("%d bytes kept of %d fed", kept, fed)
			}
			if len(all) > 0 && all[len(all)-1].failed {
				break
			}
		}
		if !reflect.DeepEqual(all, want) {
			t.Fatalf("in pieces %+v, whole %+v", all, want)
		}
	})
}
