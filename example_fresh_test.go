package roost_test

import (
	"context"
	"sync/atomic"

	"github.com/roostgo/roost"
)

// Ledger stands for a database: one for the program.
type Ledger struct{ entries atomic.Int64 }

// Counter is a channel that needs the Ledger.
type Counter struct{ ledger *Ledger }

// Join lets everybody in.
func (c *Counter) Join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), nil
}

// Book writes to the ledger. It may block: no other channel waits for it.
func (c *Counter) Book(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(map[string]int64{"entry": c.ledger.entries.Add(1)}), nil
}

func ExampleFresh() {
	ledger := &Ledger{}
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("counter:*", roost.ChannelOf((*Counter).Join,
		roost.On("book", (*Counter).Book),
		roost.Fresh(func() *Counter { return &Counter{ledger: ledger} }),
	))

	bank := open(endpoint)
	defer bank.close()
	ann, bob := bank.visit("ann", ""), bank.visit("bob", "")
	for _, v := range []*visitor{ann, bob} {
		v.enters("counter:1", `{}`)
		v.push("counter:1", "book", `{}`)
		v.hears()
	}

	// Output:
	// ann: "counter:1" "phx_reply" {"status":"ok","response":{"entry":1}}
	// bob: "counter:1" "phx_reply" {"status":"ok","response":{"entry":2}}
}
