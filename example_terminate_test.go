package roost_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/roostgo/roost"
)

// Seat is a channel that gives something back at its end.
type Seat struct{ free chan<- string }

// Join takes the seat.
func (s *Seat) Join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), nil
}

// Free is called last, whatever ended the channel.
func (s *Seat) Free(_ context.Context, socket *roost.Socket, reason error) {
	switch {
	case errors.Is(reason, roost.ErrLeft):
		s.free <- socket.Topic() + ": the client left"
	case errors.Is(reason, roost.ErrClosed):
		s.free <- socket.Topic() + ": the connection ended"
	default:
		s.free <- fmt.Sprintf("%s: %v", socket.Topic(), reason)
	}
}

func ExampleTerminate() {
	free := make(chan string)
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("seat:*", roost.ChannelOf((*Seat).Join,
		roost.Fresh(func() *Seat { return &Seat{free: free} }),
		roost.Terminate((*Seat).Free),
	))

	theatre := open(endpoint)
	defer theatre.close()
	ann, bob := theatre.visit("ann", ""), theatre.visit("bob", "")
	ann.enters("seat:1", `{}`)
	bob.enters("seat:2", `{}`)
	ann.push("seat:1", "phx_leave", `{}`)
	fmt.Println(<-free)
	bob.conn.Drop()
	fmt.Println(<-free)

	// Output:
	// seat:1: the client left
	// seat:2: the connection ended
}
