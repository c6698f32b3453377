package transport

import (
	"sync/atomic"

	"github.com/roostgo/roost/internal/frame"
)

// Frame is one encoded message: opcode and bytes. It is immutable and shared
// by reference between all connections that it goes to, so a broadcast costs
// one frame per serializer however many subscribers there are.
type Frame struct {
	wire     []byte // the WebSocket frame: header and payload
	header   int
	control  bool // sent as it is, never compressed
	binary   bool
	subject  subject                // of a broadcast
	deflated atomic.Pointer[[]byte] // the same, compressed; made when first asked for
}

// Headroom is how many bytes a buffer from Room begins with: where the
// WebSocket header goes, so that header and payload are one contiguous write.
const Headroom = frame.MaxHeader

// deflateFrom is the payload size from which compression pays: below it the
// frame hardly shrinks and both sides still do the work.
const deflateFrom = 64

// Room returns a buffer for n bytes of payload to be appended to, and then to
// be given to Seal or Conn.Write. It begins with room for a header.
func Room(n int) []byte { return make([]byte, Headroom, Headroom+n) }

// Seal makes a frame of a buffer from Room, which must not be touched again.
func Seal(buf []byte, binary bool) *Frame {
	f := &Frame{binary: binary}
	f.wire, f.header = seal(buf, binary)
	return f
}

// SealCopy makes a frame of a buffer from Room that stays the caller's.
func SealCopy(buf []byte, binary bool) *Frame {
	return Seal(append([]byte(nil), buf...), binary)
}

// Control makes a frame of a complete WebSocket control frame, which is sent as
// it is.
func Control(wire []byte) *Frame { return &Frame{wire: wire, control: true} }

func seal(buf []byte, binary bool) (wire []byte, header int) {
	start := frame.PutHeader(buf, opcode(binary), false)
	return buf[start:], Headroom - start
}

func opcode(binary bool) frame.Opcode {
	if binary {
		return frame.Binary
	}
	return frame.Text
}

// Binary reports whether it is a binary frame; otherwise it is text.
func (f *Frame) Binary() bool { return f.binary }

// Payload is the message. It must not be written to.
func (f *Frame) Payload() []byte { return f.wire[f.header:] }

// WebSocket is the whole WebSocket frame (unmasked, RFC 6455 §5.2). It must
// not be written to.
func (f *Frame) WebSocket() []byte { return f.wire }

// Deflated is the whole WebSocket frame, compressed (RFC 7692) without context
// takeover, so that one compression serves every subscriber.
func (f *Frame) Deflated() []byte {
	if f.control || len(f.wire)-f.header < deflateFrom {
		return f.wire
	}
	if d := f.deflated.Load(); d != nil {
		return *d
	}
	buf := frame.Deflate(make([]byte, Headroom), f.Payload())
	d := buf[frame.PutHeader(buf, opcode(f.binary), true):]
	if !f.deflated.CompareAndSwap(nil, &d) { // what others may have begun to send stands
		return *f.deflated.Load()
	}
	return d
}

// SealInPlace makes a buffer from Room a WebSocket frame that is about to be
// written and not kept. It returns the part of the buffer that the frame is.
func SealInPlace(buf []byte, binary bool) []byte {
	wire, _ := seal(buf, binary)
	return wire
}
