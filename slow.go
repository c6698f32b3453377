package roost

import (
	"cmp"
	"fmt"

	"github.com/roostgo/roost/transport"
)

// SlowConsumer says what happens to a client that reads a topic's broadcasts
// more slowly than they come: CloseSlow, DropOldest or KeepLatest.
//
// Only broadcasts are dropped, and only while the client's socket takes no
// more: replies, pushes (those of HandleOut too) and control frames never are.
// What is kept leaves in order. A client that takes nothing at all is cut after
// websocket.Config.WriteTimeout, whatever its topics say.
type SlowConsumer interface {
	// thinning is what the transport does; nil is nothing. The error says
	// what is wrong with the bounds.
	thinning() (*transport.Thinning, error)
}

// CloseSlow cuts the client when websocket.Config.Outbox is full, so that it
// misses nothing without knowing: it comes back and joins again. It is the
// default.
type CloseSlow struct{}

// DropOldest drops the oldest of a topic's broadcasts that wait when more than
// Bytes or Frames wait for the client: for a stream of which the recent part
// matters.
type DropOldest struct {
	// Bytes is how much may wait for a client in all, counted as
	// websocket.Config.Outbox is. Default: 256 KiB.
	Bytes int

	// Frames is how many messages may wait for a client in all.
	// Default: 1,024.
	Frames int
}

// KeepLatest lets a broadcast replace an older one of the same topic and event
// that still waits: for state of which only the newest value matters. The new
// one takes its place at the end, so to a client that stays behind the state
// that changes most comes last. Topics and events are as many as there are:
// over the bounds the oldest is dropped.
type KeepLatest struct {
	// Bytes is how much may wait for a client in all, counted as
	// websocket.Config.Outbox is. Default: 256 KiB.
	Bytes int

	// Frames is how many messages may wait for a client in all.
	// Default: 1,024.
	Frames int
}

// WithSlowConsumer says what happens to clients that read the broadcasts of
// this route's topics too slowly. It panics on bounds that are negative, and on
// nil.
// Default: CloseSlow.
func WithSlowConsumer(policy SlowConsumer) RouteOption {
	if policy == nil {
		panic("roost: WithSlowConsumer was given nil: pass CloseSlow, DropOldest or KeepLatest, or leave it out")
	}
	t, err := policy.thinning()
	if err != nil {
		panic("roost: WithSlowConsumer: " + err.Error())
	}
	return func(r *route) { r.thinning = t }
}

func (CloseSlow) thinning() (*transport.Thinning, error) { return nil, nil }

func (p DropOldest) thinning() (*transport.Thinning, error) {
	return newThinning(false, p.Bytes, p.Frames)
}

func (p KeepLatest) thinning() (*transport.Thinning, error) {
	return newThinning(true, p.Bytes, p.Frames)
}

func newThinning(latest bool, bytes, frames int) (*transport.Thinning, error) {
	if bytes < 0 || frames < 0 {
		return nil, fmt.Errorf("Bytes is %d and Frames is %d: they cannot be negative; leave them 0 for the default", bytes, frames)
	}
	return &transport.Thinning{
		Latest: latest,
		Bytes:  cmp.Or(bytes, transport.ThinningBytes), Frames: cmp.Or(frames, transport.ThinningFrames),
	}, nil
}

// thinning is what may drop the broadcasts of a channel's topic; nil is
// nothing.
func (s *Socket) thinning() *transport.Thinning {
	if r := s.route(); r != nil {
		return r.thinning
	}
	return nil
}
