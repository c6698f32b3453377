package frame

import (
	"compress/flate"
	"errors"
	"io"
	"math"
	"sync"
	"unicode/utf8"
)

const (
	// ratioFrom is the output size from which the ratio is judged: below it a high ratio harms nobody.
	ratioFrom = 64 << 10
	// minInflated is the first size of the output buffer.
	minInflated = 512
	// maxStreams is how many final blocks a message may have. One is common to peers that can't flush (RFC 7692
	// §7.2.3.5); each makes the decompressor start again with its window, at a cost that two bytes can cause.
	maxStreams = 8
	// window is how far back compressed data refers, RFC 1951 §2.
	window = 32 << 10
)

// ending is appended to the payload: the flush that the sender left out, RFC 7692 §7.2.2, and an empty final block, by
// which the decompressor knows that it is done.
const ending = flushed + "\x01\x00\x00\xff\xff"

// inflater is a decompressor and where its input comes from.
type inflater struct {
	r       io.Reader // a flate.Resetter
	payload []byte
	ending  string
}

// inflaters keeps decompressors, tens of kilobytes each, for the next message of any connection.
var inflaters = sync.Pool{New: func() any {
	in := &inflater{}
	in.r = flate.NewReader(in)
	return in
}}

// inflated is the event of a compressed message.
func inflated(op Opcode, p []byte, lim *Limits) (Event, error) {
	in, _ := inflaters.Get().(*inflater)
	out, err := in.inflate(p, lim)
	in.payload, in.ending = nil, ""
	inflaters.Put(in)
	if err != nil {
		return Event{}, err
	}
	if op == Text && !lim.SkipUTF8 && !utf8.Valid(out) {
		return Event{}, errText
	}
	return Event{Opcode: op, Payload: out}, nil
}

// inflate decompresses p and stops at the limits.
func (in *inflater) inflate(p []byte, lim *Limits) ([]byte, error) {
	in.payload, in.ending = p, ending
	most, over := mostInflated(len(p), lim)
	out := make([]byte, 0, min(most, max(minInflated, 2*len(p))))
	for streams := 0; len(in.payload) > 0; streams++ { // lenient with no payload and with a final block at its very end
		if streams == maxStreams {
			return nil, errDeflated
		}
		if err := in.restart(out); err != nil {
			return nil, err
		}
		var err error
		if out, err = in.stream(out, most, over); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mostInflated returns how long the output for n compressed bytes may become, and the error when it is longer.
func mostInflated(n int, lim *Limits) (most int, over error) {
	most, over = math.MaxInt-1, errMessageSize
	if lim.MaxMessage > 0 {
		most = min(most, lim.MaxMessage)
	}
	if lim.MaxRatio <= 0 || n > most/lim.MaxRatio {
		return most, over
	}
	if byRatio := max(ratioFrom, n*lim.MaxRatio); byRatio < most {
		return byRatio, errRatio
	}
	return most, over
}

// restart readies the decompressor for the next stream of the message, which may refer to what came before it.
func (in *inflater) restart(out []byte) error {
	r, _ := in.r.(flate.Resetter)
	if r.Reset(in, out[max(0, len(out)-window):]) != nil {
		return errDeflated
	}
	return nil
}

// stream appends one deflate stream to out, up to its final block.
func (in *inflater) stream(out []byte, most int, over error) ([]byte, error) {
	for {
		if len(out) == cap(out) {
			size := min(2*len(out)+minInflated, most+1) // the one beyond tells "full" from "over"
			out = append(make([]byte, 0, size), out...)
		}
		n, err := in.r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		switch {
		case len(out) > most:
			return nil, over
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, errDeflated
		}
	}
}

// Read reads from the payload and then from the ending.
func (in *inflater) Read(p []byte) (int, error) {
	if len(in.payload) > 0 {
		n := copy(p, in.payload)
		in.payload = in.payload[n:]
		return n, nil
	}
	if in.ending == "" {
		return 0, io.EOF
	}
	n := copy(p, in.ending)
	in.ending = in.ending[n:]
	return n, nil
}

// ReadByte makes the decompressor read no byte more than it needs, so that what follows a final block is not lost.
func (in *inflater) ReadByte() (byte, error) {
	if len(in.payload) > 0 {
		c := in.payload[0]
		in.payload = in.payload[1:]
		return c, nil
	}
	if in.ending == "" {
		return 0, io.EOF
	}
	c := in.ending[0]
	in.ending = in.ending[1:]
	return c, nil
}
