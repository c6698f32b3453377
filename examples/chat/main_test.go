package main

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

func TestTwoPeopleChat(t *testing.T) {
	endpoint := roost.NewEndpoint(roost.Config{})
	endpoint.Channel("room:*", roost.ChannelOf((*Room).Join, roost.On("shout", (*Room).Shout)))
	server := httptest.NewServer(endpoint)
	t.Cleanup(func() {
		_ = endpoint.Shutdown(context.Background())
		server.Close()
	})
	open := func() *client.Conn {
		return client.Open(t, "ws"+server.URL[len("http"):]+"/socket/websocket?vsn=2.0.0", client.Options{})
	}

	ann, bob := open(), open()
	if welcome := ann.Join(t, "room:1", "1", `{"Name":"Ann"}`); string(welcome) != `"welcome to room:1"` {
		t.Errorf("got %s", welcome)
	}
	if err := bob.Push("1", "1", "room:1", "phx_join", "{}"); err != nil {
		t.Fatal(err)
	}
	if refusal := bob.ExpectReply(t, "1", "1", "room:1", "error"); string(refusal) != `{"reason":"a name is required"}` {
		t.Errorf("got %s", refusal)
	}
	bob.Join(t, "room:1", "2", `{"Name":"Bob"}`)
	if err := ann.Push("1", "2", "room:1", "shout", `{"from":"somebody else","body":"hello"}`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client.Conn{ann, bob} {
		c.Expect(t, `[null,null,"room:1","shout",{"from":"Ann","body":"hello"}]`)
	}
	for _, c := range []*client.Conn{ann, bob} {
		c.Drop()
	}
}
