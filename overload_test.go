package roost_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math"
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

func TestALackOfDescriptorsTurnsAwayConnectsAndNoJoins(t *testing.T) {
	e, url := busy(t, roost.Overload{})
	c := client.Open(t, url, client.Options{})
	e.PretendReading(0, 0, .96)
	client.Refused(t, url, client.Options{}, http.StatusServiceUnavailable)
	c.Join(t, "desk:1", "1", "")
	if s := e.Stats().Overload; !s.Closed || s.Connects != 1 || s.Joins != 0 || !strings.Contains(s.Cause, "96 % of the open-files limit") {
		t.Errorf("got %+v", s)
	}
}

// TestWhatDoesNotFlowNeedNotLeaveToOpenTheGate: sockets that stay would otherwise
// keep it closed for ever after a short peak.
func TestWhatDoesNotFlowNeedNotLeaveToOpenTheGate(t *testing.T) {
	e, url := busy(t, roost.Overload{})
	e.PretendReading(0, .91, .96)
	if !e.Stats().Overload.Closed {
		t.Error("it is open")
	}
	e.PretendReading(0, .86, .91)
	if s := e.Stats().Overload; s.Closed || s.Closes != 2 || s.Memory != .91 || s.Descriptors != .96 {
		t.Errorf("got %+v", s)
	}
	client.Open(t, url, client.Options{})
}

func TestTheCauseIsWhatThereIsTooMuchOfNow(t *testing.T) {
	e, _ := busy(t, roost.Overload{})
	for _, step := range []struct {
		delay     time.Duration
		memory    float64
		want, not string
	}{
		{300 * time.Millisecond, .5, "work waits for 300ms", "memory"},
		{time.Second, .95, "work waits for 1s; the gate closes above 250ms; 95 % of the memory limit", "300ms"},
		{0, .93, "93 % of the memory limit", "work waits"},
	} {
		e.PretendReading(step.delay, step.memory, 0)
		if got := e.Stats().Overload.Cause; !strings.Contains(got, step.want) || strings.Contains(got, step.not) {
			t.Errorf("got %q, want %q and not %q", got, step.want, step.not)
		}
	}
}

func TestCallbacksThatWaitForAWorkerAreWorkThatWaits(t *testing.T) {
	entered, release := make(chan struct{}, 2), make(chan struct{})
	e := roost.NewEndpoint(roost.Config{Workers: 1, Overload: roost.Overload{Delay: time.Second}, Logger: slog.New(slog.DiscardHandler)})
	e.Channel("desk:*", roost.ChannelOf((*desk).join, roost.On("order", func(*desk, context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
		entered <- struct{}{}
		<-release
		return roost.NoReply(), nil
	})))
	url := start(t, &roost.Server{Endpoint: e}).url("/socket/websocket")
	c := client.Open(t, url, client.Options{})
	c.Join(t, "desk:1", "1", "")
	c.Join(t, "desk:2", "2", "")
	must(c.Push("1", "3", "desk:1", "order", ""))
	receive(t, entered, "callback")
	must(c.Push("2", "4", "desk:2", "order", ""))
	untilDial(t, url, false)
	if got := e.Stats().Overload.Cause; !strings.Contains(got, "work waits") {
		t.Errorf("got %q", got)
	}
	close(release)
	untilDial(t, url, true)
}

// untilDial tries to connect until that works, or does not.
func untilDial(t *testing.T, url string, want bool) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); ; {
		c, _, err := client.Dial(t.Context(), url, client.Options{})
		if err == nil {
			c.Abort()
		}
		switch {
		case (err == nil) == want:
			return
		case time.Now().After(late):
			t.Fatalf("after 20 s: %v", err)
		}
	}
}

func TestImpossibleMarksOfOverloadAreExplainedTogether(t *testing.T) {
	got := panicked(func() {
		roost.NewEndpoint(roost.Config{Overload: roost.Overload{Memory: 90, Descriptors: math.NaN(), RetryAfter: -time.Second}})
	})
	for _, want := range []string{"Overload.Memory is 90", "Overload.Descriptors is NaN", "Overload.RetryAfter is -1s"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
	roost.NewEndpoint(roost.Config{Overload: roost.Overload{Delay: -1, Memory: 1, Descriptors: -1, Hold: -1}})
}
