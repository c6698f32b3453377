package roost

import (
	"strconv"
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

// shortRefs are the refs that clients count up to first. Nearly every channel
// is joined with one, and then need not keep a string of its own.
var shortRefs = func() (refs [256]wire.Ref) {
	for i := range refs {
		refs[i] = wire.StringRef(strconv.Itoa(i))
	}
	return refs
}()

// keepRef returns a ref that neither keeps the message that it came in alive
// nor points into the transport's buffer.
func keepRef(r wire.Ref) wire.Ref {
	if n, err := strconv.Atoi(r.Text()); err == nil && n >= 0 && n < len(shortRefs) && shortRefs[n] == r {
		return shortRefs[n]
	}
	return wire.Ref(strings.Clone(string(r)))
}
