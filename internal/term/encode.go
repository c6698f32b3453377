package term

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// ErrValue is the fault of a value that no plain term stands for; [Encode] wraps
// it with details.
var ErrValue = errors.New("term: no term stands for this value")

// Encode returns the term that stands for v, one of the values that the package
// names, as term_to_binary of OTP 26 and later writes it.
//
// Errors: [ErrValue], [ErrSyntax] for an atom that is not UTF-8, [ErrTooDeep]
// and [ErrTooLarge].
func Encode(v any) ([]byte, error) {
	out, err := appendTerm([]byte{version}, v, 0)
	switch {
	case err != nil:
		return nil, err
	case len(out) > MaxSize:
		return nil, tooLarge(len(out))
	}
	return out, nil
}

func tooLarge(size int) error {
	return fmt.Errorf("%w: %d bytes or more, the bound is %d", ErrTooLarge, size, MaxSize)
}

// appendTerm appends a term that lies in depth others. What is there already
// counts, so that a value that holds itself many times ends at the bound.
func appendTerm(dst []byte, v any, depth int) ([]byte, error) {
	if len(dst) > MaxSize {
		return dst, tooLarge(len(dst))
	}
	switch v := v.(type) {
	case nil:
		return appendAtom(dst, "nil")
	case bool:
		return appendAtom(dst, strconv.FormatBool(v))
	case Atom:
		return appendAtom(dst, string(v))
	case int64:
		return appendInt(dst, v), nil
	case *big.Int:
		return appendBig(dst, v)
	case float64:
		return appendFloat(dst, v)
	case string:
		if len(v) > MaxSize {
			return dst, tooLarge(len(v))
		}
		return append(appendCount(dst, tagBinary, len(v)), v...), nil
	}
	return appendContainer(dst, v, depth+1)
}

// appendCount appends a tag and a number of four bytes, at most MaxSize.
func appendCount(dst []byte, tag byte, n int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, tag), uint32(n)) //nolint:gosec // at most MaxSize
}

func appendAtom(dst []byte, name string) ([]byte, error) {
	if err := validAtom(name); err != nil {
		return dst, err
	}
	if len(name) < 256 {
		dst = append(dst, tagSmallAtom, byte(len(name))) //nolint:gosec // below 256
	} else {
		dst = append(dst, tagAtom, byte(len(name)>>8), byte(len(name))) //nolint:gosec // at most 255 characters of 4 bytes
	}
	return append(dst, name...), nil
}

func appendInt(dst []byte, n int64) []byte {
	switch {
	case n == int64(uint8(n)): //nolint:gosec // whether it fits is the question
		return append(dst, tagSmallInt, byte(n)) //nolint:gosec // it fits
	case n == int64(int32(n)): //nolint:gosec // whether it fits is the question
		return binary.BigEndian.AppendUint32(append(dst, tagInt), uint32(n)) //nolint:gosec // the sign goes with it
	}
	return appendDigits(dst, big.NewInt(n))
}

func appendBig(dst []byte, n *big.Int) ([]byte, error) {
	switch {
	case n == nil:
		return dst, fmt.Errorf("%w: a nil *big.Int", ErrValue)
	case n.IsInt64():
		return appendInt(dst, n.Int64()), nil
	case n.BitLen() > 8*MaxSize:
		return dst, tooLarge(n.BitLen() / 8)
	}
	return appendDigits(dst, n), nil
}

// appendDigits appends n as its size, its sign and its bytes, the lowest first.
func appendDigits(dst []byte, n *big.Int) []byte {
	digits := n.Bytes()
	slices.Reverse(digits)
	if len(digits) < 256 {
		dst = append(dst, tagSmallBig, byte(len(digits))) //nolint:gosec // below 256
	} else {
		dst = appendCount(dst, tagLargeBig, len(digits))
	}
	if n.Sign() < 0 {
		return append(append(dst, 1), digits...)
	}
	return append(append(dst, 0), digits...)
}

func appendFloat(dst []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, fmt.Errorf("%w: %v, which Erlang's floats exclude", ErrValue, f)
	}
	return binary.BigEndian.AppendUint64(append(dst, tagFloat), math.Float64bits(f)), nil
}
