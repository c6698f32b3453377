// Command tutorial is the chat of docs/tutorial/chat-in-ten-minutes.md.
package main

import (
	"context"
	_ "embed"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"

	"github.com/roostgo/roost"
)

type (
	person struct {
		Name string `json:"name"`
	}
	message struct {
		From string `json:"from"`
		Body string `json:"body"`
	}
	entered struct{}
)

// Room is one client's seat in a room. Its methods run one at a time.
type Room struct{ me person }

// Join decides who comes in.
func (r *Room) Join(_ context.Context, s *roost.Socket, p person) (roost.Reply, error) {
	if p.Name == "" {
		return roost.Refuse("a name is required"), nil
	}
	r.me = p
	return roost.NoReply(), s.SendInfo(entered{})
}

// Entered runs when the client has been told that it is in.
func (r *Room) Entered(ctx context.Context, s *roost.Socket, _ entered) error {
	return s.BroadcastFrom(ctx, "entered", r.me)
}

// Shout tells everybody in the room.
func (r *Room) Shout(ctx context.Context, s *roost.Socket, m message) (roost.Reply, error) {
	if m.Body == "" {
		return roost.Refuse("say something"), nil
	}
	m.From = r.me.Name
	return roost.ReplyOK(nil), s.Broadcast(ctx, "shout", m)
}

// Typing tells the others.
func (r *Room) Typing(ctx context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), s.BroadcastFrom(ctx, "typing", r.me)
}

// Left runs last, whatever ended the channel.
func (r *Room) Left(ctx context.Context, s *roost.Socket, reason error) {
	if err := s.BroadcastFrom(ctx, "left", r.me); err != nil {
		log.Printf("%s left (%v) and nobody knows: %v", r.me.Name, reason, err)
	}
}

var room = roost.ChannelOf((*Room).Join,
	roost.On("shout", (*Room).Shout),
	roost.On("typing", (*Room).Typing),
	roost.Info((*Room).Entered),
	roost.Terminate((*Room).Left),
)

// connect decides who may connect at all.
func connect(_ context.Context, c *roost.Connect) error {
	user, _ := c.Params["user"].(string)
	if user == "" {
		return roost.ErrRefused
	}
	c.ID = "user:" + user
	return nil
}

//go:embed index.html
var page string

func newServer() *roost.Server {
	endpoint := roost.NewEndpoint(roost.Config{Connect: connect})
	endpoint.Channel("room:*", room)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, page)
	})
	mux.Handle("GET /phoenix.mjs", http.FileServer(http.Dir("node_modules/phoenix/priv/static")))
	mux.HandleFunc("POST /kick", func(_ http.ResponseWriter, r *http.Request) {
		if err := endpoint.Disconnect(r.Context(), "user:"+r.FormValue("user")); err != nil {
			log.Print(err)
		}
	})
	return &roost.Server{Endpoint: endpoint, Handler: mux}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := newServer().Run(ctx); err != nil {
		log.Fatal(err)
	}
}
