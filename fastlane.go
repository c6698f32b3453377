package roost

import (
	"sync"
	"sync/atomic"

	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/wire"
)

// fastlane holds what one broadcast was encoded to: one frame for each
// serializer, shared by all subscribers [§8.6, clause 198].
type fastlane struct {
	mu     sync.Mutex // of those who encode
	frames atomic.Pointer[[]encodedFrame]
}

type encodedFrame struct {
	serializer wire.Serializer
	frame      *transport.Frame
	err        error
}

func newFastlane() any {
	f := new(fastlane)
	f.frames.Store(new([]encodedFrame))
	return f
}

// encoded returns the frame that a broadcast is for clients of a serializer.
func encoded(m *pubsub.Message, s wire.Serializer) (*transport.Frame, error) {
	f := m.Attachment(newFastlane).(*fastlane)
	for _, e := range *f.frames.Load() {
		if e.serializer == s {
			return e.frame, e.err
		}
	}
	return f.encode(m, s)
}

func (f *fastlane) encode(m *pubsub.Message, s wire.Serializer) (*transport.Frame, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := *f.frames.Load()
	for _, e := range known { // somebody was faster
		if e.serializer == s {
			return e.frame, e.err
		}
	}
	e := encodedFrame{serializer: s}
	e.frame, e.err = seal(s, &wire.Message{Kind: wire.Broadcast, Topic: m.Topic, Event: m.Event, Payload: m.Payload})
	next := append(known[:len(known):len(known)], e)
	f.frames.Store(&next)
	return e.frame, e.err
}

// seal encodes a message to a frame that is kept.
func seal(s wire.Serializer, m *wire.Message) (*transport.Frame, error) {
	buf, binary, err := s.Encode(transport.Room(len(m.Payload.Bytes())+len(m.Topic)+len(m.Event)+96), m)
	if err != nil {
		return nil, err
	}
	return transport.Seal(buf, binary), nil
}
