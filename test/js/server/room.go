package main

import (
	"context"
	"sync"

	"github.com/roostgo/roost"
)

// room is a topic in which a client can ask for everything that a server may do to it.
var room = roost.ChannelOf((*Room).Join,
	roost.On("echo", (*Room).Echo),
	roost.On("fail", (*Room).Fail),
	roost.On("silent", (*Room).Silent),
	roost.On("hold", (*Room).Hold),
	roost.On("push_me", (*Room).PushMe),
	roost.On("shout", (*Room).Shout),
	roost.On("shout_others", (*Room).ShoutOthers),
	roost.On("bin", (*Room).Bin),
	roost.On("binpush", (*Room).BinPush),
	roost.On("binbroadcast", (*Room).BinBroadcast),
	roost.On("crash", (*Room).Crash),
	roost.On("stop", (*Room).Stop),
)

// Room is one client's membership of a room. It has no state: what it does depends on the message.
type Room struct{}

type entrance struct {
	Refuse bool `json:"refuse"`
}

// Join replies with the topic, or refuses who asks for it.
func (*Room) Join(_ context.Context, s *roost.Socket, e entrance) (roost.Reply, error) {
	if e.Refuse {
		return roost.Refuse("unauthorized"), nil
	}
	return roost.ReplyOK(map[string]string{"topic": s.Topic()}), nil
}

// Echo replies with the payload, of whatever kind it is.
func (*Room) Echo(_ context.Context, _ *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(p), nil
}

// Fail replies with an error.
func (*Room) Fail(_ context.Context, _ *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	return roost.Refuse("as you wish"), nil
}

// Silent does not reply.
func (*Room) Silent(_ context.Context, _ *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), nil
}

// held are the messages that wait for POST /control/release, by topic.
var held sync.Map

// Hold replies when the control says so, even if this channel has ended by then.
func (*Room) Hold(_ context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	ref, err := s.Ref()
	held.Store(s.Topic(), ref)
	return roost.NoReply(), err
}

// PushMe pushes the payload back and replies after it.
func (*Room) PushMe(_ context.Context, s *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(nil), s.Push("pushed", p)
}

// Shout broadcasts the payload.
func (*Room) Shout(ctx context.Context, s *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(nil), s.Broadcast(ctx, "shout", p)
}

// ShoutOthers broadcasts the payload to everybody else.
func (*Room) ShoutOthers(ctx context.Context, s *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(nil), s.BroadcastFrom(ctx, "shout", p)
}

// Bin replies with bytes to whatever came.
func (*Room) Bin(_ context.Context, _ *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(roost.Bytes{1, 2, 3, 255}), nil
}

// BinPush pushes the bytes back.
func (*Room) BinPush(_ context.Context, s *roost.Socket, b roost.Bytes) (roost.Reply, error) {
	return roost.ReplyOK(nil), s.Push("binpush", b)
}

// BinBroadcast broadcasts the bytes.
func (*Room) BinBroadcast(ctx context.Context, s *roost.Socket, b roost.Bytes) (roost.Reply, error) {
	return roost.ReplyOK(nil), s.Broadcast(ctx, "binbroadcast", b)
}

// Crash panics.
func (*Room) Crash(_ context.Context, _ *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	panic("as the client wished")
}

// Stop ends the channel as wished.
func (*Room) Stop(_ context.Context, _ *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(nil), roost.Stop
}
