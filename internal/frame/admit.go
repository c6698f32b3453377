package frame

import "math"

// admit judges a frame by its header, before any of its payload: RFC 6455 §5.2 to §5.5, and the limits.
func (a *Assembler) admit(f *header, lim *Limits) error {
	if err := checkBits(f, lim); err != nil {
		return err
	}
	if f.op.Control() {
		return checkControl(f)
	}
	if err := a.message.follows(f); err != nil {
		return err
	}
	return a.message.fits(f, lim)
}

// checkBits checks what holds for every frame.
func checkBits(f *header, lim *Limits) error {
	switch {
	case f.rsv != 0 && !mayCompress(f, lim):
		return errReserved
	case !f.op.known():
		return errOpcode
	case !f.masked && !lim.Unmasked:
		return errUnmasked // RFC 6455 §5.1
	case f.masked && lim.Unmasked:
		return errMasked // RFC 6455 §5.1
	case f.left > math.MaxInt64:
		return errLength // RFC 6455 §5.2
	}
	return nil
}

// mayCompress reports whether the reserved bits are RSV1 alone, where RFC 7692 §6 allows it: on a message's first frame.
func mayCompress(f *header, lim *Limits) bool {
	return lim.Deflate && f.rsv == RSV1 && (f.op == Text || f.op == Binary)
}

// checkControl checks a control frame, RFC 6455 §5.5.
func checkControl(f *header) error {
	switch {
	case !f.fin:
		return errControlSplit
	case f.left > maxControl:
		return errControlSize
	case f.op == Close && f.left == 1:
		return errClosePayload
	}
	return nil
}

// follows checks that a data frame may come after what has arrived of the message, RFC 6455 §5.4.
func (m *message) follows(f *header) error {
	switch {
	case f.op == Continuation && m.op == None:
		return errContinuation
	case f.op != Continuation && m.op != None:
		return errInterrupted
	case f.op == Continuation && !f.fin && f.left == 0 && m.empty == MaxEmptyFragments:
		return errEmptyFragment
	}
	return nil
}

// fits checks a data frame against the limits.
func (m *message) fits(f *header, lim *Limits) error {
	switch {
	case f.left > bound(lim.MaxFrame):
		return errFrameSize
	case f.left > m.room(f, lim):
		return errMessageSize
	case uint64(m.frames) >= bound(lim.MaxFragments): //nolint:gosec // a count
		return errFragments
	}
	return nil
}

// room returns how many bytes more the message may have.
//
// A compressed message may be a little longer than what it inflates to: incompressible data costs five bytes for every
// 64 KiB, so 1/256 and a few bytes for short ones are ample. What it inflates to is held to the limit itself.
func (m *message) room(f *header, lim *Limits) uint64 {
	most := bound(lim.MaxMessage)
	if m.deflated || f.rsv != 0 {
		most = min(most+most>>8+64, math.MaxInt)
	}
	return most - min(most, uint64(len(m.buf)))
}

// bound is a limit as a number to compare with: 0 is none.
func bound(limit int) uint64 {
	if limit <= 0 {
		return math.MaxInt
	}
	return uint64(limit)
}
