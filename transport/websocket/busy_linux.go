package websocket

import "github.com/roostgo/roost/internal/frame"

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
	since     uint32 // when what is incomplete began, in the loop's milliseconds
	share     share
}

// size is how many bytes are kept.
func (in *inbound) size() int { return in.assembler.Kept() + cap(in.backlog) + cap(in.sealed) }

func (b *busy) idle() bool { return b.in == nil && b.out.empty() }

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
