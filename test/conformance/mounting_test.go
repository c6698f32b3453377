package conformance

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// at makes configurations that mount the socket elsewhere.
func at(path, webSocketPath string) func(*roost.Config) {
	return func(c *roost.Config) { c.Path, c.WebSocketPath = path, webSocketPath }
}

// expectAt fails the test unless the socket is served on these paths, and the others are not found.
func (s *server) expectAt(t *testing.T, served, missing []string) {
	t.Helper()
	for _, path := range served {
		client.Open(t, s.ws(path), client.Options{}).Drop()
	}
	for _, path := range missing {
		client.Refused(t, s.ws(path), client.Options{}, http.StatusNotFound)
	}
}

func TestMountPaths(t *testing.T) {
	clause(t, 1, "the socket is below its path", func(t *testing.T, s *server) {
		s.expectAt(t, []string{"/socket/websocket"}, []string{"/socket", "/socket/", "/", "/websocket", "/socket/websocket/more", "/socket/websocketx"})
	})
	clause(t, 3, "empty segments do not count", func(t *testing.T, s *server) {
		s.expectAt(t, []string{"//socket//websocket", "/socket/websocket/", "/socket///websocket//"}, []string{"//socket//"})
	})
	clauseWith(t, 4, "the transport path can be chosen", at("", "live"), func(t *testing.T, s *server) {
		s.expectAt(t, []string{"/socket/live"}, []string{"/socket/websocket", "/socket"})
	})
	clauseWith(t, 4, "an empty transport path is the base path", at("/socket", "/"), func(t *testing.T, s *server) {
		s.expectAt(t, []string{"/socket", "/socket/"}, []string{"/socket/websocket"})
	})
}

func TestPathVariables(t *testing.T) {
	variables := at("/ws/:user_id", "project/:project_id")
	clauseWith(t, 5, "path variables are parameters", variables, func(t *testing.T, s *server) {
		client.Open(t, s.ws("/ws/7/project/a%20b?vsn=2.0.0&x=1"), client.Options{})
		expectParams(t, s, roost.Params{"user_id": "7", "project_id": "a b", "vsn": "2.0.0", "x": "1"})
		s.expectAt(t, nil, []string{"/ws/7/project", "/ws/project/1", "/ws/7/project/1/2"})
	})
	clauseWith(t, 6, "a path variable wins over the query", variables, func(t *testing.T, s *server) {
		client.Open(t, s.ws("/ws/7/project/1?user_id=8&user_id[]=9"), client.Options{})
		expectParams(t, s, roost.Params{"user_id": "7", "project_id": "1"})
	})
	clauseWith(t, 7, "a variable with an underscore is hidden", at("/ws/:_tenant", "websocket"), func(t *testing.T, s *server) {
		client.Open(t, s.ws("/ws/7/websocket?a=1"), client.Options{})
		expectParams(t, s, roost.Params{"a": "1"})
	})
}

func TestTwoMounts(t *testing.T) {
	clauseWith(t, 8, "two mounts have their own origins", func(c *roost.Config) {
		c.Path, c.Host = "/a", "a.com"
	}, func(t *testing.T, a *server) {
		b := newServer(a.engine, func(c *roost.Config) { c.Path, c.CheckOrigin = "/b", transport.SameHost("b.com") })
		mux := http.NewServeMux()
		mux.Handle("/a/", a.Endpoint)
		mux.Handle("/b/", b.Endpoint)
		b.listen(t, mux)
		for range 2 { // whichever was asked first must not decide for the other
			for _, path := range []string{"a", "b"} {
				url, other := b.ws("/"+path+"/websocket"), map[string]string{"a": "b", "b": "a"}[path]
				client.Open(t, url, from("http://"+path+".com")).Drop()
				client.Refused(t, url, from("http://"+other+".com"), http.StatusForbidden)
			}
		}
	})
}

func TestConfigurationThatCannotWork(t *testing.T) {
	clauseOnly(t, 9, "an option that cannot work is refused at once", func(t *testing.T) {
		expectPanic(t, func() {
			roost.NewEndpoint(roost.Config{WebSocket: websocket.Config{Engine: "steam", MaxFrame: -1, Outbox: -1}})
		}, `"steam"`, "MaxFrame is -1", "Outbox is -1")
		expectPanic(t, func() { roost.NewEndpoint(roost.Config{MaxChannels: -1, Mailbox: -2}) }, "MaxChannels is -1", "Mailbox is -2")
		expectPanic(t, func() { roost.NewEndpoint(roost.Config{Path: "/a/:b/:b"}) }, `":b"`)
	})
}

