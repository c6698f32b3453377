package frame

import "unicode/utf8"

// message is what has arrived of a data message. Its zero value is none.
type message struct {
	buf      []byte
	valid    int // bytes of buf that are known to be UTF-8 (uncompressed text only)
	frames   int // frames that are complete
	op       Opcode
	empty    uint8 // continuations among frames that had no payload
	deflated bool
}

// minBuffer is what the first bytes of a message get, so that a message that trickles in does not allocate for each.
const minBuffer = 64

// add appends p, bytes of the frame f, and checks what can be checked already.
func (m *message) add(f *header, p []byte, lim *Limits) error {
	if f.op != Continuation {
		m.op, m.deflated = f.op, f.rsv != 0
	}
	m.grow(f, len(p))
	m.buf = append(m.buf, p...)
	if m.op != Text || m.deflated || lim.SkipUTF8 {
		return nil
	}
	return m.check(f.fin && f.left == 0)
}

// next counts a frame that is complete and not the last; p is the end of its payload.
func (m *message) next(f *header, p []byte) {
	m.frames++
	if f.op == Continuation && len(p) == 0 {
		m.empty++ // follows bounds it
	}
}

// grow makes room for n more bytes by doubling, but not beyond what the last frame announces.
func (m *message) grow(f *header, n int) {
	need := len(m.buf) + n
	if need <= cap(m.buf) {
		return
	}
	size := max(need, 2*cap(m.buf), minBuffer)
	if extra := uint64(size - need); f.fin && extra > f.left { //nolint:gosec // size is at least need
		size = need + int(f.left) //nolint:gosec // below extra, an int
	}
	m.buf = append(make([]byte, 0, size), m.buf...)
}

// check validates the text that arrived since the last check. Unless it is the last one, the text may end inside a rune
// (and only inside one that can still become valid, so that the first wrong byte is noticed).
func (m *message) check(last bool) error {
	end := len(m.buf)
	if !last {
		end -= unfinished(m.buf[m.valid:])
	}
	if !utf8.Valid(m.buf[m.valid:end]) {
		return errText
	}
	m.valid = end
	return nil
}

// unfinished returns the length of the incomplete but so far valid rune at the end of p.
func unfinished(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		tail := p[len(p)-n:]
		if !utf8.RuneStart(tail[0]) {
			continue
		}
		if utf8.FullRune(tail) {
			return 0
		}
		return n
	}
	return 0
}

// event is the complete message.
func (m *message) event(lim *Limits) (Event, error) {
	if m.deflated {
		return inflated(m.op, m.buf, lim)
	}
	return Event{Opcode: m.op, Payload: m.buf}, nil
}
