package roost_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
)

// routed is a server whose topics desk:* have limits, beside free:* without.
func routed(t *testing.T, l roost.RouteLimits, told ...telemetry.Handler) (*roost.Endpoint, string) {
	t.Helper()
	e := roost.NewEndpoint(roost.Config{
		Overload: roost.Overload{Delay: -1, Hold: time.Millisecond}, Logger: slog.New(slog.DiscardHandler), Telemetry: told, MaxChannels: 4,
	})
	channel := roost.ChannelOf((*desk).join, roost.On("order", (*desk).fine), roost.On("typing_start", (*desk).fine), roost.On("typing_stop", (*desk).fine))
	e.Channel("free:*", channel)
	e.Channel("desk:*", channel, roost.WithLimits(l))
	return e, start(t, &roost.Server{Endpoint: e}).url("/socket/websocket")
}

func (*desk) fine(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(nil), nil
}

// asks pushes an event and expects to be answered.
func asks(t *testing.T, c *client.Conn, topic, ref, event string) {
	t.Helper()
	must(c.Push("1", ref, topic, event, `{"n":1}`))
	c.ExpectReply(t, "1", ref, topic, "ok")
}

// isRefused pushes an event and expects to be told no, and when to come back.
func isRefused(t *testing.T, c *client.Conn, topic, ref, event, reason string) {
	t.Helper()
	joinRef := "1"
	if event == "phx_join" {
		joinRef = ref
	}
	must(c.Push(joinRef, ref, topic, event, `{"n":1}`))
	var n notice
	must(json.Unmarshal(c.ExpectReply(t, joinRef, ref, topic, "error"), &n))
	if n.Reason != reason || n.Code != reason || n.RetryAfterMS <= 0 {
		t.Errorf("%s: got %+v, want %q and when to come back", event, n, reason)
	}
}

func TestARoutesJoinsAreLimitedForAllTogether(t *testing.T) {
	told := make(hits, 10)
	e, url := routed(t, roost.RouteLimits{Joins: rate(t, "1/h burst 2")}, told)
	first, second := client.Open(t, url, client.Options{}), client.Open(t, url, client.Options{})
	first.Join(t, "desk:1", "1", "")
	second.Join(t, "desk:2", "1", "")
	isRefused(t, first, "desk:3", "2", "phx_join", "too many joins of such topics")
	isRefused(t, second, "desk:2", "3", "phx_join", "too many joins of such topics")
	asks(t, second, "desk:2", "4", "order") // the channel that it wanted to replace is still there
	first.Join(t, "free:1", "5", "")        // other routes are not concerned
	if s := e.Stats().RouteLimits; len(s) != 1 || s[0].Pattern != "desk:*" || s[0].Joins.Refused != 2 || s[0].Joins.Allowed != 2 {
		t.Errorf("got %+v", s)
	}
	for _, hit := range told.told(t, 2) {
		if want := (telemetry.LimitHit{Limit: "too many joins of such topics", Pattern: "desk:*"}); hit != want {
			t.Errorf("told %+v, want %+v", hit, want)
		}
	}
}

