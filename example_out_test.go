package roost_test

import (
	"context"
	"fmt"

	"github.com/roostgo/roost"
)

// Auction is a channel that shows each client prices in its own currency.
type Auction struct {
	currency string
	rate     float64
}

type taste struct {
	Currency string  `json:"currency"`
	Rate     float64 `json:"rate"`
}

type bid struct {
	Euros float64 `json:"euros"`
}

// Join keeps what the client wants to see.
func (a *Auction) Join(_ context.Context, _ *roost.Socket, t taste) (roost.Reply, error) {
	a.currency, a.rate = t.Currency, t.Rate
	return roost.NoReply(), nil
}

// Bid tells everybody.
func (a *Auction) Bid(ctx context.Context, s *roost.Socket, b bid) (roost.Reply, error) {
	return roost.NoReply(), s.Broadcast(ctx, "bid", b)
}

// Show is called for every broadcast "bid" instead of the client getting it.
func (a *Auction) Show(_ context.Context, s *roost.Socket, b bid) error {
	return s.Push("bid", map[string]string{"price": fmt.Sprintf("%.2f %s", b.Euros*a.rate, a.currency)})
}

func ExampleOut() {
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("auction:*", roost.ChannelOf((*Auction).Join,
		roost.On("bid", (*Auction).Bid),
		roost.Out("bid", (*Auction).Show),
	))

	hall := open(endpoint)
	defer hall.close()
	ann, bob := hall.visit("ann", ""), hall.visit("bob", "")
	ann.enters("auction:vase", `{"currency":"EUR","rate":1}`)
	bob.enters("auction:vase", `{"currency":"CHF","rate":0.95}`)
	ann.push("auction:vase", "bid", `{"euros":40}`)
	ann.hears()
	bob.hears()

	// Output:
	// ann: "auction:vase" "bid" {"price":"40.00 EUR"}
	// bob: "auction:vase" "bid" {"price":"38.00 CHF"}
}
