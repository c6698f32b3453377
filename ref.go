package roost

import "github.com/roostgo/roost/wire"

// Ref is what is needed to reply to a message later. It may be copied, kept,
// and used from any goroutine, as often as one likes.
type Ref struct {
	socket *Socket
	ref    wire.Ref
}

// Ref captures the message that HandleIn handles, to be replied to later.
// The error is ErrNoRef outside of HandleIn, and for a message whose client
// wants no reply.
func (s *Socket) Ref() (Ref, error) {
	if s.current == nil || s.current.kind != mailIn || s.current.ref.IsNull() { // clause 191
		return Ref{}, ErrNoRef
	}
	return Ref{socket: s, ref: keepRef(s.current.ref)}, nil // not the block of the whole message
}

// Reply answers the message. The zero Reply sends nothing. The error says that
// the payload cannot be encoded; a client that has gone is not an error.
func (r Ref) Reply(reply Reply) error {
	if r.socket == nil {
		return ErrNoRef
	}
	answer, err := reply.response()
	if err != nil {
		return err
	}
	return r.socket.reply(r.ref, answer)
}

func (s *Socket) reply(ref wire.Ref, r response) error {
	if r.status == "" {
		return nil
	}
	return s.send(&wire.Message{Kind: wire.Reply, JoinRef: s.joinRef, Ref: ref, Topic: *s.topic, Status: r.status, Payload: r.payload})
}
