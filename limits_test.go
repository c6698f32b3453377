package roost_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/telemetry"
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
			MaxConnections: -1, MaxPerID: -2, Joins: ratelimit.Limit{Rate: -1}, Address: ratelimit.PerAddress{IPv6Prefix: 200},
		}})
	})
	for _, want := range []string{"the limit Joins", "Limits.MaxConnections is -1", "Limits.MaxPerID is -2", "200 bits"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}

// hits gets what limits were hit.
type hits chan telemetry.LimitHit

func (h hits) Handle(_ context.Context, e telemetry.Event) {
	if hit, ok := e.(telemetry.LimitHit); ok {
		h <- hit
	}
}

func (hits) Enabled(slog.Level) bool { return true }

// told takes all that came until an endpoint has none waiting.
func (h hits) told(t *testing.T, n int) (all []telemetry.LimitHit) {
	t.Helper()
	for range n {
		all = append(all, receive(t, h, "hit"))
	}
	return all
}

func TestInShadowALimitTellsOnceThatItIsHit(t *testing.T) {
	told := make(hits, 100)
	l := roost.Limits{
		MaxConnections: 1, MaxShadow: true, Connects: rate(t, "1/h shadow"), Messages: rate(t, "1/h burst 2"),
	}
	l.Address.Loopback = true
	e := roost.NewEndpoint(roost.Config{Limits: l, Logger: slog.New(slog.DiscardHandler), Telemetry: []telemetry.Handler{told}})
	url := start(t, &roost.Server{Endpoint: e}).url("/socket/websocket")
	var c *client.Conn
	for range 5 {
		c = client.Open(t, url, client.Options{})
	}
	for i := range 5 { // three are refused, and told of one by one
		must(c.Push("", strconv.Itoa(i), "desk:1", "order", ""))
	}
	count := make(map[telemetry.LimitHit]int)
	for _, hit := range told.told(t, 5) {
		count[hit]++
	}
	want := map[telemetry.LimitHit]int{
		{Limit: "too many connections", Shadow: true}:                1,
		{Limit: "too many connects", Key: "127.0.0.1", Shadow: true}: 1,
		{Limit: "too many messages"}:                                 3,
	}
	if !maps.Equal(count, want) {
		t.Errorf("got %v, want %v", count, want)
	}
	if s := e.Stats().Limits; s.Connections.Shadowed != 4 || s.Connects.Shadowed != 4 {
		t.Errorf("the counters stopped: %+v", s)
	}
}

func TestRefusedConnectsAndJoinsOverTheBoundAreCounted(t *testing.T) {
	e, url := routed(t, roost.RouteLimits{})
	client.Refused(t, strings.Replace(url, "2.0.0", "9.0.0", 1), client.Options{}, http.StatusForbidden)
	c := client.Open(t, url, client.Options{})
	for i := range 4 {
		c.Join(t, "free:"+strconv.Itoa(i), strconv.Itoa(i), "")
	}
	must(c.Push("9", "9", "free:9", "phx_join", ""))
	c.ExpectReply(t, "9", "9", "free:9", "error")
	if s := e.Stats(); s.ConnectsRefused != 1 || s.ChannelRefusals != 1 || s.ChannelsHigh != 4 || s.RouteLimits[0].Pattern != "desk:*" {
		t.Errorf("got %+v", s)
	}
	guarded, url := bounded(t, roost.Limits{})
	client.Refused(t, url+"&refuse=yes", client.Options{}, http.StatusForbidden)
	if n := guarded.Stats().ConnectsRefused; n != 1 {
		t.Errorf("%d refusals of Connect were counted", n)
	}
}

