package roost

import (
	"context"
	"sync/atomic"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/transport"
)

// identity is a connection's subscription to its socket id: a broadcast of
// "disconnect" there ends it [§7.9]. It is made before there is a connection,
// so that no such broadcast is missed.
type identity struct {
	id           string
	client       *client
	subscription *pubsub.Subscription
	lane         atomic.Pointer[lane.Lane] // once the connection is open
	ended        atomic.Bool               // disconnect came
}

// listen subscribes a session to its id. It may block.
func listen(bus *pubsub.PubSub, c *client, id string) (*identity, error) {
	i := &identity{id: id, client: c}
	var err error
	i.subscription, err = bus.Subscribe(context.Background(), id, i)
	return i, err
}

// Deliver implements pubsub.Subscriber. Events other than "disconnect" are for
// others [clause 204].
func (i *identity) Deliver(m *pubsub.Message) {
	if m.Event != eventDisconnect {
		return
	}
	i.ended.Store(true)
	if l := i.lane.Load(); l != nil {
		l.Post(lane.Func(i.disconnect), nil)
	}
}

// open is called on the lane when the connection is there.
func (i *identity) open(l *lane.Lane) {
	i.lane.Store(l)
	if i.ended.Load() {
		l.Post(lane.Func(i.disconnect), nil)
	}
}

func (i *identity) disconnect() { i.client.conn.Close(transport.CloseGoingAway) } // clause 96
