package roost_test

import (
	"context"
	"fmt"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/pubsub"
)

func ExampleEndpoint_PubSub() {
	endpoint := roost.NewEndpoint(roost.Config{})
	bus := endpoint.PubSub()

	// Any part of the program can listen. Deliver must not block: here it
	// hands the message on.
	heard := make(chan *pubsub.Message, 1)
	subscription, err := bus.Subscribe(context.Background(), "board:1", pubsub.SubscriberFunc(func(m *pubsub.Message) {
		heard <- m
	}))
	must(err)
	defer subscription.Cancel()

	must(endpoint.Broadcast(context.Background(), "board:1", "bell", map[string]int{"lesson": 3}))
	m := <-heard
	fmt.Printf("%s %s %s\n", m.Topic, m.Event, m.Payload.Bytes())

	// Output:
	// board:1 bell {"lesson":3}
}
