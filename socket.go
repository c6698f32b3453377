package roost

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/internal/mailbox"
	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/wire"
)

// Socket is a channel's handle on its client and its topic.
//
// Push, the broadcasts, SendInfo, Kill and Disconnect may be called from any
// goroutine. The other methods belong to the channel's callbacks.
//
// Whoever pushes or broadcasts before Join has returned makes the join fail, also
// from elsewhere [clause 151]: show a Socket to others only afterwards, in the
// HandleInfo of a value that Join sent itself.
type Socket struct {
	// Immutable.
	client  *client
	topic   *string  // shared with the topic's other channels
	joinRef wire.Ref // the channel's: the join's join_ref, or its ref if that was null
	channel Channel  // made where Join is called

	seat    pubsub.Seat           // in the channel's topic; used by the lane once Join has let the client in
	mailbox mailbox.Mailbox[mail] // what is to be done
	extras  atomic.Pointer[extras]
	phase   atomic.Uint32
	flags   atomic.Uint32

	// Owned by the callback that runs.
	current *mail // what HandleIn handles
}

// The phases of a channel.
const (
	joining   uint32 = iota
	violating        // Join did what it must not do
	answering        // Join is over
	joined
	ended
)

// Flags of a channel, set once. From routeShift on is the number of its route.
const (
	joinRefNull uint32 = 1 << iota // the join had no join_ref
	leaving                        // the client has left
	cancelled                      // the callbacks' context is done
	killed                         // by Kill
	ownLevels                      // the route has other log levels than usual
)

func (s *Socket) is(flag uint32) bool { return s.flags.Load()&flag != 0 }

// set sets a flag and reports whether it was not set before.
func (s *Socket) set(flag uint32) bool { return s.flags.Or(flag)&flag == 0 }

// cancel makes the callbacks' context done.
func (s *Socket) cancel() {
	if !s.set(cancelled) {
		return
	}
	if x := s.extras.Load(); x != nil {
		x.end()
	}
}

// Topic is the channel's topic.
func (s *Socket) Topic() string { return *s.topic }

// ID is the connection's id, as Connect set it.
func (s *Socket) ID() string { return s.client.profile.ID() }

// Transport names what carries the connection: "websocket".
func (s *Socket) Transport() string { return s.client.kind.transport }

// Serializer names the client's serializer: "v1", "v2".
func (s *Socket) Serializer() string { return s.client.kind.serializer.Name() }

// Endpoint is where the client connected.
func (s *Socket) Endpoint() *Endpoint { return s.client.kind.endpoint }

// Joined reports whether Join has accepted and the channel has not ended.
func (s *Socket) Joined() bool { return s.phase.Load() == joined }

// Value returns what was assigned to key: by Connect, by the route, or by this
// channel. nil is nothing.
func (s *Socket) Value(key string) any {
	if x := s.extras.Load(); x != nil {
		return x.assigns[key]
	}
	return nil
}

// Assign keeps a value for this channel only.
func (s *Socket) Assign(key string, value any) {
	x := s.extra()
	x.assigns = x.assigns.with(key, value)
}

// Push sends an event to this client. The error is ErrNotJoined, or the
// payload cannot be encoded: V2 clients take only objects and Bytes. It waits
// while this node is too busy to send.
func (s *Socket) Push(event string, payload any) error {
	if err := s.mayPush("Push"); err != nil {
		return err
	}
	p, err := wire.Marshal(payload)
	if err != nil {
		return fmt.Errorf("roost: encode push %q on topic %q: %w", event, *s.topic, err)
	}
	return s.send(&wire.Message{Kind: wire.Push, JoinRef: s.joinRef, Topic: *s.topic, Event: event, Payload: p})
}

// send encodes a message for the client and queues it.
func (s *Socket) send(m *wire.Message) error {
	f, err := seal(s.client.kind.serializer, m)
	if err != nil {
		return fmt.Errorf("roost: encode %v %q on topic %q: %w", m.Kind, m.Event, *s.topic, err)
	}
	s.client.conn.Send(f)
	return nil
}

// Broadcast sends an event to all subscribers of the topic on all nodes, this
// client included. Errors are those of Endpoint.Broadcast, and ErrNotJoined.
func (s *Socket) Broadcast(ctx context.Context, event string, payload any) error {
	if err := s.mayPush("Broadcast"); err != nil {
		return err
	}
	return s.client.kind.endpoint.Broadcast(ctx, *s.topic, event, payload)
}

