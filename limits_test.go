package roost_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// bounded is a server with limits that hold for this machine, too. Connect takes
// the id from the parameters.
func bounded(t *testing.T, l roost.Limits) (*roost.Endpoint, string) {
	t.Helper()
	l.Address.Loopback = true
	e := roost.NewEndpoint(roost.Config{
		Limits: l, Overload: roost.Overload{Delay: -1, Hold: time.Millisecond}, Logger: slog.New(slog.DiscardHandler),
		Connect: func(_ context.Context, c *roost.Connect) error {
			if c.Params.String("refuse") != "" {
				return roost.ErrRefused
			}
			c.ID = c.Params.String("id")
			return nil
		},
	})
	e.Channel("desk:*", roost.ChannelOf((*desk).join, roost.On("order", (*desk).silent)))
	return e, start(t, &roost.Server{Endpoint: e}).url("/socket/websocket")
}

func (*desk) silent(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), nil
}

func rate(t *testing.T, text string) ratelimit.Limit {
	t.Helper()
	l, err := ratelimit.ParseLimit(text)
	must(err)
	return l
}

// refusedWith is a connect that is answered with a status and a reason.
func refusedWith(t *testing.T, url string, status int, reason string) {
	t.Helper()
	var n notice
	must(json.Unmarshal([]byte(client.Refused(t, url, client.Options{}, status)), &n))
	if n.Reason != reason || n.Code != reason || n.RetryAfterMS <= 0 {
		t.Errorf("got %+v, want %q and when to come back", n, reason)
	}
}

