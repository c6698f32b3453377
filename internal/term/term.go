// Package term reads and writes plain data in Erlang's external term format.
//
// Plain data is what a token or a message may hold: atoms, numbers, binaries,
// lists, tuples and maps. What refers to a running node (processes, ports,
// references, functions), bitstrings that end within a byte and improper lists
// are refused. A term is one of these Go values:
//
//	nil           the atom nil
//	bool          the atoms true and false
//	Atom          any other atom
//	int64         an integer that fits
//	*big.Int      an integer that does not
//	float64       a float, never an infinity or NaN
//	string        a binary, whether or not it is UTF-8
//	[]any         a list, the empty one not nil
//	Tuple         a tuple
//	Map           a map
//
// Format: "External Term Format" of the ERTS User's Guide, here §ETF.
package term

import "errors"

// Atom is the name of an atom: up to 255 characters of UTF-8.
type Atom string

// Tuple is a tuple of terms.
type Tuple []any

// Map is a map from terms to terms, in the order of its bytes. No key is there
// twice.
type Map []Pair

// Pair is a key of a map with its value.
type Pair struct{ Key, Value any }

// Bounds of what is read and written.
const (
	// MaxDepth is how many lists, tuples and maps may lie in each other.
	MaxDepth = 32

	// MaxSize is how many bytes a term may take, before and after it is
	// decompressed. A forged length costs nothing: room is made for as many
	// elements as the bytes that are there can hold.
	MaxSize = 1 << 20
)

// Why bytes are no plain term; [Decode] wraps them with details.
var (
	ErrSyntax    = errors.New("term: malformed")
	ErrTruncated = errors.New("term: truncated")
	ErrNotPlain  = errors.New("term: not plain data")
	ErrTooDeep   = errors.New("term: nested too deeply")
	ErrTooLarge  = errors.New("term: too large")
)

// What the bytes of a term begin with. §ETF
const (
	version       = 131
	tagCompressed = 80

	tagFloat          = 70
	tagSmallInt       = 97
	tagInt            = 98
	tagAtomLatin      = 100
	tagSmallTuple     = 104
	tagLargeTuple     = 105
	tagNil            = 106
	tagString         = 107
	tagList           = 108
	tagBinary         = 109
	tagSmallBig       = 110
	tagLargeBig       = 111
	tagSmallAtomLatin = 115
	tagMap            = 116
	tagAtom           = 118
	tagSmallAtom      = 119
)

// maxAtom is how many characters an atom may have, and maxString how many bytes
// a list that is written as a string.
const (
	maxAtom   = 255
	maxString = 1<<16 - 1
)
