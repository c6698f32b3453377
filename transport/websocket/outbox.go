package websocket

import "github.com/roostgo/roost/transport"

// outbox holds the frames that wait for one client, in their order.
type outbox struct {
	frames  []parcel
	head    int  // the first frame that waits
	offset  int  // bytes of it that are written
	bytes   int  // bytes that wait
	largest int  // size of the largest frame that waits, or did when it was measured
	shrunk  bool // one as large has left since
	rest    int  // frames that leave before it is measured again
	spare   int  // frames that may be dropped, those that have to stay for now included
	firm    int  // frames at the head that are being written, and must stay
	thinned bool
	pace    pace
	sealed  []byte // of frames that are no longer above, for TLS; they leave first
}

// parcel is a frame that waits, and what may drop it.
type parcel struct {
	frame    *transport.Frame
	thinning *transport.Thinning // nil: nothing may
}

func (o *outbox) empty() bool { return o.len() == 0 && len(o.sealed) == 0 }

func (o *outbox) len() int { return len(o.frames) - o.head }

// add appends a frame that stays until it is written.
func (o *outbox) add(f *transport.Frame, size int) { o.append(parcel{frame: f}, size) }

// offer appends a frame that t may drop.
func (o *outbox) offer(f *transport.Frame, t *transport.Thinning, size int) {
	o.append(parcel{f, t}, size)
	o.spare++
}

func (o *outbox) append(q parcel, size int) {
	o.frames = append(o.frames, q)
	o.bytes += size
	o.largest = max(o.largest, size)
}

// weight is what Config.Outbox bounds.
func (o *outbox) weight() int { return weight(o.bytes+len(o.sealed), o.len(), o.largest) }

// written takes n bytes off; size tells how long a frame is. It returns how
// many frames have left whole.
func (o *outbox) written(n int, size func(*transport.Frame) int) (frames int) {
	o.bytes -= n
	o.pace.left += n
	n += o.offset
	for o.len() > 0 {
		s := size(o.frames[o.head].frame)
		if n < s {
			break
		}
		n -= s
		o.pop()
		o.left(s)
		frames++
	}
	o.measure(size)
	o.offset = n
	o.compact()
	return frames
}

// pop takes off the first frame, which has left.
func (o *outbox) pop() {
	if o.frames[o.head].thinning != nil {
		o.spare--
	}
	o.frames[o.head] = parcel{}
	o.head++
	o.firm = max(o.firm-1, 0)
}

// left notes that a frame has left, or was dropped.
func (o *outbox) left(size int) {
	o.shrunk = o.shrunk || size == o.largest
	o.rest = max(o.rest-1, 0)
}

// measure finds the largest frame anew when it has left: a client for which
// something waits always would have a higher bound for ever. How many it looks at
// is paid for by those that leave before the next time.
func (o *outbox) measure(size func(*transport.Frame) int) {
	if !o.shrunk || o.rest > 0 {
		return
	}
	most := 0
	for i := o.head; i < len(o.frames) && most < o.largest; i++ {
		most = max(most, size(o.frames[i].frame))
		o.rest++
	}
	o.largest, o.shrunk, o.rest = most, false, o.rest/8
}

// compact keeps a queue that never empties from growing at its front.
func (o *outbox) compact() {
	if o.len() == 0 {
		*o = outbox{frames: o.frames[:0], sealed: o.sealed}
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

// pace is how a sweep finds out that nothing leaves: no connection has a timer.
type pace struct {
	left  int    // bytes that have left since the outbox was empty
	known int    // left+1, when a sweep saw it change; 0: no sweep has looked
	since uint32 // when that was, in the loop's milliseconds
}

// stalled reports whether nothing has left for limit milliseconds. A sweep
// asks.
func (p *pace) stalled(now, limit uint32) bool {
	if p.known != p.left+1 {
		p.known, p.since = p.left+1, now
		return false
	}
	return now-p.since >= limit
}
