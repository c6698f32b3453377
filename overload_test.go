package roost_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
)

// notice is what a client reads that was turned away.
type notice struct {
	Reason       string `json:"reason"`
	Code         string `json:"code"`
	RetryAfterMS int64  `json:"retry_after_ms"`
}

func (n notice) check(t *testing.T, around time.Duration) {
	t.Helper()
	after := time.Duration(n.RetryAfterMS) * time.Millisecond
	if n.Reason != "overloaded" || n.Code != "overloaded" || after < around/2 || after > 3*around/2 {
		t.Errorf("got %+v, want to come back after about %v", n, around)
	}
}

// busy is a server whose gate is in the hands of the test.
func busy(t *testing.T, o roost.Overload, handlers ...telemetry.Handler) (*roost.Endpoint, string) {
	t.Helper()
	e := roost.NewEndpoint(roost.Config{Overload: o, Telemetry: handlers, Logger: slog.New(slog.DiscardHandler)})
	e.Channel("desk:*", roost.ChannelOf((*desk).join, roost.On("order", (*desk).in)))
	e.Pretend(0)
	return e, start(t, &roost.Server{Endpoint: e}).url("/socket/websocket")
}

func TestAnOverloadedServerTurnsAwayConnectsAndSaysWhenToComeBack(t *testing.T) {
	e, url := busy(t, roost.Overload{RetryAfter: 10 * time.Second})
	e.Pretend(time.Second)
	resp, err := http.Get("http" + strings.TrimPrefix(url, "ws")) //nolint:gosec,noctx // of this test's own server
	must(err)
	defer resp.Body.Close()
	var n notice
	body, err := io.ReadAll(resp.Body)
	must(err)
	must(json.Unmarshal(body, &n))
	n.check(t, 10*time.Second)
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable || int64(seconds) != (n.RetryAfterMS+999)/1000 {
		t.Errorf("got %v with Retry-After %q and %s", resp.Status, resp.Header.Get("Retry-After"), body)
	}
	if s := e.Stats().Overload; !s.Closed || s.Connects != 1 || s.Closes != 1 || !strings.Contains(s.Cause, "work waits for 1s") || s.Delay != time.Second {
		t.Errorf("got %+v", s)
	}
	e.Pretend(0)
	client.Open(t, url, client.Options{})
}

func TestAnOverloadedServerHoldsJoinsAndServesWhoIsThere(t *testing.T) {
	e, url := busy(t, roost.Overload{RetryAfter: 2 * time.Second, Hold: 100 * time.Millisecond})
	old, late := client.Open(t, url, client.Options{}), client.Open(t, url, client.Options{})
	old.Join(t, "desk:1", "1", "")
	e.Pretend(time.Second)
	began := time.Now()
	must(late.Push("1", "1", "desk:1", "phx_join", `{"much":"of it"}`))
	must(late.Push("", "2", "phoenix", "heartbeat", "")) // waits for the answer to the join [O2]
	must(e.Broadcast(t.Context(), "desk:1", "news", nil))
	old.Expect(t, `[null,null,"desk:1","news",{}]`)
	var n notice
	must(json.Unmarshal(late.ExpectReply(t, "1", "1", "desk:1", "error"), &n))
	n.check(t, 2*time.Second)
	if held := time.Since(began); held < 100*time.Millisecond {
		t.Errorf("it was answered after %v", held)
	}
	late.Expect(t, `[null,"2","phoenix","phx_reply",{"status":"ok","response":{}}]`)
	must(late.Push("", "3", "desk:1", "order", ""))
	late.Expect(t, `[null,"3","desk:1","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]`)
	if s := e.Stats(); s.Overload.Joins != 1 || s.Channels != 1 {
		t.Errorf("got %+v", s)
	}
	e.Pretend(0)
	late.Join(t, "desk:1", "4", "")
}

func TestAHeldJoinWhoseClientGoesAwayLeavesNothing(t *testing.T) {
	ends := make(closings, 2)
	e, url := busy(t, roost.Overload{Hold: 50 * time.Millisecond}, ends)
	c := client.Open(t, url, client.Options{})
	e.Pretend(time.Second)
	must(c.Push("1", "1", "desk:1", "phx_join", ""))
	c.Abort()
	receive(t, ends, "end of the connection")
	e.Pretend(0)
	other := client.Open(t, url, client.Options{}) // meanwhile the hold is over
	other.Join(t, "desk:1", "1", "")
	if n := e.Stats(); n.WebSocket.Connections != 1 || n.Channels != 1 {
		t.Errorf("got %+v", n)
	}
}

// closings gets the ends of connections.
type closings chan telemetry.SocketClosed

func (c closings) Handle(_ context.Context, e telemetry.Event) {
	if end, ok := e.(telemetry.SocketClosed); ok {
		c <- end
	}
}

func (c closings) Enabled(slog.Level) bool { return true }

func TestInShadowAnOverloadIsOnlyCounted(t *testing.T) {
	e, url := busy(t, roost.Overload{Shadow: true})
	e.Pretend(time.Second)
	c := client.Open(t, url, client.Options{})
	c.Join(t, "desk:1", "1", "")
	if s := e.Stats().Overload; s.Connects != 1 || s.Joins != 1 || !s.Closed {
		t.Errorf("got %+v", s)
	}
}
