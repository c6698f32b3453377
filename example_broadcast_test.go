package roost_test

import (
	"context"

	"github.com/roostgo/roost"
)

// Board is a channel on which everybody writes.
type Board struct{}

// Join lets everybody in.
func (b *Board) Join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), nil
}

// Write tells all others; payloads stay raw when they are only passed on.
func (b *Board) Write(ctx context.Context, s *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(nil), s.BroadcastFrom(ctx, "written", p)
}

func ExampleEndpoint_Broadcast() {
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("board:*", roost.ChannelOf((*Board).Join))

	school := open(endpoint)
	defer school.close()
	ann, bob := school.visit("ann", ""), school.visit("bob", "")
	ann.enters("board:1", `{}`)
	bob.enters("board:1", `{}`)

	// From anywhere in the program. It is encoded once for all subscribers.
	must(endpoint.Broadcast(context.Background(), "board:1", "bell", map[string]int{"lesson": 3}))
	ann.hears()
	bob.hears()

	// Output:
	// ann: "board:1" "bell" {"lesson":3}
	// bob: "board:1" "bell" {"lesson":3}
}

func ExampleSocket_BroadcastFrom() {
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("board:*", roost.ChannelOf((*Board).Join, roost.On("write", (*Board).Write)))

	school := open(endpoint)
	defer school.close()
	ann, bob := school.visit("ann", ""), school.visit("bob", "")
	ann.enters("board:1", `{}`)
	bob.enters("board:1", `{}`)
	ann.push("board:1", "write", `{"text":"hello"}`)
	ann.hears() // her own message comes back as a reply only
	bob.hears()

	// Output:
	// ann: "board:1" "phx_reply" {"status":"ok","response":{}}
	// bob: "board:1" "written" {"text":"hello"}
}
