package wire

// Serializer reads a client's frames and writes the server's.
//
// Its values are comparable with == (a broadcast is encoded once for each
// distinct one, clause 198) and safe for concurrent use. Package wiretest holds
// the suite that each implementation must pass.
type Serializer interface {
	// Name tells serializers apart in logs and metrics: "v1", "v2".
	Name() string

	// Decode reads the client's frame payload data, from a binary frame or from a
	// text frame, which the transport has found to be UTF-8. It overwrites all of
	// m, whose strings and payload may alias data afterwards; see [Message.Clone].
	// Data is not written to. After an error m is unspecified and the connection
	// is to be closed with 1011.
	Decode(m *Message, binary bool, data []byte) error

	// Encode appends the frame payload of m to dst and says whether it belongs in
	// a binary frame. After an error out is dst, as long as it was, and nothing
	// must be sent.
	Encode(dst []byte, m *Message) (out []byte, binary bool, err error)
}

// room is a bound for what a JSON frame holds beside the fields of its message,
// as long as nothing needs an escape.
const room = len(`{"topic":"","event":"phx_reply","ref":null,"payload":{"status":"","response":{}}}`)

// jsonSize estimates the frame of m, so that a short dst grows only once.
func jsonSize(m *Message) int {
	return room + len(m.JoinRef) + len(m.Ref) + len(m.Topic) + len(m.Event) + len(m.Status) + len(m.Payload.data)
}

// appendRef appends the ref or join_ref r of m as JSON; a broadcast has neither.
// Clauses 105, 121.
func appendRef(dst []byte, m *Message, r Ref) []byte {
	if r.IsNull() || m.Kind == Broadcast {
		return append(dst, "null"...)
	}
	return append(dst, r...)
}

// appendTopic appends the topic of m as JSON. Clause 153.
func appendTopic(dst []byte, m *Message) []byte {
	if m.OddTopic {
		return append(dst, m.Topic...)
	}
	return appendString(dst, m.Topic)
}

// appendEvent appends the event of m as JSON.
func appendEvent(dst []byte, m *Message) []byte {
	if m.Kind == Reply {
		return append(dst, `"phx_reply"`...)
	}
	return appendString(dst, m.Event)
}

// appendPayload appends the JSON payload of m; that of a reply is exactly status
// and response. Clauses 106, 107.
func appendPayload(dst []byte, m *Message) []byte {
	if m.Kind != Reply {
		return append(dst, m.Payload.Bytes()...)
	}
	dst = append(dst, `{"status":`...)
	dst = appendString(dst, m.Status)
	dst = append(dst, `,"response":`...)
	dst = append(dst, m.Payload.Bytes()...)
	return append(dst, '}')
}

// received makes m the client's message of these five JSON values. Clauses 102,
// 112, 153.
func received(m *Message, joinRef, ref, topic, event, payload []byte) {
	*m = Message{
		JoinRef: refOf(joinRef),
		Ref:     refOf(ref),
		Payload: JSON(payload),
	}
	var text bool
	m.Topic, text = stringOf(topic)
	m.OddTopic = !text
	m.Event, _ = stringOf(event)
}