// eventually tries to connect until there is room again.
func eventually(t *testing.T, url string) *client.Conn {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		c, _, err := client.Dial(t.Context(), url, client.Options{})
		if err == nil {
			t.Cleanup(c.Drop)
			return c
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestConnectionsAreLimitedInAllPerAddressAndPerID(t *testing.T) {
	for _, c := range []struct {
		limits roost.Limits
		query  string
		status int
		reason string
	}{
		{roost.Limits{MaxConnections: 2}, "", http.StatusServiceUnavailable, "too many connections"},
		{roost.Limits{MaxPerAddress: 2}, "", http.StatusTooManyRequests, "too many connections from this address"},
		{roost.Limits{MaxPerID: 2}, "&id=ann", http.StatusTooManyRequests, "too many connections with this id"},
	} {
		e, url := bounded(t, c.limits)
		url += c.query
		for range 5 { // those that are refused take no place
			client.Refused(t, url+"&refuse=yes", client.Options{}, http.StatusForbidden)
		}
		first := client.Open(t, url, client.Options{})
		client.Open(t, url, client.Options{})
		refusedWith(t, url, c.status, c.reason)
		if c.query != "" {
			client.Open(t, strings.Replace(url, "ann", "bob", 1), client.Options{})
		}
		first.Drop()
		eventually(t, url) // its place is free
		s := e.Stats().Limits
		if n := s.Connections.Full + s.Connections.KeyFull + s.IDs.KeyFull; n == 0 {
			t.Errorf("%s: nothing was counted: %+v", c.reason, s)
		}
	}
}

// The close that a client ignores leaves it a descriptor for CloseTimeout.
func TestAPlaceIsFreeWhenTheConnectionIsGoneNotWhenItIsTold(t *testing.T) {
	for _, engine := range []websocket.Engine{websocket.Auto, websocket.Goroutines} {
		l := roost.Limits{MaxPerAddress: 1, Address: ratelimit.PerAddress{Loopback: true}}
		e := roost.NewEndpoint(roost.Config{
			Limits: l, Overload: roost.Overload{Delay: -1}, WebSocket: websocket.Config{Engine: engine, CloseTimeout: time.Minute},
		})
		server := open(e)
		url := "ws" + strings.TrimPrefix(server.server.URL, "http") + "/socket/websocket?vsn=2.0.0"
		c := client.Open(t, url, client.Options{})
		must(c.SendText("this is no message"))
		if m := c.Next(t); m.CloseCode != 1011 {
			t.Fatalf("got %v", m)
		}
		refusedWith(t, url, http.StatusTooManyRequests, "too many connections from this address")
		c.Drop()
		eventually(t, url).Drop()
		server.close()
	}
}

func TestConnectsOfAnAddressAreLimited(t *testing.T) {
	e, url := bounded(t, roost.Limits{Connects: rate(t, "1/h burst 2")})
	client.Open(t, url, client.Options{})
	client.Refused(t, url+"&refuse=yes", client.Options{}, http.StatusForbidden) // counts all the same
	refusedWith(t, url, http.StatusTooManyRequests, "too many connects")
	if n := e.Stats().Limits.Connects.Refused; n != 1 {
		t.Errorf("%d were counted", n)
	}
}

func TestJoinsAreLimitedPerConnectionAndPerAddress(t *testing.T) {
	for _, l := range []roost.Limits{{SocketJoins: rate(t, "1/h burst 2")}, {Joins: rate(t, "1/h burst 2")}} {
		e, url := bounded(t, l)
		c := client.Open(t, url, client.Options{})
		c.Join(t, "desk:1", "1", "")
		c.Join(t, "desk:2", "2", "")
		must(c.Push("3", "3", "desk:3", "phx_join", ""))
		var n notice
		must(json.Unmarshal(c.ExpectReply(t, "3", "3", "desk:3", "error"), &n))
		if n.Reason != "too many joins" || n.RetryAfterMS <= 0 {
			t.Errorf("got %+v", n)
		}
		alive(t, c)
		other := client.Open(t, url, client.Options{})
		if l.Joins.Limited() {
			must(other.Push("1", "1", "desk:1", "phx_join", ""))
			other.ExpectReply(t, "1", "1", "desk:1", "error")
		} else {
			other.Join(t, "desk:1", "1", "")
		}
		if s := e.Stats().Limits; s.Joins.Refused+s.SocketJoins.Refused == 0 {
			t.Errorf("got %+v", s)
		}
	}
}

func TestMessagesAndBytesOfAConnectionAreLimited(t *testing.T) {
	for reason, l := range map[string]roost.Limits{
		"too many messages": {Messages: rate(t, "1/h burst 3")}, "too many bytes": {Bytes: rate(t, "1/h burst 250")},
	} {
		e, url := bounded(t, l)
		c := client.Open(t, url, client.Options{})
		c.Join(t, "desk:1", "1", "")
		long := `{"much":"` + strings.Repeat("x", 50) + `"}`
		must(c.Push("1", "2", "desk:1", "order", long))
		must(c.Push("1", "3", "desk:1", "order", long))
		must(c.Push("1", "4", "desk:1", "order", long))
		var n notice
		must(json.Unmarshal(c.ExpectReply(t, "1", "4", "desk:1", "error"), &n))
		if n.Reason != reason || n.RetryAfterMS <= 0 {
			t.Errorf("got %+v, want %s", n, reason)
		}
		if s := e.Stats().Limits; s.Messages.Refused+s.Bytes.Refused == 0 {
			t.Errorf("got %+v", s)
		}
		client.Open(t, url, client.Options{}).Join(t, "desk:1", "1", "") // others are not concerned
	}
}

func TestLimitsInShadowLetPassAndCount(t *testing.T) {
	e, url := bounded(t, roost.Limits{
		MaxConnections: 1, MaxPerAddress: 1, MaxShadow: true, Connects: rate(t, "1/h shadow"), Joins: rate(t, "1/h shadow"),
		SocketJoins: rate(t, "1/h shadow"), Messages: rate(t, "1/h shadow"), Bytes: rate(t, "1/h shadow"),
	})
	for range 3 {
		c := client.Open(t, url, client.Options{})
		c.Join(t, "desk:1", "1", "")
		c.Join(t, "desk:2", "2", "")
	}
	s := e.Stats().Limits
	for i, n := range []uint64{s.Connections.Shadowed, s.Connects.Shadowed, s.Joins.Shadowed, s.SocketJoins.Shadowed, s.Messages.Shadowed, s.Bytes.Shadowed} {
		if n == 0 {
			t.Errorf("limit %d counted nothing: %+v", i, s)
		}
	}
}

func TestThisMachineIsNotLimitedUnlessTold(t *testing.T) {
	e := roost.NewEndpoint(roost.Config{Limits: roost.Limits{MaxPerAddress: 1, Connects: rate(t, "1/h")}})
	url := start(t, &roost.Server{Endpoint: e}).url("/socket/websocket")
	for range 3 {
		client.Open(t, url, client.Options{})
	}
}

func TestImpossibleLimitsAreExplainedTogether(t *testing.T) {
	got := panicked(func() {
		roost.NewEndpoint(roost.Config{Limits: roost.Limits{
			MaxConnections: -1, Joins: ratelimit.Limit{Rate: -1}, Address: ratelimit.PerAddress{IPv6Prefix: 200},
		}})
	})
	for _, want := range []string{"the limit Joins", "Max is -1", "200 bits"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}