func TestWhoCannotJoinUsesUpNothingOfWhatAllShare(t *testing.T) {
	e, url := routed(t, roost.RouteLimits{Joins: rate(t, "1/h burst 2")})
	full := client.Open(t, url, client.Options{})
	for i := range 4 {
		full.Join(t, "free:"+strconv.Itoa(i), strconv.Itoa(i), "")
	}
	for range 5 {
		must(full.Push("9", "9", "desk:1", "phx_join", ""))
		full.ExpectReply(t, "9", "9", "desk:1", "error")
	}
	other := client.Open(t, url, client.Options{})
	other.Join(t, "desk:1", "1", "")
	other.Join(t, "desk:2", "2", "")
	if s := e.Stats().RouteLimits[0].Joins; s.Allowed != 2 || s.Refused != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestARoutesMessagesAreLimitedPerConnectionHoweverManyTopicsItHasJoined(t *testing.T) {
	for reason, l := range map[string]roost.RouteLimits{
		"too many messages to such topics": {Messages: rate(t, "1/h burst 3")},
		"too many bytes to such topics":    {Bytes: rate(t, "1/h burst 110")}, // each has 34
	} {
		e, url := routed(t, l)
		bad, good := client.Open(t, url, client.Options{}), client.Open(t, url, client.Options{})
		for _, topic := range []string{"desk:1", "desk:2", "desk:3"} {
			bad.Join(t, topic, "1", "")
			asks(t, bad, topic, "2", "order")
		}
		isRefused(t, bad, "desk:1", "3", "order", reason)
		isRefused(t, bad, "desk:2", "4", "order", reason)
		leave(t, bad, "desk:1")
		bad.Join(t, "desk:1", "1", "") // gains nothing
		isRefused(t, bad, "desk:1", "5", "order", reason)
		bad.Join(t, "free:1", "1", "")
		asks(t, bad, "free:1", "6", "order")
		alive(t, bad)
		good.Join(t, "desk:1", "1", "")
		asks(t, good, "desk:1", "2", "order")
		if s := e.Stats().RouteLimits[0]; s.Messages.Refused+s.Bytes.Refused != 3 || s.Messages.Allowed+s.Bytes.Allowed != 4 {
			t.Errorf("%s: got %+v", reason, s)
		}
	}
}

// leave leaves a topic, which nobody is kept from.
func leave(t *testing.T, c *client.Conn, topic string) {
	t.Helper()
	must(c.Push("1", "99", topic, "phx_leave", ""))
	c.ExpectReply(t, "1", "99", topic, "ok")
	c.Expect(t, `["1","1","`+topic+`","phx_close",{}]`)
}

func TestEventsAreLimitedByPatternAndTheFirstThatMatchesHolds(t *testing.T) {
	told := make(hits, 10)
	e, url := routed(t, roost.RouteLimits{Events: []roost.EventLimit{
		{Event: "typing_stop"}, // never refused
		{Event: "typing*", Messages: rate(t, "1/h burst 2")},
		{Event: "*", Bytes: rate(t, "1/h burst 100")},
	}}, told)
	c := client.Open(t, url, client.Options{})
	c.Join(t, "desk:1", "1", "")
	c.Join(t, "desk:2", "1", "")
	asks(t, c, "desk:1", "2", "typing_start")
	asks(t, c, "desk:2", "3", "typing_start")
	isRefused(t, c, "desk:1", "4", "typing_start", "too many such events")
	for ref := range 5 {
		asks(t, c, "desk:1", strconv.Itoa(10+ref), "typing_stop")
	}
	asks(t, c, "desk:1", "5", "order")
	asks(t, c, "desk:1", "6", "order")
	isRefused(t, c, "desk:1", "7", "order", "too many bytes of such events")
	leave(t, c, "desk:1")
	s := e.Stats().RouteLimits[0].Events
	if len(s) != 3 || s[1].Event != "typing*" || s[1].Messages.Refused != 1 || s[2].Bytes.Refused != 1 || s[0].Messages != (ratelimit.Stats{}) {
		t.Errorf("got %+v", s)
	}
	want := []telemetry.LimitHit{
		{Limit: "too many such events", Pattern: "desk:*", Event: "typing*"},
		{Limit: "too many bytes of such events", Pattern: "desk:*", Event: "*"},
	}
	for i, hit := range told.told(t, 2) {
		if hit != want[i] {
			t.Errorf("told %+v, want %+v", hit, want[i])
		}
	}
}

func TestARoutesLimitsInShadowLetPassAndTellOnce(t *testing.T) {
	told := make(hits, 100)
	e, url := routed(t, roost.RouteLimits{
		Joins: rate(t, "1/h shadow"), Messages: rate(t, "1/h shadow"), Bytes: rate(t, "1/h shadow"),
		Events: []roost.EventLimit{{Event: "order", Messages: rate(t, "1/h shadow"), Bytes: rate(t, "1/h shadow")}},
	}, told)
	c := client.Open(t, url, client.Options{})
	for range 3 {
		c.Join(t, "desk:1", "1", "")
		asks(t, c, "desk:1", "2", "order")
		leave(t, c, "desk:1")
	}
	s := e.Stats().RouteLimits[0]
	for i, n := range []uint64{s.Joins.Shadowed, s.Messages.Shadowed, s.Bytes.Shadowed, s.Events[0].Messages.Shadowed, s.Events[0].Bytes.Shadowed} {
		if n < 2 {
			t.Errorf("limit %d counted %d: %+v", i, n, s)
		}
	}
	seen := make(map[string]bool)
	for _, hit := range told.told(t, 5) {
		if seen[hit.Limit] || !hit.Shadow {
			t.Errorf("told again: %+v", hit)
		}
		seen[hit.Limit] = true
	}
	select {
	case hit := <-told:
		t.Errorf("told more: %+v", hit)
	default:
	}
}

func TestLimitsOfRoutesThatAreAddedLaterHoldForThoseWhoAreThere(t *testing.T) {
	e, url := routed(t, roost.RouteLimits{Messages: rate(t, "1/h burst 1")})
	c := client.Open(t, url, client.Options{})
	c.Join(t, "desk:1", "1", "")
	asks(t, c, "desk:1", "2", "order")
	shared := roost.WithLimits(roost.RouteLimits{Messages: rate(t, "1/h burst 2")})
	for _, pattern := range []string{"late:*", "later:*"} {
		e.Channel(pattern, roost.ChannelOf((*desk).join, roost.On("order", (*desk).fine)), shared)
	}
	for _, topic := range []string{"late:1", "later:1"} { // each route has limits of its own
		c.Join(t, topic, "1", "")
		asks(t, c, topic, "3", "order")
		asks(t, c, topic, "4", "order")
		isRefused(t, c, topic, "5", "order", "too many messages to such topics")
	}
	isRefused(t, c, "desk:1", "6", "order", "too many messages to such topics")
}

func TestImpossibleLimitsOfRoutesSayHowToMendThem(t *testing.T) {
	for want, l := range map[string]roost.RouteLimits{
		"Joins: ratelimit: impossible":          {Joins: ratelimit.Limit{Rate: -1}},
		"Bytes: ratelimit: impossible":          {Bytes: ratelimit.Limit{Burst: 1}},
		`Events[0], of "x": Messages: `:         {Events: []roost.EventLimit{{Event: "x", Messages: ratelimit.Limit{Rate: -1}}}},
		`"*" for every event`:                   {Events: []roost.EventLimit{{}}},
		`as in "typing*"`:                       {Events: []roost.EventLimit{{Event: "typing*_now"}}},
		"limit it with RouteLimits.Joins":       {Events: []roost.EventLimit{{Event: "phx_join"}}},
		"nobody is kept from leaving":           {Events: []roost.EventLimit{{Event: "phx_leave"}}},
		`because "typ*" before it matches`:      {Events: []roost.EventLimit{{Event: "typ*"}, {Event: "typing*"}}},
		`of "order": it is never reached`:       {Events: []roost.EventLimit{{Event: "order"}, {Event: "order"}}},
		`of "a*": it is never reached, because`: {Events: []roost.EventLimit{{Event: "*"}, {Event: "a*"}}},
	} {
		if got := panicked(func() { roost.WithLimits(l) }); !strings.Contains(got, want) || !strings.HasPrefix(got, "roost: WithLimits: ") {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
	roost.WithLimits(roost.RouteLimits{Events: []roost.EventLimit{{Event: "typing_stop"}, {Event: "typing*"}, {Event: "type"}, {Event: "*"}}})
}

func TestToJoinAgainCountsAlsoForAClientThatIsFull(t *testing.T) {
	_, url := routed(t, roost.RouteLimits{Joins: rate(t, "1/h burst 1")})
	full := client.Open(t, url, client.Options{})
	full.Join(t, "desk:1", "1", "")
	for i := range 3 {
		full.Join(t, "free:"+strconv.Itoa(i), strconv.Itoa(i), "")
	}
	isRefused(t, full, "desk:1", "9", "phx_join", "too many joins of such topics")
	asks(t, full, "desk:1", "10", "order")
}

func TestWhatALimitOfARouteRefusesCountsAtNoOtherAsAllowed(t *testing.T) {
	e, url := routed(t, roost.RouteLimits{
		Messages: rate(t, "1/h burst 1"), Events: []roost.EventLimit{{Event: "order", Messages: rate(t, "1/h burst 9"), Bytes: rate(t, "1/h burst 900")}},
	})
	c := client.Open(t, url, client.Options{})
	c.Join(t, "desk:1", "1", "")
	asks(t, c, "desk:1", "2", "order")
	isRefused(t, c, "desk:1", "3", "order", "too many messages to such topics")
	if s := e.Stats().RouteLimits[0]; s.Events[0].Messages.Allowed != 1 || s.Events[0].Bytes.Allowed != 1 || s.Messages.Refused != 1 {
		t.Errorf("got %+v", s)
	}
}
