package roost_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
)

// desk is a channel's value.
type desk struct{ count int }

func (*desk) join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), nil
}

func (*desk) end(context.Context, *roost.Socket, error) {}

func (*desk) in(context.Context, *roost.Socket, order) (roost.Reply, error) {
	return roost.NoReply(), nil
}

func (*desk) out(context.Context, *roost.Socket, order) error { return nil }

func (*desk) stringer(context.Context, *roost.Socket, fmt.Stringer) error { return nil }

func (*desk) anything(context.Context, *roost.Socket, any) error { return nil }

// order is a payload with a secret about how it is decoded.
type order struct{ Amount int }

var errTable = errors.New("no column in table orders_v2")

func (*order) UnmarshalJSON([]byte) error { return errTable }

func TestBindingsThatCannotWorkPanicWithTheMend(t *testing.T) {
	fresh := roost.Fresh(func() *desk { return new(desk) })
	type in = func(*desk, context.Context, *roost.Socket, order) (roost.Reply, error)
	type out = func(*desk, context.Context, *roost.Socket, order) error
	for _, c := range []struct {
		name  string
		binds []roost.Binding[desk]
		want  string
	}{
		{"two On", []roost.Binding[desk]{roost.On("e", (*desk).in), roost.On("e", (*desk).in)}, `two On bindings for event "e" of one channel: keep one`},
		{"two Out", []roost.Binding[desk]{roost.Out("e", (*desk).out), roost.Out("e", (*desk).out)}, `two Out bindings for event "e" of one channel: keep one`},
		{"two Info", []roost.Binding[desk]{roost.Info((*desk).out), roost.Info((*desk).out)}, "two Info bindings for type roost_test.order of one channel: keep one"},
		{"two Terminate", []roost.Binding[desk]{roost.Terminate((*desk).end), roost.Terminate((*desk).end)}, "two Terminate bindings for one channel: keep one"},
		{"two Fresh", []roost.Binding[desk]{fresh, fresh}, "two Fresh bindings for one channel: keep one"},
		{"Fresh of nil", []roost.Binding[desk]{roost.Fresh[desk](nil)}, "Fresh was given nil: pass a function that makes the channel's value"},
		{"On of nil", []roost.Binding[desk]{roost.On("e", in(nil))}, `On was given nil: pass a method for event "e"`},
		{"Out of nil", []roost.Binding[desk]{roost.Out("e", out(nil))}, `Out was given nil: pass a method for event "e"`},
		{"Info of nil", []roost.Binding[desk]{roost.Info(out(nil))}, "Info was given nil: pass a method for type roost_test.order"},
		{"Terminate of nil", []roost.Binding[desk]{roost.Terminate[desk](nil)}, "Terminate was given nil"},
		{"Info of an interface", []roost.Binding[desk]{roost.Info((*desk).stringer)}, "Info binding for fmt.Stringer: a value is matched by its own type"},
		{"Info of any", []roost.Binding[desk]{roost.Info((*desk).anything)}, "bind the types that are sent"},
	} {
		got := panicked(func() { roost.ChannelOf((*desk).join, c.binds...) })
		if !strings.HasPrefix(got, "roost: ") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	got := panicked(func() { roost.ChannelOf(in(nil)) })
	if !strings.Contains(got, "ChannelOf was given nil: pass the method that enters") {
		t.Errorf("a nil join: got %q", got)
	}
}

// panicked calls f and returns what it panicked with.
func panicked(f func()) (with string) {
	defer func() { with = fmt.Sprint(recover()) }()
	f()
	return ""
}

// invalid gets the facts about payloads.
type invalid chan telemetry.PayloadInvalid

func (i invalid) Handle(_ context.Context, e telemetry.Event) {
	if p, ok := e.(telemetry.PayloadInvalid); ok {
		i <- p
	}
}

func (i invalid) Enabled(slog.Level) bool { return true }

func TestWhyAPayloadDoesNotDecodeIsForTelemetryNotForTheClient(t *testing.T) {
	told := make(invalid, 1)
	e := roost.NewEndpoint(roost.Config{Telemetry: []telemetry.Handler{told}})
	e.Channel("desk:*", roost.ChannelOf((*desk).join, roost.On("order", (*desk).in)))
	e.Channel("order:*", roost.ChannelOf((*desk).in))
	c := client.Open(t, start(t, &roost.Server{Endpoint: e}).url("/socket/websocket"), client.Options{})
	c.Join(t, "desk:1", "1", "")
	for _, m := range []struct{ ref, topic, event string }{{"2", "desk:1", "order"}, {"3", "order:1", "phx_join"}} {
		joinRef := map[string]string{"order": "1", "phx_join": m.ref}[m.event]
		must(c.Push(joinRef, m.ref, m.topic, m.event, `{"amount":1}`))
		if got := string(c.ExpectReply(t, joinRef, m.ref, m.topic, "error")); got != `{"reason":"invalid payload"}` {
			t.Errorf("%s: the client reads %s", m.event, got)
		}
		fact := receive(t, told, "fact")
		if fact.Topic != m.topic || fact.Event != m.event || !errors.Is(fact.Err, errTable) {
			t.Errorf("%s: got %+v", m.event, fact)
		}
	}
}

func TestAValueIsTheChannelsOwnWithAndWithoutFresh(t *testing.T) {
	count := func(d *desk, _ context.Context, _ *roost.Socket, _ roost.Payload) (roost.Reply, error) {
		d.count++
		return roost.ReplyOK(map[string]int{"count": d.count}), nil
	}
	e := roost.NewEndpoint(roost.Config{})
	e.Channel("zero:*", roost.ChannelOf((*desk).join, roost.On("count", count)))
	e.Channel("fresh:*", roost.ChannelOf((*desk).join, roost.On("count", count), roost.Fresh(func() *desk { return &desk{count: 10} })))
	c := client.Open(t, start(t, &roost.Server{Endpoint: e}).url("/socket/websocket"), client.Options{})
	for topic, first := range map[string]int{"zero:1": 1, "zero:2": 1, "fresh:1": 11, "fresh:2": 11} {
		c.Join(t, topic, "1", "")
		for i := range 2 {
			must(c.Push("1", "2", topic, "count", "{}"))
			if got, want := string(c.ExpectReply(t, "1", "2", topic, "ok")), fmt.Sprintf(`{"count":%d}`, first+i); got != want {
				t.Errorf("%s: got %s, want %s", topic, got, want)
			}
		}
	}
}

func TestATypedChannelIsOneAllocation(t *testing.T) {
	f := roost.ChannelOf((*desk).join, roost.On("order", (*desk).in))
	var kept roost.Channel
	if n := testing.AllocsPerRun(100, func() { kept = f() }); n != 1 || kept == nil {
		t.Errorf("got %v", n)
	}
}
