package roost_test

import (
	"context"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/pubsub"
)

// stranger is a subscriber whose label says nothing to an endpoint.
type stranger struct{ got chan string }

func (s stranger) Label() any                { return "strange" }
func (s stranger) Deliver(m *pubsub.Message) { s.got <- m.Event }

func TestABroadcastReachesSubscribersWithLabelsOfTheirOwn(t *testing.T) {
	e := roost.NewEndpoint(roost.Config{})
	s := stranger{make(chan string, 1)}
	if _, err := e.PubSub().Subscribe(t.Context(), "t", s); err != nil {
		t.Fatal(err)
	}
	if err := e.Broadcast(context.Background(), "t", "hello", nil); err != nil {
		t.Fatal(err)
	}
	if got := <-s.got; got != "hello" {
		t.Errorf("got %q", got)
	}
}
