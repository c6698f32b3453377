package term

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// atom reads an atom: its length in one or two bytes and its name. Nodes before
// OTP 26 write Latin-1 where it suffices.
func (r *reader) atom(tag int64) (any, error) {
	width := int64(2)
	if tag == tagSmallAtom || tag == tagSmallAtomLatin {
		width = 1
	}
	name, err := r.counted(width)
	if err != nil {
		return nil, err
	}
	if tag == tagAtomLatin || tag == tagSmallAtomLatin {
		name = fromLatin(name)
	}
	if err := validAtom(string(name)); err != nil {
		return nil, err
	}
	return meaning(Atom(name)), nil
}

// meaning returns the Go value that an atom stands for, or the atom itself.
func meaning(a Atom) any {
	switch a {
	case "nil":
		return nil
	case "true":
		return true
	case "false":
		return false
	}
	return a
}

func fromLatin(name []byte) []byte {
	runes := make([]rune, len(name))
	for i, c := range name {
		runes[i] = rune(c)
	}
	return []byte(string(runes))
}

func validAtom(name string) error {
	switch {
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: an atom that is not UTF-8", ErrSyntax)
	case utf8.RuneCountInString(name) > maxAtom:
		return fmt.Errorf("%w: an atom of %d characters, the bound is %d", ErrTooLarge, utf8.RuneCountInString(name), maxAtom)
	}
	return nil
}

// numeric reads an integer or a float.
func (r *reader) numeric(tag int64) (any, error) {
	switch tag {
	case tagSmallInt:
		n, err := r.number(1)
		return n, err
	case tagInt:
		n, err := r.number(4)
		return int64(int32(n)), err //nolint:gosec // the sign is in the highest of the 32 bits
	case tagSmallBig:
		return r.big(1)
	case tagLargeBig:
		return r.big(4)
	}
	return r.float()
}

// big reads an integer of any size: how many bytes, the sign, and the bytes, the
// lowest first.
func (r *reader) big(width int64) (any, error) {
	size, err := r.number(width)
	if err != nil {
		return nil, err
	}
	sign, err := r.number(1)
	if err != nil {
		return nil, err
	}
	b, err := r.take(size)
	if err != nil {
		return nil, err
	}
	if sign > 1 {
		return nil, fmt.Errorf("%w: an integer of sign %d", ErrSyntax, sign)
	}
	digits := slices.Clone(b)
	slices.Reverse(digits)
	n := new(big.Int).SetBytes(digits)
	if sign == 1 {
		n.Neg(n)
	}
	return narrow(n), nil
}

// narrow returns n as an int64 if it fits.
func narrow(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

func (r *reader) float() (any, error) {
	b, err := r.take(8)
	if err != nil {
		return nil, err
	}
	f := math.Float64frombits(binary.BigEndian.Uint64(b))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%w: %v, which Erlang's floats exclude", ErrSyntax, f)
	}
	return f, nil
}
