package websocket

import "github.com/roostgo/roost/transport"

// outbox holds the frames that wait for one client. A connection has one only
// while more than a single whole frame waits.
type outbox struct {
	frames []*transport.Frame
	head   int // the first frame that waits
	offset int // bytes of it that are written
	bytes  int // bytes that wait
}

func (o *outbox) empty() bool { return o.head == len(o.frames) }

func (o *outbox) add(f *transport.Frame, size int) {
	o.frames = append(o.frames, f)
	o.bytes += size
}

// written takes n bytes off; size tells how long a frame is.
func (o *outbox) written(n int, size func(*transport.Frame) int) {
	o.bytes -= n
	n += o.offset
	for !o.empty() {
		s := size(o.frames[o.head])
		if n < s {
			break
		}
		n -= s
		o.frames[o.head] = nil
		o.head++
	}
	o.offset = n
	o.compact()
}

// compact keeps a queue that never empties from growing at its front.
func (o *outbox) compact() {
	if o.head < 64 || o.head < len(o.frames)/2 {
		return
	}
	n := copy(o.frames, o.frames[o.head:])
	clear(o.frames[n:])
	o.frames, o.head = o.frames[:n], 0
}

// reset makes it ready for another connection.
func (o *outbox) reset() {
	clear(o.frames)
	if cap(o.frames) > 64 {
		o.frames = nil
	}
	*o = outbox{frames: o.frames[:0]}
}

// outboxes lends outboxes to the connections of one loop.
type outboxes struct {
	free []*outbox
	used int // the most that were lent since the last trim
	lent int
}

func (p *outboxes) take() *outbox {
	p.lent++
	p.used = max(p.used, p.lent)
	if n := len(p.free); n > 0 {
		o := p.free[n-1]
		p.free[n-1] = nil
		p.free = p.free[:n-1]
		return o
	}
	return new(outbox)
}

func (p *outboxes) give(o *outbox) {
	p.lent--
	o.reset()
	p.free = append(p.free, o)
}

// trim lets go of what was not needed lately.
func (p *outboxes) trim() {
	if surplus := p.lent + len(p.free) - p.used; surplus > 0 {
		n := max(0, len(p.free)-surplus)
		clear(p.free[n:])
		p.free = p.free[:n]
	}
	if len(p.free) == 0 {
		p.free = nil
	}
	p.used = p.lent
}
