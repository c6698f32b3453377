package roost

import (
	"context"
	"sync/atomic"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/transport"
)

// profile is what Connect said of a client: values, and an id. With an id it
// is subscribed to it: a broadcast of "disconnect" there ends the connection
// [§7.9]. That is done before there is a connection, so that no such broadcast
// is missed. A nil profile says nothing.
type profile struct {
	// Immutable.
	client       *client
	id           string
	assigns      Assigns
	subscription *pubsub.Subscription // nil without an id
	pass         *pass                // nil without limits

	lane  atomic.Pointer[lane.Lane] // once the connection is open
	ended atomic.Bool               // disconnect came
}

// ID is the socket id; "" without one.
func (p *profile) ID() string {
	if p == nil {
		return ""
	}
	return p.id
}

// limits are those of the connection.
func (p *profile) limits() *pass {
	if p == nil {
		return nil
	}
	return p.pass
}

// values are what Connect assigned.
func (p *profile) values() Assigns {
	if p == nil {
		return nil
	}
	return p.assigns
}

// listen subscribes to the id, until forget. It may block, as long as ctx lets
// it: that of the request.
func (p *profile) listen(ctx context.Context, bus *pubsub.PubSub) (err error) {
	if p.id != "" {
		p.subscription, err = bus.Subscribe(ctx, p.id, p)
	}
	return err
}

// Deliver implements pubsub.Subscriber. Events other than "disconnect" are for
// others [clause 204].
func (p *profile) Deliver(m *pubsub.Message) {
	if m.Event != eventDisconnect {
		return
	}
	p.ended.Store(true)
	if l := p.lane.Load(); l != nil {
		l.Post(lane.Func(p.disconnect), nil)
	}
}

// open is called on the lane when the connection is there.
func (p *profile) open(l *lane.Lane) {
	if p == nil {
		return
	}
	p.lane.Store(l)
	if p.ended.Load() {
		l.Post(lane.Func(p.disconnect), nil)
	}
}

func (p *profile) disconnect() { p.client.conn.Close(transport.CloseGoingAway) } // clause 96

// forget ends the subscription.
func (p *profile) forget() {
	if p != nil && p.subscription != nil {
		p.subscription.Cancel()
	}
}

// release gives back what the connection counts for.
func (p *profile) release() {
	if p != nil {
		p.pass.leave()
	}
}
