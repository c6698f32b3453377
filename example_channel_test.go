package roost_test

import (
	"context"

	"github.com/roostgo/roost"
)

// Door is a channel that asks who comes in. One client that has joined one
// topic has one Door: its fields are that client's state.
type Door struct{ visitor string }

type card struct {
	Name string `json:"name"`
}

// Join is called first. The payload of the client's join is decoded to the
// type of the last parameter.
func (d *Door) Join(_ context.Context, s *roost.Socket, c card) (roost.Reply, error) {
	if c.Name == "" {
		return roost.Refuse("a name is required"), nil
	}
	d.visitor = c.Name
	return roost.ReplyOK("welcome to " + s.Topic()), nil
}

// Knock answers the event "knock".
func (d *Door) Knock(context.Context, *roost.Socket, struct{}) (roost.Reply, error) {
	return roost.ReplyOK(map[string]string{"who": d.visitor}), nil
}

func ExampleChannelOf() {
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("door:*", roost.ChannelOf((*Door).Join, roost.On("knock", (*Door).Knock)))

	house := open(endpoint)
	defer house.close()
	ann := house.visit("ann", "")
	ann.push("door:1", "phx_join", `{}`)
	ann.hears()
	ann.push("door:1", "phx_join", `{"name":7}`)
	ann.hears()
	ann.push("door:1", "phx_join", `{"name":"Ann"}`)
	ann.hears()
	ann.push("door:1", "knock", `{}`)
	ann.hears()
	ann.push("window:1", "phx_join", `{}`)
	ann.hears()

	// Output:
	// ann: "door:1" "phx_reply" {"status":"error","response":{"reason":"a name is required"}}
	// ann: "door:1" "phx_reply" {"status":"error","response":{"reason":"invalid payload"}}
	// ann: "door:1" "phx_reply" {"status":"ok","response":"welcome to door:1"}
	// ann: "door:1" "phx_reply" {"status":"ok","response":{"who":"Ann"}}
	// ann: "window:1" "phx_reply" {"status":"error","response":{"reason":"unmatched topic"}}
}