func TestTopicPatterns(t *testing.T) {
	clause(t, 13, "routes are tried in order", func(t *testing.T, s *server) {
		s.route("food*", "foo*", "foo:exact")
		c := s.open(t)
		expectRoute(t, c, "foo:1", "foo*")
		expectRoute(t, c, "food:1", "food*")
		expectRoute(t, c, "foo:exact", "foo*")
		expectRoute(t, c, "food", "food*")
	})
	clause(t, 14, "a star takes any rest", func(t *testing.T, s *server) {
		s.route("hall:*")
		c := s.open(t)
		expectRoute(t, c, "hall:", "hall:*")
		expectRoute(t, c, "hall:a:b", "hall:*")
		expectRoute(t, c, "hall:*", "hall:*")
		expectRoute(t, c, "hall", "")
		expectRoute(t, c, "Hall:a", "")
		expectRoute(t, c, "my hall:a", "")
		s.route("*")
		expectRoute(t, c, "hall", "*")
	})
	clauseOnly(t, 15, "a star before the end is refused", func(t *testing.T) {
		e := roost.NewEndpoint(roost.Config{})
		for _, pattern := range []string{"room:*:a", "*a", "**", "a*b*"} {
			expectPanic(t, func() { e.Channel(pattern, new(rooms).factory) }, fmt.Sprintf("%q", pattern))
		}
	})
	clause(t, 16, "a pattern without a star is one topic", func(t *testing.T, s *server) {
		s.route("whole")
		c := s.open(t)
		expectRoute(t, c, "whole", "whole")
		for _, topic := range []string{"whole2", "whol", "whole:", "Whole", " whole", ""} {
			expectRoute(t, c, topic, "")
		}
	})
}

func TestRouteAssigns(t *testing.T) {
	clauseWith(t, 12, "a route's assigns are merged at the join", func(c *roost.Config) {
		c.Connect = func(_ context.Context, c *roost.Connect) error {
			c.Assign("user", "ada")
			c.Assign("kind", "from Connect")
			return nil
		}
	}, func(t *testing.T, s *server) {
		s.Endpoint.Channel("lobby", roost.ChannelOf((*assigned).Join), roost.WithAssigns(roost.Assigns{"kind": "lobby", "size": 3}))
		s.Endpoint.Channel("plain", roost.ChannelOf((*assigned).Join))
		c := s.open(t)
		for range 2 { // what the first channel assigned is its own
			expectJSON(t, c.Join(t, "lobby", "1", ""), `{"user":"ada","kind":"lobby","size":3,"own":null}`)
			expectJSON(t, c.Join(t, "plain", "2", ""), `{"user":"ada","kind":"from Connect","size":null,"own":null}`)
			c = s.open(t)
		}
	})
}

// assigned is a channel that tells its assigns, and then adds one.
type assigned struct{}

func (*assigned) Join(_ context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	reply := map[string]any{}
	for _, key := range []string{"user", "kind", "size", "own"} {
		reply[key] = s.Value(key)
	}
	s.Assign("own", s.Topic())
	return roost.ReplyOK(reply), nil
}

// routed is a channel that tells which route led to it.
type routed struct{}

func (*routed) Join(_ context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(s.Value("route")), nil
}

// route adds routes that say their own pattern.
func (s *server) route(patterns ...string) {
	for _, p := range patterns {
		s.Endpoint.Channel(p, roost.ChannelOf((*routed).Join), roost.WithAssigns(roost.Assigns{"route": p}))
	}
}

// expectRoute joins a topic and fails the test unless this pattern leads there; "" is none.
func expectRoute(t *testing.T, c *client.Conn, topic, pattern string) {
	t.Helper()
	must(t, c.Push("1", "1", topic, "phx_join", ""))
	if pattern == "" {
		expectJSON(t, c.ExpectReply(t, "", "1", topic, "error"), `{"reason":"unmatched topic"}`)
		return
	}
	expectJSON(t, c.ExpectReply(t, "1", "1", topic, "ok"), fmt.Sprintf("%q", pattern))
}

func expectJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	if !client.SameJSON(t, string(got), want) {
		t.Fatalf("got %s, want %s", got, want)
	}
}

// expectPanic fails the test unless f panics with a text that has all of these words in it.
func expectPanic(t *testing.T, f func(), words ...string) {
	t.Helper()
	text := func() (text string) {
		defer func() { text = fmt.Sprint(recover()) }()
		f()
		return ""
	}()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("got the panic %q, want one that names %s", text, w)
		}
	}
}
