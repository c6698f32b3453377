package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/roostgo/roost/test/client"
)

// run starts the tutorial's server on a port of its own, until the test ends.
func run(t *testing.T) (addr string) {
	t.Helper()
	s := newServer()
	listening := make(chan string, 1)
	s.Addr = "127.0.0.1:0"
	s.OnListen = func(a net.Addr) { listening <- a.String() }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }() // ends with ctx; the cleanup waits
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return <-listening
}

func visit(t *testing.T, addr, user string) *client.Conn {
	t.Helper()
	return client.Open(t, "ws://"+addr+"/socket/websocket?vsn=2.0.0&user="+user, client.Options{})
}

func TestTheChatOfTheTutorialDoesWhatItSays(t *testing.T) {
	addr := run(t)
	client.Refused(t, "ws://"+addr+"/socket/websocket?vsn=2.0.0", client.Options{}, http.StatusForbidden)

	ann, bob := visit(t, addr, "ann"), visit(t, addr, "bob")
	ann.Join(t, "room:lobby", "1", `{"name":"Ann"}`)
	push(t, ann, "2", "shout", `{"body":""}`)
	ann.ExpectReply(t, "1", "2", "room:lobby", "error") // by now her entrance is announced
	bob.Join(t, "room:lobby", "1", `{"name":"Bob"}`)
	ann.Expect(t, `[null,null,"room:lobby","entered",{"name":"Bob"}]`)

	push(t, bob, "2", "typing", `{}`)
	ann.Expect(t, `[null,null,"room:lobby","typing",{"name":"Bob"}]`)
	push(t, bob, "3", "shout", `{"body":"hello"}`)
	ann.Expect(t, `[null,null,"room:lobby","shout",{"from":"Bob","body":"hello"}]`)
	bob.Expect(t, `[null,null,"room:lobby","shout",{"from":"Bob","body":"hello"}]`)
	bob.ExpectReply(t, "1", "3", "room:lobby", "ok")
	push(t, bob, "4", "shout", `{"body":""}`)
	bob.ExpectReply(t, "1", "4", "room:lobby", "error")

	resp, err := http.PostForm("http://"+addr+"/kick", url.Values{"user": {"bob"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	bob.ExpectClose(t, 1001)
	ann.Expect(t, `[null,null,"room:lobby","left",{"name":"Bob"}]`)
	ann.Drop()
}

func push(t *testing.T, c *client.Conn, ref, event, payload string) {
	t.Helper()
	if err := c.Push("1", ref, "room:lobby", event, payload); err != nil {
		t.Fatal(err)
	}
}

func TestThePageIsServed(t *testing.T) {
	resp, err := http.Get("http://" + run(t) + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != page {
		t.Errorf("got %q, %v", body, err)
	}
	http.DefaultClient.CloseIdleConnections()
}
