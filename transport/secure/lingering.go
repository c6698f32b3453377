package secure

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// ErrDisplaced is what Config.Failed is told of a handshake that waited for its
// client for longer than all others when a place was needed.
var ErrDisplaced = errors.New("secure: the handshake waited for its client when its place was needed")

// lingering are the handshakes that wait for their clients, who waits longest
// first. A client that stalls costs a place until its time is over; when there is
// none left, it has had more of it than others. But everybody has some patience:
// an answer takes its time on the way.
//
// It is safe for concurrent use.
type lingering struct {
	patience time.Duration // immutable

	mu    sync.Mutex
	queue list.List // of *handshake; guarded by mu
}

// handshake is one that is under way.
type handshake struct {
	of  *lingering
	cut context.CancelCauseFunc
	at  *list.Element // nil: it is the server's turn; guarded by of.mu, as what follows
	due time.Time     // when it may be cut
}

// add takes a handshake in whose client has its turn.
func (l *lingering) add(cut context.CancelCauseFunc) *handshake {
	h := &handshake{of: l, cut: cut}
	h.turn(false)
	return h
}

// turn says whether the server has something to do, or the client.
func (h *handshake) turn(servers bool) {
	l := h.of
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.at != nil {
		l.queue.Remove(h.at) // if it was displaced, nothing
		h.at = nil
	}
	if !servers {
		h.at, h.due = l.queue.PushBack(h), time.Now().Add(l.patience)
	}
}

// end takes it out.
func (h *handshake) end() { h.turn(true) }

// displace cuts who waits longest, if that is long enough. again is when to ask
// for another.
func (l *lingering) displace() (did bool, again time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.queue.Front()
	if first == nil {
		return false, l.patience
	}
	h := first.Value.(*handshake)
	if early := time.Until(h.due); early > 0 {
		return false, early
	}
	l.queue.Remove(first)
	h.cut(ErrDisplaced)
	return true, l.patience
}

// displaced is ErrDisplaced for the context of a handshake that was, or nil.
func displaced(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), ErrDisplaced) {
		return ErrDisplaced
	}
	return nil
}
