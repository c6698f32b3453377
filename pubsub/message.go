package pubsub

import (
	"sync/atomic"

	"github.com/roostgo/roost/wire"
)

// Message is a broadcast: what is published to a topic [§10.5]. It must not be
// changed once it is published.
type Message struct {
	Topic   string
	Event   string
	Payload wire.Payload

	// From is skipped on delivery; nil skips nobody. It does not travel to
	// other nodes: a subscriber exists on one node only [§10.1]. Subscribers
	// of a type that cannot be compared are never skipped.
	From Subscriber

	attached atomic.Pointer[any]
}

// Attachment returns the value that make made for this message; it is made
// once and shared by all of this node's subscribers. It is where those who
// deliver a message keep what it was encoded to.
func (m *Message) Attachment(make func() any) any {
	if a := m.attached.Load(); a != nil {
		return *a
	}
	a := make()
	if !m.attached.CompareAndSwap(nil, &a) {
		return *m.attached.Load()
	}
	return a
}
