package main

import (
	"context"
	"errors"
	"strings"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/wire"
)

// relay is a channel that passes on what it is told, as it was told: payloads
// are not decoded.
type relay struct{}

func newRelay() roost.Channel { return relay{} }

// Join lets everybody in, but not into topics that are socket ids: who could
// push "disconnect" there would end other clients' connections.
func (relay) Join(_ context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	if strings.HasPrefix(s.Topic(), socketIDs) {
		return roost.Refuse("topics that begin with " + socketIDs + " are reserved"), nil
	}
	return roost.ReplyOK(nil), nil
}

// HandleIn sends the event to all subscribers of the topic.
func (relay) HandleIn(ctx context.Context, s *roost.Socket, event string, p roost.Payload) (roost.Reply, error) {
	if reserved(event) {
		return roost.Refuse("event " + event + " is reserved"), nil
	}
	switch err := s.Broadcast(ctx, event, p); {
	case errors.Is(err, wire.ErrNotObject):
		return roost.Refuse("payload must be a JSON object or binary"), nil
	case errors.Is(err, wire.ErrFieldTooLong), errors.Is(err, wire.ErrBinary):
		return roost.Refuse(err.Error()), nil
	case err != nil:
		return roost.Reply{}, err
	}
	return roost.ReplyOK(nil), nil
}

// reserved reports whether clients give an event a meaning of its own: passed
// on, phx_ would end other clients' channels, and phoenix.js takes chan_reply_
// and a number for the answer to its push of that number.
func reserved(event string) bool {
	return strings.HasPrefix(event, "phx_") || strings.HasPrefix(event, "chan_reply_")
}
