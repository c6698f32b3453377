// Package frame is RFC 6455 framing and RFC 7692 compression as pure values.
//
// Bytes go in and events come out: an [Assembler] turns what a connection sent into messages and control frames, the
// Append functions write frames. Nothing here reads, writes, waits or starts a goroutine. Functions are safe for
// concurrent use; an Assembler belongs to whoever owns its connection.
package frame

// Opcode is the kind of a frame, RFC 6455 §5.2.
type Opcode byte

// The opcodes that are defined; all others are a protocol error.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

// None is the opcode of an [Event] that is none: more bytes are needed.
const None = Continuation

// Control reports whether frames of this opcode are control frames, RFC 6455 §5.5.
func (o Opcode) Control() bool { return o&8 != 0 }

// known reports whether RFC 6455 §11.8 registers the opcode.
func (o Opcode) known() bool { return o <= Binary || o >= Close && o <= Pong }

// Bits of a frame's first two bytes, RFC 6455 §5.2. RSV1 to RSV3 are what [AppendMasked] takes as rsv.
const (
	RSV1 byte = 0x40
	RSV2 byte = 0x20
	RSV3 byte = 0x10

	rsvBits = RSV1 | RSV2 | RSV3
	finBit  = 0x80
	maskBit = 0x80
)

// maxControl is the longest payload of a control frame, RFC 6455 §5.5.
const maxControl = 125

// MaxEmptyFragments is how many empty continuations, the last frame aside, a message may have; one more is 1008.
//
// RFC 6455 §5.4 allows them and a few do no harm (Autobahn 6.1.2 sends some), but a stream of them can only be meant to
// keep the server busy: [§5.7] has 1008 for them.
const MaxEmptyFragments = 8

// Limits is what a connection accepts. It is shared by connections and never written.
type Limits struct {
	MaxFrame     int  // payload bytes of one frame, as its header announces them; over it 1009; 0 is no bound
	MaxMessage   int  // bytes of a message, reassembled and inflated; over it 1009; 0 is no bound
	MaxFragments int  // frames of one message; over it 1008; 0 is no bound
	Deflate      bool // permessage-deflate was negotiated
	MaxRatio     int  // inflated ÷ compressed, judged once the output passes 64 KiB; over it 1009; 0 is no bound
	Unmasked     bool // the other side is a server: its frames are unmasked, masked ones are refused
	SkipUTF8     bool // text messages are not checked (close reasons are)
}
