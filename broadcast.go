package roost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/wire"
)

// Broadcast is a message of a topic, as channels that subscribed to the topic
// receive it in HandleInfo.
type Broadcast struct {
	Topic   string
	Event   string
	Payload Payload
}

// Broadcast sends an event to all subscribers of a topic on all nodes. payload
// is encoded once for each serializer in use. An error means that nobody on
// this node got it: the payload cannot be encoded (V2 clients take only
// objects and Bytes), or the PubSub adapter failed.
//
// It waits while this node is too busy to deliver.
func (e *Endpoint) Broadcast(ctx context.Context, topic, event string, payload any) error {
	return e.publish(ctx, nil, topic, event, payload, e.bus.Broadcast)
}

// BroadcastFrom is Broadcast to all but one channel's client.
func (e *Endpoint) BroadcastFrom(ctx context.Context, from *Socket, topic, event string, payload any) error {
	return e.publish(ctx, from, topic, event, payload, e.bus.Broadcast)
}

// BroadcastLocal is Broadcast to this node's subscribers only.
func (e *Endpoint) BroadcastLocal(ctx context.Context, topic, event string, payload any) error {
	return e.publish(ctx, nil, topic, event, payload, e.locally)
}

// BroadcastLocalFrom is BroadcastLocal to all but one channel's client.
func (e *Endpoint) BroadcastLocalFrom(ctx context.Context, from *Socket, topic, event string, payload any) error {
	return e.publish(ctx, from, topic, event, payload, e.locally)
}

func (e *Endpoint) locally(_ context.Context, m *pubsub.Message) error {
	e.bus.BroadcastLocal(m)
	return nil
}

// Disconnect ends all connections with a socket id, on all nodes [§7.9].
// Their clients are closed with 1001 and come back.
func (e *Endpoint) Disconnect(ctx context.Context, id string) error {
	return e.Broadcast(ctx, id, eventDisconnect, nil)
}

// publish encodes a message for this node's clients, so that what cannot be
// encoded fails here [clause 111], and hands it to the bus.
func (e *Endpoint) publish(ctx context.Context, from *Socket, topic, event string, payload any, send func(context.Context, *pubsub.Message) error) error {
	p, err := wire.Marshal(own(payload))
	if err != nil {
		return fmt.Errorf("roost: encode broadcast %q to topic %q: %w", event, topic, err)
	}
	m := &pubsub.Message{Topic: topic, Event: event, Payload: p}
	if from != nil {
		m.From = from
	}
	if err := e.prepare(m); err != nil {
		return fmt.Errorf("roost: encode broadcast %q to topic %q: %w", event, topic, err)
	}
	return send(ctx, m)
}

// own copies a payload that is the caller's memory: channels that intercept it see
// it later.
func own(payload any) any {
	switch p := payload.(type) {
	case Bytes:
		return Bytes(bytes.Clone(p))
	case json.RawMessage:
		return json.RawMessage(bytes.Clone(p))
	}
	return payload
}

// prepare encodes a message once for each serializer that the topic's clients
// on this node use. The error is theirs who cannot get it, with one exception:
// where others can, V1 clients, whom binary cannot reach, do without. Else one
// of them would keep it from all.
func (e *Endpoint) prepare(m *pubsub.Message) error {
	var without error
	reached := false
	for _, label := range e.bus.Labels(m.Topic) {
		s, ok := label.(wire.Serializer)
		if !ok { // of a subscriber that is not a channel
			continue
		}
		switch _, err := e.encoded(m, s); {
		case err == nil:
			reached = true
		case errors.Is(err, wire.ErrBinary):
			without = err
		default:
			return err
		}
	}
	if reached {
		return nil
	}
	return without
}
