package roost_test

import (
	"context"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

// censor lets nothing pass until it is released.
type censor struct {
	actor
	entered chan string
	release chan bool
}

func (censor) Intercepts() []string { return []string{"news"} }

func (c censor) HandleOut(_ context.Context, s *roost.Socket, event string, p roost.Payload) error {
	c.entered <- event
	<-c.release
	return s.Push(event, p)
}

func TestBroadcastsThatWaitForHandleOutAreBoundedInBytes(t *testing.T) {
	c := censor{entered: make(chan string, 100), release: make(chan bool)}
	e := roost.NewEndpoint(roost.Config{MailboxBytes: 2000})
	e.Channel("room:*", func() roost.Channel { return c })
	news := client.Open(t, start(t, &roost.Server{Endpoint: e}).url("/socket/websocket"), client.Options{})
	news.Join(t, "room:1", "1", "")
	tell := func(size int) {
		must(e.Broadcast(t.Context(), "room:1", "news", map[string]string{"a": string(make([]byte, size))}))
	}
	tell(1)
	receive(t, c.entered, "call")
	for range 5 {
		tell(100) // as JSON six bytes for each: two have room beside the first
	}
	alive(t, news) // its lane has had them all
	if n := e.Stats(); n.MailboxBytesRefusals != 3 || n.MailboxBytesHigh > 2000 {
		t.Errorf("%d were dropped, %d bytes waited at most", n.MailboxBytesRefusals, n.MailboxBytesHigh)
	}
	for range 3 {
		c.release <- true
		if m := news.Next(t); !strings.Contains(string(m.Payload), `"news"`) {
			t.Errorf("got %.100s", m.Payload)
		}
	}
	tell(100) // there is room again
	receive(t, c.entered, "call")
	c.release <- true
	if m := news.Next(t); !strings.Contains(string(m.Payload), `"news"`) {
		t.Errorf("got %.100s", m.Payload)
	}
}
