package term

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
)

// Decode returns the term that data is, to its last byte. The term shares no
// memory with data.
//
// Errors: [ErrSyntax], [ErrTruncated], [ErrNotPlain], [ErrTooDeep] and
// [ErrTooLarge].
func Decode(data []byte) (any, error) {
	data, err := open(data)
	if err != nil {
		return nil, err
	}
	r := reader{rest: data}
	v, err := r.term(0)
	if err != nil {
		return nil, err
	}
	if len(r.rest) > 0 {
		return nil, fmt.Errorf("%w: %d bytes follow the term", ErrSyntax, len(r.rest))
	}
	return v, nil
}

// open takes off the version, and the compression if there is one.
func open(data []byte) ([]byte, error) {
	switch {
	case len(data) > MaxSize:
		return nil, tooLarge(len(data))
	case len(data) < 2:
		return nil, ErrTruncated
	case data[0] != version:
		return nil, fmt.Errorf("%w: it begins with %d, not with %d", ErrSyntax, data[0], version)
	case data[1] == tagCompressed:
		return inflate(data[2:])
	}
	return data[1:], nil
}

// inflate decompresses what follows tagCompressed: its size and a zlib stream.
// The size is only claimed, so that it refuses and never reserves.
func inflate(data []byte) ([]byte, error) {
	if len(data) < 4 {
		return nil, ErrTruncated
	}
	size := binary.BigEndian.Uint32(data)
	if size > MaxSize {
		return nil, tooLarge(int(size))
	}
	z, err := zlib.NewReader(bytes.NewReader(data[4:]))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	plain, err := io.ReadAll(io.LimitReader(z, int64(size)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	case len(plain) != int(size):
		return nil, fmt.Errorf("%w: it does not decompress to the %d bytes that it claims", ErrSyntax, size)
	}
	return plain, nil
}

// reader takes terms off the front of rest.
type reader struct {
	rest []byte
	owed int64 // terms that the containers around the present one still await
}

// take returns the next n bytes.
func (r *reader) take(n int64) ([]byte, error) {
	if have := int64(len(r.rest)); n > have {
		return nil, fmt.Errorf("%w: %d bytes are missing", ErrTruncated, n-have)
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b, nil
}

// number returns the next n bytes, at most 4, as an unsigned number.
func (r *reader) number(n int64) (int64, error) {
	b, err := r.take(n)
	v := int64(0)
	for _, c := range b {
		v = v<<8 | int64(c)
	}
	return v, err
}

// counted returns as many bytes as the number before them, of n bytes, says.
func (r *reader) counted(n int64) ([]byte, error) {
	size, err := r.number(n)
	if err != nil {
		return nil, err
	}
	return r.take(size)
}

// term reads a term that lies in depth others.
func (r *reader) term(depth int) (any, error) {
	tag, err := r.number(1)
	if err != nil {
		return nil, err
	}
	switch tag {
	case tagSmallAtom, tagAtom, tagSmallAtomLatin, tagAtomLatin:
		return r.atom(tag)
	case tagSmallInt, tagInt, tagSmallBig, tagLargeBig, tagFloat:
		return r.numeric(tag)
	case tagBinary:
		b, err := r.counted(4)
		return string(b), err
	case tagNil, tagString, tagList, tagSmallTuple, tagLargeTuple, tagMap:
		return r.container(tag, depth+1)
	}
	return nil, fmt.Errorf("%w: tag %d", ErrNotPlain, tag)
}
