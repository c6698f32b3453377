package roost_test

import (
	"context"
	"fmt"
	"net"

	"github.com/roostgo/roost"
)

// Pool stands for a database pool: a service with a life of its own.
type Pool struct{ ready chan struct{} }

// Run opens the pool, says so, and closes it when nobody needs it any more.
func (p *Pool) Run(ctx context.Context) error {
	fmt.Println("the pool is open")
	close(p.ready)
	<-ctx.Done()
	fmt.Println("the pool is closed")
	return nil
}

// Ready makes clients wait until the pool is open.
func (p *Pool) Ready() <-chan struct{} { return p.ready }

func ExampleServer() {
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("board:*", roost.ChannelOf((*Board).Join))

	ctx, stop := context.WithCancel(context.Background()) // signal.NotifyContext, in a program
	addr := make(chan string, 1)
	server := &roost.Server{
		Endpoint: endpoint,
		Addr:     "127.0.0.1:0",
		Services: []roost.Service{&Pool{ready: make(chan struct{})}},
		OnListen: func(a net.Addr) { addr <- a.String() },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()

	ann := enter("ann", "ws://"+<-addr+"/socket/websocket?vsn=2.0.0")
	ann.push("board:1", "phx_join", `{}`)
	ann.hears()
	stop()
	ann.hears()
	ann.conn.Drop()
	fmt.Println("the server ended with", <-ended)

	// Output:
	// the pool is open
	// ann: "board:1" "phx_reply" {"status":"ok","response":{}}
	// ann: closed with 1012
	// the pool is closed
	// the server ended with <nil>
}
