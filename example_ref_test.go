package roost_test

import (
	"context"

	"github.com/roostgo/roost"
)

// Oven is a channel that answers when it is ready to, and goes on meanwhile.
type Oven struct{ orders chan<- roost.Ref }

// Join lets everybody in.
func (o *Oven) Join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), nil
}

// Bake keeps what is needed to reply, and replies nothing yet.
func (o *Oven) Bake(_ context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	ref, err := s.Ref()
	if err != nil {
		return roost.NoReply(), err
	}
	o.orders <- ref
	return roost.NoReply(), nil
}

// Look is answered at once.
func (o *Oven) Look(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(map[string]string{"state": "warm"}), nil
}

func ExampleSocket_Ref() {
	orders := make(chan roost.Ref, 1)
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("oven:*", roost.ChannelOf((*Oven).Join,
		roost.On("bake", (*Oven).Bake),
		roost.On("look", (*Oven).Look),
		roost.Fresh(func() *Oven { return &Oven{orders: orders} }),
	))

	bakery := open(endpoint)
	defer bakery.close()
	ann := bakery.visit("ann", "")
	ann.enters("oven:1", `{}`)
	ann.push("oven:1", "bake", `{}`)
	ann.push("oven:1", "look", `{}`)
	ann.hears()

	order := <-orders // on any goroutine, whenever it is done
	must(order.Reply(roost.ReplyOK(map[string]string{"state": "done"})))
	ann.hears()

	// Output:
	// ann: "oven:1" "phx_reply" {"status":"ok","response":{"state":"warm"}}
	// ann: "oven:1" "phx_reply" {"status":"ok","response":{"state":"done"}}
}
