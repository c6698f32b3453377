package roost_test

import (
	"context"
	"errors"
	"log/slog"

	"github.com/roostgo/roost"
)

// Till is a channel that adds up. Its methods run one at a time: no lock.
type Till struct{ sum int }

type amount struct {
	Cents int `json:"cents"`
}

// Join lets everybody in.
func (t *Till) Join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), nil // from Join: ok with {}
}

// Add replies with the sum. A reply is what the client reads.
func (t *Till) Add(_ context.Context, _ *roost.Socket, a amount) (roost.Reply, error) {
	if a.Cents <= 0 {
		return roost.Refuse("nothing to add"), nil
	}
	t.sum += a.Cents
	return roost.ReplyOK(amount{t.sum}), nil
}

// Close ends the channel: the client gets phx_close and does not come back.
func (t *Till) Close(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(amount{t.sum}), roost.Stop
}

// Burn fails. The error is logged and never sent: the client gets phx_error,
// and joins again.
func (t *Till) Burn(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), errors.New("the till is on fire")
}

func ExampleOn() {
	endpoint := roost.NewEndpoint(roost.Config{Logger: slog.New(slog.DiscardHandler)}) // burning would be logged
	endpoint.Channel("till:*", roost.ChannelOf((*Till).Join,
		roost.On("add", (*Till).Add),
		roost.On("close", (*Till).Close),
		roost.On("burn", (*Till).Burn),
	))

	shop := open(endpoint)
	defer shop.close()
	ann := shop.visit("ann", "")
	ann.enters("till:1", `{}`)
	ann.push("till:1", "add", `{"cents":250}`)
	ann.hears()
	ann.push("till:1", "add", `{"cents":-250}`)
	ann.hears()
	ann.push("till:1", "close", `{}`)
	ann.hears()
	ann.hears()

	ann.enters("till:2", `{}`)
	ann.push("till:2", "burn", `{}`)
	ann.hears()

	// Output:
	// ann: "till:1" "phx_reply" {"status":"ok","response":{"cents":250}}
	// ann: "till:1" "phx_reply" {"status":"error","response":{"reason":"nothing to add"}}
	// ann: "till:1" "phx_reply" {"status":"ok","response":{"cents":250}}
	// ann: "till:1" "phx_close" {}
	// ann: "till:2" "phx_error" {"reason":"channel_crash"}
}
