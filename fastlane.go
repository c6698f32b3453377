package roost

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/telemetry"
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
func (e *Endpoint) encoded(m *pubsub.Message, s wire.Serializer) (*transport.Frame, error) {
	f := m.Attachment(newFastlane).(*fastlane)
	if known, ok := f.find(s); ok {
		return known.frame, known.err
	}
	frame, first, err := f.encode(m, s)
	if err != nil && first { // once for the message, not for each subscriber
		e.stream.Emit(context.Background(), telemetry.EncodeFailed{
			Channel: telemetry.Channel{Topic: m.Topic}, Event: m.Event, Serializer: s.Name(), Err: err,
		})
	}
	return frame, err
}

func (f *fastlane) find(s wire.Serializer) (encodedFrame, bool) {
	for _, e := range *f.frames.Load() {
		if e.serializer == s {
			return e, true
		}
	}
	return encodedFrame{}, false
}

// encode encodes the message, unless somebody was faster.
func (f *fastlane) encode(m *pubsub.Message, s wire.Serializer) (frame *transport.Frame, first bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := f.find(s); ok {
		return known.frame, false, known.err
	}
	frame, err = seal(s, &wire.Message{Kind: wire.Broadcast, Topic: m.Topic, Event: m.Event, Payload: m.Payload})
	if err == nil {
		frame.About(m.Topic, m.Event)
	}
	next := append(slices.Clone(*f.frames.Load()), encodedFrame{s, frame, err})
	f.frames.Store(&next)
	return frame, true, err
}

// seal encodes a message to a frame that is kept.
func seal(s wire.Serializer, m *wire.Message) (*transport.Frame, error) {
	buf, binary, err := encode(s, transport.Room(len(m.Payload.Bytes())+len(m.Topic)+len(m.Event)+96), m)
	if err != nil {
		return nil, err
	}
	return transport.Seal(buf, binary), nil
}
