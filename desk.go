package roost

import (
	"strings"

	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/wire"
)

// desk is where the sessions of one lane work: one at a time, so they share
// the message that is being read and the buffer that is being written.
type desk struct {
	message wire.Message // that is being read
	answer  wire.Message // that is being written
	buffer  []byte
}

// deskKeep is the largest buffer that stays on a desk.
const deskKeep = 16 << 10

func deskOf(l *transport.Lane) *desk {
	if d, ok := l.Scratch.(*desk); ok {
		return d
	}
	d := &desk{buffer: transport.Room(1 << 10)}
	l.Scratch = d
	return d
}

// recycle keeps a buffer that grew for the next message.
func (d *desk) recycle(buf []byte) {
	if cap(buf) <= deskKeep {
		d.buffer = buf
	}
}

// What a channel keeps of a message must not keep the whole message alive, nor
// point into the transport's buffer.

func keepString(s string) string  { return strings.Clone(s) }
func keepRef(r wire.Ref) wire.Ref { return wire.Ref(strings.Clone(string(r))) }
