package roost_test

import (
	"context"

	"github.com/roostgo/roost"
)

// Desk is a channel that receives values of the application's own, and
// broadcasts of a topic that its client knows nothing of.
type Desk struct{}

// greet is a value that a Desk sends to itself.
type greet struct{ name string }

// Join cannot push yet: what it sends to itself is handled after the reply.
func (d *Desk) Join(_ context.Context, s *roost.Socket, c card) (roost.Reply, error) {
	if err := s.Subscribe("headquarters"); err != nil {
		return roost.NoReply(), err
	}
	return roost.NoReply(), s.SendInfo(greet{c.Name})
}

// Greet handles values of type greet.
func (d *Desk) Greet(_ context.Context, s *roost.Socket, g greet) error {
	return s.Push("hello", map[string]string{"body": "good morning, " + g.name})
}

// News handles broadcasts of the topics that the channel subscribed to.
func (d *Desk) News(_ context.Context, s *roost.Socket, b roost.Broadcast) error {
	return s.Push("news", b.Payload)
}

func ExampleInfo() {
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("desk:*", roost.ChannelOf((*Desk).Join, roost.Info((*Desk).Greet), roost.Info((*Desk).News)))

	office := open(endpoint)
	defer office.close()
	ann := office.visit("ann", "")
	ann.push("desk:1", "phx_join", `{"name":"Ann"}`)
	ann.hears()
	ann.hears()
	must(endpoint.Broadcast(context.Background(), "headquarters", "memo", map[string]string{"body": "cake at four"}))
	ann.hears()

	// Output:
	// ann: "desk:1" "phx_reply" {"status":"ok","response":{}}
	// ann: "desk:1" "hello" {"body":"good morning, Ann"}
	// ann: "desk:1" "news" {"body":"cake at four"}
}
