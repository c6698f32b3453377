// Command chat is a chat room in forty lines.
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/roostgo/roost"
)

type (
	hello struct{ Name string }
	shout struct {
		From string `json:"from"`
		Body string `json:"body"`
	}
)

// Room is one client's seat in a room. Its methods run one at a time.
type Room struct{ name string }

func (r *Room) Join(ctx context.Context, s *roost.Socket, h hello) (roost.Reply, error) {
	if h.Name == "" {
		return roost.Refuse("a name is required"), nil
	}
	r.name = h.Name
	return roost.ReplyOK("welcome to " + s.Topic()), nil
}

func (r *Room) Shout(ctx context.Context, s *roost.Socket, m shout) (roost.Reply, error) {
	m.From = r.name
	return roost.NoReply(), s.Broadcast(ctx, "shout", m)
}

func main() {
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("room:*", roost.ChannelOf((*Room).Join, roost.On("shout", (*Room).Shout)))
	http.Handle("/socket/", endpoint)
	log.Fatal(http.ListenAndServe("localhost:4000", nil))
}
