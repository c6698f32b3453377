package frame

import "unicode/utf8"

// Event is one message or one control frame.
type Event struct {
	Opcode  Opcode // Text, Binary, Close, Ping or Pong; None when more bytes are needed
	Payload []byte // of a close its reason; valid until the next call of Next and as long as the bytes given to it
	Code    uint16 // of a close: the peer's code, NoStatus when it sent none
}

// Assembler turns the bytes of one connection into events.
//
// The zero value is ready, and an Assembler is its zero value again whenever nothing is kept for the connection (see
// [Assembler.Idle]): it may then be dropped, or serve another connection. It is not safe for concurrent use.
//
// What it keeps grows with the bytes that arrived, not with the bytes that a header announces.
type Assembler struct {
	frame   header  // of the frame whose payload is arriving, when open
	message message // what has arrived of a message
	control []byte  // what has arrived of a control frame's payload, unmasked
	head    [maxHeader]byte
	headLen uint8 // bytes of head that have arrived
	open    bool
}

// Idle reports that nothing is kept: the assembler equals its zero value and may be dropped.
func (a *Assembler) Idle() bool {
	return a.headLen == 0 && !a.open && a.message.op == None
}

// Kept is how many bytes of memory the payload takes that has arrived of what is incomplete.
func (a *Assembler) Kept() int { return cap(a.message.buf) + cap(a.control) }

// Next consumes bytes of b up to the end of one event and returns how many.
//
// It unmasks b in place. Without an event all of b was consumed. A frame that lies whole in b is returned from there,
// with neither a copy nor an allocation, unless it is compressed or the end of a fragmented message. Any error is an
// [*Error]: it ends the connection, and the assembler has let go of everything.
func (a *Assembler) Next(b []byte, lim *Limits) (ev Event, n int, err error) {
	for n < len(b) && ev.Opcode == None && err == nil {
		var used int
		ev, used, err = a.step(b[n:], lim)
		n += used
	}
	if err != nil {
		*a = Assembler{}
	}
	return ev, n, err
}

// step consumes bytes of b up to the end of one frame.
func (a *Assembler) step(b []byte, lim *Limits) (ev Event, n int, err error) {
	var f header
	if a.open {
		f = a.frame
	} else {
		var ok bool
		if f, n, ok = a.header(b); !ok {
			return Event{}, n, nil
		}
		if err := a.admit(&f, lim); err != nil {
			return Event{}, n, err
		}
	}
	p := f.take(b[n:])
	n += len(p)
	if f.op.Control() {
		ev, err = a.controlFrame(&f, p)
	} else {
		ev, err = a.dataFrame(&f, p, lim)
	}
	a.park(&f)
	return ev, n, err
}

// header reads a header from b, or from what was kept of it and b; n bytes of b were used.
func (a *Assembler) header(b []byte) (h header, n int, ok bool) {
	if a.headLen == 0 {
		if h, n = parseHeader(b); n > 0 {
			return h, n, true
		}
	}
	had := int(a.headLen)
	got := copy(a.head[had:], b)
	h, n = parseHeader(a.head[:had+got])
	if n == 0 {
		a.headLen += uint8(got) //nolint:gosec // at most len(a.head)
		return h, got, false
	}
	a.head, a.headLen = [maxHeader]byte{}, 0
	return h, n - had, true
}

// take returns the part of the frame's payload at the start of b, unmasked in place.
func (h *header) take(b []byte) []byte {
	if h.left < uint64(len(b)) {
		b = b[:h.left]
	}
	if h.masked {
		h.pos = uint8(Mask(h.key, int(h.pos), b)) //nolint:gosec // 0..3
	}
	h.left -= uint64(len(b))
	return b
}

// park keeps the header of a frame that is not complete and forgets the one that is.
func (a *Assembler) park(f *header) {
	switch {
	case f.left > 0:
		a.frame, a.open = *f, true
	case a.open:
		a.frame, a.open = header{}, false
	}
}

// controlFrame takes p, the next bytes of a control frame.
func (a *Assembler) controlFrame(f *header, p []byte) (Event, error) {
	if f.left > 0 || a.control != nil {
		a.control = append(a.control, p...) // at most maxControl bytes
		p = a.control
	}
	if f.left > 0 {
		return Event{}, nil
	}
	a.control = nil
	if f.op == Close {
		return closeEvent(p)
	}
	return Event{Opcode: f.op, Payload: p}, nil
}

// dataFrame takes p, the next bytes of a data frame.
func (a *Assembler) dataFrame(f *header, p []byte, lim *Limits) (Event, error) {
	if f.left == 0 && f.fin && a.message.op == None {
		return whole(f, p, lim)
	}
	if len(p) == 0 && f.left > 0 {
		return Event{}, nil // a header alone begins nothing: the payload may still arrive at once
	}
	m := &a.message
	if err := m.add(f, p, lim); err != nil || f.left > 0 {
		return Event{}, err
	}
	if !f.fin {
		m.next(f, p)
		return Event{}, nil
	}
	done := *m
	*m = message{}
	return done.event(lim)
}

// whole is the event of a message that arrived at once.
func whole(f *header, p []byte, lim *Limits) (Event, error) {
	if f.rsv != 0 {
		return inflated(f.op, p, lim)
	}
	if f.op == Text && !lim.SkipUTF8 && !utf8.Valid(p) {
		return Event{}, errText
	}
	return Event{Opcode: f.op, Payload: p}, nil
}