func TestAConnectThatEndsItsGoroutineGivesItsPlaceBack(t *testing.T) {
	l := roost.Limits{MaxPerAddress: 1}
	l.Address.Loopback = true
	e := roost.NewEndpoint(roost.Config{
		Limits: l, Logger: slog.New(slog.DiscardHandler),
		Connect: func(_ context.Context, c *roost.Connect) error {
			if c.Params.String("exit") != "" {
				runtime.Goexit()
			}
			return nil
		},
	})
	url := start(t, &roost.Server{Endpoint: e}).url("/socket/websocket")
	if _, _, err := client.Dial(t.Context(), url+"&exit=yes", client.Options{}); err == nil {
		t.Error("it was let in")
	}
	eventually(t, url)
	if s := e.Stats().Limits.Connections; s.Held != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestNobodyIsToldToComeBackTooEarly(t *testing.T) {
	_, url := bounded(t, roost.Limits{Messages: rate(t, "1/h burst 1")})
	for range 20 {
		c := client.Open(t, url, client.Options{})
		began := time.Now()
		c.Join(t, "desk:1", "1", "")
		must(c.Push("1", "2", "desk:1", "order", ""))
		var n notice
		must(json.Unmarshal(c.ExpectReply(t, "1", "2", "desk:1", "error"), &n))
		if after := time.Duration(n.RetryAfterMS) * time.Millisecond; after < time.Hour-time.Since(began) {
			t.Errorf("told %v", after)
		}
	}
}

func TestLeavesAndHeartbeatsAreNeverRefused(t *testing.T) {
	for _, l := range []roost.Limits{{Messages: rate(t, "1/h burst 1")}, {Bytes: rate(t, "1/h burst 70")}} {
		e, url := bounded(t, l)
		c := client.Open(t, url, client.Options{})
		c.Join(t, "desk:1", "1", "")
		must(c.Push("1", "2", "desk:1", "order", `{"much":"`+strings.Repeat("x", 50)+`"}`))
		c.ExpectReply(t, "1", "2", "desk:1", "error")
		must(c.Push("", "3", "phoenix", "heartbeat", ""))
		c.Expect(t, `[null,"3","phoenix","phx_reply",{"status":"ok","response":{}}]`)
		must(c.Push("1", "4", "desk:1", "phx_leave", ""))
		c.Expect(t, `["1","4","desk:1","phx_reply",{"status":"ok","response":{}}]`)
		c.Expect(t, `["1","1","desk:1","phx_close",{}]`)
		if s := e.Stats(); s.Channels != 0 || s.Limits.Messages.Refused+s.Limits.Bytes.Refused != 1 {
			t.Errorf("%d channels, limits %+v", s.Channels, s.Limits)
		}
	}
}

func TestHeartbeatsCount(t *testing.T) {
	_, url := bounded(t, roost.Limits{Messages: rate(t, "1/h burst 2")})
	c := client.Open(t, url, client.Options{})
	for range 2 {
		alive(t, c)
	}
	must(c.Push("1", "1", "desk:1", "phx_join", ""))
	c.ExpectReply(t, "1", "1", "desk:1", "error")
}

func TestAJoinThatIsAMessageTooManyIsHeld(t *testing.T) {
	l := roost.Limits{Messages: rate(t, "1/h burst 1")}
	l.Address.Loopback = true
	e := roost.NewEndpoint(roost.Config{
		Limits: l, Overload: roost.Overload{Delay: -1, Hold: 100 * time.Millisecond}, Logger: slog.New(slog.DiscardHandler),
	})
	c := client.Open(t, start(t, &roost.Server{Endpoint: e}).url("/socket/websocket"), client.Options{})
	began := time.Now()
	must(c.Push("1", "1", "desk:1", "phx_join", ""))
	must(c.Push("2", "2", "desk:2", "phx_join", ""))
	c.Next(t) // no such topic
	c.ExpectReply(t, "2", "2", "desk:2", "error")
	if d := time.Since(began); d < 100*time.Millisecond {
		t.Errorf("it was answered after %v", d)
	}
}

func TestWhatOneLimitRefusesTakesNothingOfAnother(t *testing.T) {
	e, url := bounded(t, roost.Limits{Messages: rate(t, "1/h burst 2"), Bytes: rate(t, "1/h burst 200")})
	c := client.Open(t, url, client.Options{})
	c.Join(t, "desk:1", "1", "")
	for range 3 { // over its bytes
		must(c.Push("1", "2", "desk:1", "order", `{"much":"`+strings.Repeat("x", 500)+`"}`))
		c.ExpectReply(t, "1", "2", "desk:1", "error")
	}
	if s := e.Stats().Limits.Messages; s.Allowed != 1 || s.UsedHigh != 1 { // the join
		t.Errorf("of what was refused as too many bytes got %+v", s)
	}
	c.Join(t, "desk:2", "3", "")
	e, url = bounded(t, roost.Limits{SocketJoins: rate(t, "1/h burst 2"), Joins: rate(t, "10/s burst 1")})
	c = client.Open(t, url, client.Options{})
	c.Join(t, "desk:1", "1", "")
	for began, joined := time.Now(), false; !joined; { // after a tenth of a second the address may
		if time.Since(began) > patience {
			t.Fatal("the connection may not join any more")
		}
		must(c.Push("2", "2", "desk:2", "phx_join", ""))
		joined = !strings.Contains(string(c.Next(t).Payload), "too many joins")
	}
	if s := e.Stats(); s.Channels != 2 || s.Limits.SocketJoins.Allowed != 2 {
		t.Errorf("%d channels, %+v", s.Channels, s.Limits.SocketJoins)
	}
}