// BroadcastFrom is Broadcast to all but this client.
func (s *Socket) BroadcastFrom(ctx context.Context, event string, payload any) error {
	if err := s.mayPush("BroadcastFrom"); err != nil {
		return err
	}
	return s.client.kind.endpoint.BroadcastFrom(ctx, s, *s.topic, event, payload)
}

// enterTopic lets the channel push. Both do it who may be first to need it: the
// lane that sends the answer to the join, and the worker that goes on.
func (s *Socket) enterTopic() { s.phase.CompareAndSwap(answering, joined) }

// mayPush refuses what a channel cannot do yet, or any more. What it does
// inside Join is remembered, and the join fails [clause 151].
func (s *Socket) mayPush(what string) error {
	switch s.phase.Load() {
	case joined:
		return nil
	case joining, violating, answering:
		if s.phase.CompareAndSwap(joining, violating) {
			s.emit(telemetry.PushedInsideJoin{Channel: s.facts(), Call: what})
		}
		return fmt.Errorf("%w: %s inside Join: %w", ErrNotJoined, what, errInsideJoin)
	default:
		return fmt.Errorf("%w: %s on topic %q after its end", ErrNotJoined, what, *s.topic)
	}
}

// SendInfo hands a value to the channel's HandleInfo. Inside Join it is
// handled after the reply was sent. The error is ErrMailboxFull or
// ErrNotJoined; it never waits.
func (s *Socket) SendInfo(value any) error {
	return s.post(mail{kind: mailInfo, info: value}, s.client.kind.endpoint.config.Mailbox)
}

// Kill ends the channel from outside, as a crash: the client gets phx_error
// and joins again. reason is what Terminate is told. Messages that wait are not
// handled any more; a callback that runs sees its context done, and is waited for.
// Killing again does nothing.
func (s *Socket) Kill(reason error) {
	if !s.set(killed) {
		return
	}
	s.cancel()
	if s.mailbox.Supplant(mail{kind: mailKill, info: killedError{reason}}, s.dropped) == mailbox.Schedule {
		s.client.kind.endpoint.workers.Submit(s)
	}
}

// Disconnect ends the client's connection, with all its channels: the client is
// closed with 1001 and comes back. To end all connections with an id, on all
// nodes, use Endpoint.Disconnect.
func (s *Socket) Disconnect() {
	conn := s.client.conn
	conn.Lane().Post(lane.Func(func() { conn.Close(transport.CloseGoingAway) }), nil)
}

// Subscribe delivers broadcasts of another topic to this channel's HandleInfo,
// as values of type Broadcast, until it ends or unsubscribes.
func (s *Socket) Subscribe(topic string) error {
	subscription, err := s.client.kind.endpoint.bus.Subscribe(s.context(), topic, infoSubscriber{s})
	if err == nil {
		subscription.EndWith(s.context())
	}
	return err
}

// Unsubscribe ends all of this channel's subscriptions to a topic. None is not
// an error.
func (s *Socket) Unsubscribe(topic string) {
	s.client.kind.endpoint.bus.Unsubscribe(topic, infoSubscriber{s})
}

// infoSubscriber receives broadcasts of topics that a channel subscribed to.
type infoSubscriber struct{ socket *Socket }

// Deliver implements pubsub.Subscriber.
func (i infoSubscriber) Deliver(m *pubsub.Message) {
	if from, ok := m.From.(*Socket); ok && from == i.socket { // clause 242
		return
	}
	_ = i.socket.SendInfo(Broadcast{Topic: m.Topic, Event: m.Event, Payload: m.Payload}) // a full mailbox is counted there
}

// Deliver takes one broadcast of the channel's topic, on its lane. It
// implements pubsub.Subscriber.
func (s *Socket) Deliver(m *pubsub.Message) {
	if s.intercepts(m.Event) { // clause 196
		s.hand(mail{kind: mailOut, event: m.Event, payload: m.Payload})
		return
	}
	f, err := s.client.kind.endpoint.encoded(m, s.client.kind.serializer)
	if err == nil { // else that was reported where it was found out
		s.client.deliver(s, m.Event, f)
	}
}

// hand has a broadcast wait for HandleOut, if there is room for it.
func (s *Socket) hand(m mail) {
	weight := m.weight()
	if !s.client.load(weight) {
		s.mailboxBytesFull(m.event)
		return
	}
	if s.post(m, s.client.kind.endpoint.config.Mailbox) != nil { // a full mailbox is counted there
		s.client.unload(weight)
	}
}

// Label tells publishers what to encode for. It implements pubsub.Labelled.
func (s *Socket) Label() any { return s.client.kind.serializer }

func (s *Socket) intercepts(event string) bool {
	x := s.extras.Load()
	return x != nil && slices.Contains(x.intercepted, event)
}
