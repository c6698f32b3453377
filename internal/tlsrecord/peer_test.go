package tlsrecord

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

var suites = []Suite{AES128, AES256, ChaCha20}

func onEachSuite(t *testing.T, test func(t *testing.T, suite Suite)) {
	t.Helper()
	for _, s := range suites {
		t.Run(fmt.Sprintf("suite=%#x", uint16(s)), func(t *testing.T) { test(t, s) })
	}
}

// side is a state with its cipher.
type side struct {
	State
	cipher Cipher
}

func (s *side) seal(pieces ...[]byte) []byte { return s.cipher.Seal(&s.State, nil, pieces...) }

// pair is a server and a client that have the same secrets. To this package
// both are servers.
func pair(t testing.TB, suite Suite) (server, client *side) {
	t.Helper()
	n := suite.secretSize()
	a, b := bytes.Repeat([]byte{0xa}, n), bytes.Repeat([]byte{0xb}, n)
	server, client = new(side), new(side)
	for _, s := range []struct {
		*side
		in, out []byte
	}{{server, a, b}, {client, b, a}} {
		var err error
		if s.State, err = New(suite, s.in, s.out, 3, 3); err != nil {
			t.Fatal(err)
		}
	}
	return server, client
}

// record seals any content, also such as Seal never makes.
func (s *side) record(kind contentType, content []byte, padding int) []byte {
	inner := append(append(appendHeader(nil), content...), byte(kind))
	inner = append(inner, make([]byte, padding)...)
	last := contentType(inner[len(inner)-1])
	return s.cipher.lock(&s.State, inner[:len(inner)-1], 0, last)
}

// openAll opens what is complete in b.
func (s *side) openAll(b []byte) (data []byte, left int, err error) {
	for {
		d, n, err := s.cipher.Open(&s.State, b)
		if err != nil || n == 0 {
			return data, len(b), err
		}
		data, b = append(data, d...), b[n:]
	}
}

// chop cuts b into pieces of random sizes.
func chop(r *rand.Rand, b []byte, longest int) (pieces [][]byte) {
	for len(b) > 0 {
		n := min(len(b), 1+r.IntN(longest))
		pieces, b = append(pieces, b[:n]), b[n:]
	}
	return pieces
}
