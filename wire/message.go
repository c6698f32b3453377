package wire

// Kind says what a message is to its receiver.
type Kind uint8

// A client only ever pushes. phx_close and phx_error are pushes whose Ref
// repeats their JoinRef. [§6.4]
const (
	Push      Kind = iota // from a client, or from a channel to its client
	Reply                 // the answer to one ref
	Broadcast             // to all subscribers of a topic; carries no refs
)

// String returns the kind in lower case, for logs.
func (k Kind) String() string {
	switch k {
	case Push:
		return "push"
	case Reply:
		return "reply"
	case Broadcast:
		return "broadcast"
	}
	return "unknown"
}

// Message is one message of the protocol, independent of how it is written.
type Message struct {
	Kind    Kind
	JoinRef Ref // which instance of the channel; not written in a Broadcast
	Ref     Ref // which client message; not written in a Broadcast

	// Topic and Event are text. Where a client sent another JSON value, Event is
	// the raw JSON, and Topic is too, with OddTopic set.
	Topic string
	Event string // of a Reply: ignored, a reply's event is always phx_reply

	Status  string // of a Reply: "ok", "error" or what the application chose
	Payload Payload

	// OddTopic says that the topic was no JSON string. Topic is its raw JSON and
	// is written back without quotes. Clause 153.
	OddTopic bool
}

// Clone returns a copy that shares no memory with m, made in one allocation, or
// in none if m is empty.
//
// All fields of the copy lie in one block, so that any one of them keeps the
// whole block alive.
func (m *Message) Clone() Message {
	c := *m
	size := len(m.JoinRef) + len(m.Ref) + len(m.Topic) + len(m.Event) + len(m.Status) + len(m.Payload.data)
	b := block{free: make([]byte, 0, size)}
	c.JoinRef = Ref(b.text(string(m.JoinRef)))
	c.Ref = Ref(b.text(string(m.Ref)))
	c.Topic = b.text(m.Topic)
	c.Event = b.text(m.Event)
	c.Status = b.text(m.Status)
	if m.Payload.data != nil {
		c.Payload.data = append(b.free, m.Payload.data...) // the last piece takes the rest
	}
	return c
}

// block hands out pieces of one allocation.
type block struct{ free []byte } // empty, with the room that is left

func (b *block) text(s string) string {
	piece := append(b.free, s...)
	b.free = piece[len(piece):]
	return alias(piece)
}
