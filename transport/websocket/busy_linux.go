package websocket

import (
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/transport"
)

// busy is what a connection has while it is not idle: part of a message that
// came in, or frames that wait to leave.
type busy struct {
	in  *inbound
	out outbox
}

// inbound is what a connection keeps between two reads, while it must.
type inbound struct {
	assembler frame.Assembler
	backlog   []byte // received while held
	sealed    []byte // received and not opened, in TLS
}

func (b *busy) idle() bool { return b.in == nil && b.out.empty() }

// outbox holds the frames that wait for one client.
type outbox struct {
	frames  []*transport.Frame
	head    int // the first frame that waits
	offset  int // bytes of it that are written
	bytes   int // bytes that wait
	largest int // size of the largest frame since the outbox was empty

	sealed []byte // of frames that are no longer above, for TLS; they leave first
}

func (o *outbox) empty() bool { return o.len() == 0 && len(o.sealed) == 0 }

func (o *outbox) len() int { return len(o.frames) - o.head }

func (o *outbox) add(f *transport.Frame, size int) {
	o.frames = append(o.frames, f)
	o.bytes += size
	o.largest = max(o.largest, size)
}

// weight is what Config.Outbox bounds.
func (o *outbox) weight() int { return weight(o.bytes+len(o.sealed), o.len(), o.largest) }

// written takes n bytes off; size tells how long a frame is. It returns how
// many frames have left whole.
func (o *outbox) written(n int, size func(*transport.Frame) int) (frames int) {
	o.bytes -= n
	n += o.offset
	for o.len() > 0 {
		s := size(o.frames[o.head])
		if n < s {
			break
		}
		n -= s
		o.frames[o.head] = nil
		o.head++
		frames++
	}
	o.offset = n
	o.compact()
	return frames
}

// compact keeps a queue that never empties from growing at its front.
func (o *outbox) compact() {
	if o.len() == 0 {
		o.frames, o.head, o.largest = o.frames[:0], 0, 0
		return
	}
	if o.head < 64 || o.head < len(o.frames)/2 {
		return
	}
	n := copy(o.frames, o.frames[o.head:])
	clear(o.frames[n:])
	o.frames, o.head = o.frames[:n], 0
}

// reset drops what waits and keeps a little memory for the next user.
func (o *outbox) reset() {
	clear(o.frames)
	if cap(o.frames) > 64 {
		o.frames = nil
	}
	*o = outbox{frames: o.frames[:0]}
}

// lender lends busies to the connections of one loop.
type lender struct {
	free []*busy
	out  int // that are lent
	high int // the most that were lent since the last trim
}

func (l *lender) take() *busy {
	l.out++
	l.high = max(l.high, l.out)
	n := len(l.free)
	if n == 0 {
		return new(busy)
	}
	b := l.free[n-1]
	l.free[n-1] = nil
	l.free = l.free[:n-1]
	return b
}

func (l *lender) give(b *busy) {
	l.out--
	b.in = nil
	b.out.reset()
	l.free = append(l.free, b)
}

// trim lets go of what was not needed since the last trim.
func (l *lender) trim() {
	if spare := l.out + len(l.free) - l.high; spare > 0 {
		l.free = append([]*busy(nil), l.free[:max(0, len(l.free)-spare)]...)
	}
	l.high = l.out
}
