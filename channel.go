package roost

import (
	"context"

	"github.com/roostgo/roost/wire"
)

// Payload is what a message carries: JSON text or bytes. It stays raw until
// somebody asks for it.
type Payload = wire.Payload

// Bytes is a Go value that travels as a binary payload.
type Bytes = wire.Bytes

// Channel is one client's membership of one topic: one value for each join.
//
// Its methods, and those of the optional interfaces below, run one at a time
// and may block; other channels, heartbeats and broadcasts go on meanwhile.
// An error or a panic ends this channel only: the client gets phx_error and
// phoenix.js joins again.
//
// ChannelOf makes one from a type's methods.
type Channel interface {
	// Join decides whether the client may enter the topic. The zero Reply is
	// ok with {}; Refuse refuses. An error or a panic is answered with the
	// reason "join crashed" and logged. Later messages of the connection wait
	// until Join returns. Pushing and broadcasting are not possible yet: send
	// yourself a value with Socket.SendInfo, it is handled after the reply.
	Join(ctx context.Context, s *Socket, payload Payload) (Reply, error)

	// HandleIn handles a message of the client. The zero Reply sends nothing.
	// Stop ends the channel with phx_close, any other error with phx_error;
	// a Reply beside it is sent first.
	HandleIn(ctx context.Context, s *Socket, event string, payload Payload) (Reply, error)
}

// OutHandler is a Channel that intercepts broadcasts of its topic.
type OutHandler interface {
	// Intercepts names the events. It is asked once, after Join.
	Intercepts() []string

	// HandleOut is called instead of the event being sent to the client; it
	// pushes what the client is to see. Errors are those of HandleIn.
	HandleOut(ctx context.Context, s *Socket, event string, payload Payload) error
}

// InfoHandler is a Channel that receives values from the application
// (Socket.SendInfo) and broadcasts of other topics (Socket.Subscribe).
type InfoHandler interface {
	// HandleInfo handles one value. ErrUnhandled says that it is of no known
	// type, which is logged and does no harm. Errors are those of HandleIn.
	HandleInfo(ctx context.Context, s *Socket, info any) error
}

// Terminator is a Channel that wants to know when it ends.
type Terminator interface {
	// Terminate is called last. reason is ErrLeft, ErrClosed (or an error that
	// wraps it and says why the connection ended), Stop, or the error that the
	// channel crashed with. It is not called for a channel that was replaced
	// by another join of its topic, nor when Join refused or failed.
	Terminate(ctx context.Context, s *Socket, reason error)
}

// Factory makes the Channel of one join.
type Factory func() Channel
