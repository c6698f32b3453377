package websocket

import (
	"errors"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
)

// peer is what the protocol needs of a connection, whichever engine has it.
type peer interface {
	transport.Conn
	finish(code transport.CloseCode, reason error)
	// answer sends the last frame of a closing handshake that the client began
	// and cuts the connection.
	answer(code transport.CloseCode)
}

// state is where a connection is in its life; its lane owns it.
type state uint8

const (
	open    state = iota
	dying         // to be cut at the end of the turn
	closing       // a close frame is queued; what comes in is ignored
	closed
)

// frameCost is what a frame that waits takes besides its bytes: a client that
// lets very many empty pongs wait is as slow as others.
const frameCost = 64

// weight is what waits for a client, as Config.Outbox bounds it.
func weight(bytes, frames, largest int) int { return bytes - largest + (frames-1)*frameCost }

// receive hands one event to the session or answers it.
func receive(p peer, s transport.Session, ev frame.Event) transport.Verdict {
	switch ev.Opcode {
	case frame.Text, frame.Binary:
		return s.Receive(ev.Payload, ev.Opcode == frame.Binary)
	case frame.Ping: // RFC 6455 §5.5.2, clause 84
		p.Enqueue(transport.Control(frame.AppendControl(nil, frame.Pong, ev.Payload)), transport.Direct)
	case frame.Close:
		p.answer(closeAnswer(ev.Code))
	default: // a pong that nobody asked for, RFC 6455 §5.5.3
	}
	return transport.Continue
}

// errLate ends a connection whose message takes longer than MessageTimeout.
var errLate = &frame.Error{Code: uint16(transport.ClosePolicy), Text: "a message took longer than MessageTimeout"}

// errCrowded ends a connection that keeps more than others of incomplete messages,
// when all keep too much.
var errCrowded = &frame.Error{Code: uint16(transport.CloseTryLater), Text: "incomplete messages took more than MaxIncomplete, this one the most for the longest"}

// carries reports whether an event is a whole message.
func carries(ev frame.Event) bool { return ev.Opcode == frame.Text || ev.Opcode == frame.Binary }

// hangUpOn tells a session that holds its connection that the client has gone.
func hangUpOn(s transport.Session) {
	if h, ok := s.(transport.Abandoned); ok {
		h.Abandon()
	}
}

// about says which connection an event is about.
func about(s transport.Session) telemetry.Socket {
	socket := telemetry.Socket{Transport: Name}
	if n, ok := s.(transport.Named); ok {
		socket.ID = n.ID()
	}
	return socket
}

// release tells a session that its connection is gone.
func release(s transport.Session) {
	if r, ok := s.(transport.Released); ok {
		r.Release()
	}
}

// violate ends a connection whose bytes broke a rule.
func violate(p peer, err error) {
	code := transport.CloseProtocol
	if fe, ok := errors.AsType[*frame.Error](err); ok {
		code = transport.CloseCode(fe.Code)
	}
	p.finish(code, errors.Join(transport.ErrBadFrame, err))
}

// closeAnswer is the code that answers a client's close frame [§5.7].
func closeAnswer(code uint16) transport.CloseCode {
	switch {
	case code <= 1003, code == frame.NoStatus, code >= 1007 && code <= 1011, code >= 3000:
		return transport.CloseNormal
	default:
		return transport.CloseProtocol
	}
}

// closeFrame is a close frame without a reason; clause 94.
func closeFrame(code transport.CloseCode) *transport.Frame {
	return transport.Control(frame.AppendClose(nil, uint16(code), ""))
}
