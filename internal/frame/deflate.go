package frame

import (
	"compress/flate"
	"sync"
)

// deflater is a compressor and where its output goes.
type deflater struct {
	w   *flate.Writer
	out []byte
}

// Write appends p to the output.
func (d *deflater) Write(p []byte) (int, error) {
	d.out = append(d.out, p...)
	return len(p), nil
}

// deflaters keeps compressors, whose tables are some hundred kilobytes each, for the next message of any connection.
//
// BestSpeed, because resetting its tables is nearly free while those of the other levels are cleared for every message.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return &deflater{w: w}
}}

// flushed is how a flush ends the compressed data; it is left out on the wire, RFC 7692 §7.2.1.
const flushed = "\x00\x00\xff\xff"

// Deflate appends the payload, compressed for permessage-deflate, to dst.
//
// Nothing is carried over from message to message (server_no_context_takeover), so the result may be sent to any number
// of connections. It refers back no further than the payload is long. The frame's RSV1 is to be set.
func Deflate(dst, payload []byte) []byte {
	d, _ := deflaters.Get().(*deflater)
	d.out = dst
	d.w.Reset(d)
	_, _ = d.w.Write(payload) // deflater.Write does not fail
	_ = d.w.Flush()
	out := d.out[:len(d.out)-len(flushed)]
	d.out = nil
	deflaters.Put(d)
	return out
}
