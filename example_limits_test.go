package roost_test

import (
	"context"
	"strings"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/ratelimit"
)

// Canvas is a channel on which people draw together.
type Canvas struct{}

// Join lets everybody in.
func (*Canvas) Join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), nil
}

// Draw takes a few strokes.
func (*Canvas) Draw(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(nil), nil
}

func ExampleWithLimits() {
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("canvas:*", roost.ChannelOf((*Canvas).Join, roost.On("draw", (*Canvas).Draw)),
		roost.WithLimits(roost.RouteLimits{
			Joins:    ratelimit.Limit{Rate: 50},             // by everybody together
			Messages: ratelimit.Limit{Rate: 20, Burst: 100}, // of one connection, on all canvases
			Events: []roost.EventLimit{
				{Event: "draw*", Bytes: ratelimit.Limit{Rate: 1000, Burst: 4000}},
				{Event: "cursor", Messages: ratelimit.Limit{Rate: 10, Shadow: true}}, // how many would be refused?
			},
		}))

	school := open(endpoint)
	defer school.close()
	ann := school.visit("ann", "")
	ann.enters("canvas:1", `{}`)
	ann.push("canvas:1", "draw", `{"strokes":"-"}`)
	ann.hears()
	ann.push("canvas:1", "draw", `{"strokes":"`+strings.Repeat("-", 5000)+`"}`) // never passes, so nothing says when
	ann.hears()

	// Output:
	// ann: "canvas:1" "phx_reply" {"status":"ok","response":{}}
	// ann: "canvas:1" "phx_reply" {"status":"error","response":{"reason":"too many bytes of such events","code":"too many bytes of such events"}}
}
