package roost_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
	"github.com/roostgo/roost/wire"
)

// What the application brings along may fail in ways of its own: nobody else may
// suffer from it.

// actor is a channel whose callbacks are the test's.
type actor struct {
	join func(s *roost.Socket) error
	in   func(s *roost.Socket, event string) error
}

func (a actor) Join(_ context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	if a.join == nil {
		return roost.NoReply(), nil
	}
	return roost.NoReply(), a.join(s)
}

func (a actor) HandleIn(_ context.Context, s *roost.Socket, event string, _ roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), a.in(s, event)
}

// listener is a telemetry handler made of functions.
type listener struct {
	handle  func(telemetry.Event)
	enabled func(slog.Level) bool
}

func (l listener) Handle(_ context.Context, e telemetry.Event) { l.handle(e) }
func (l listener) Enabled(level slog.Level) bool               { return l.enabled == nil || l.enabled(level) }

// play serves channels of an actor and returns where.
func play(t *testing.T, c roost.Config, a actor) (e *roost.Endpoint, url string) {
	t.Helper()
	c.Logger = slog.New(slog.DiscardHandler)
	e = roost.NewEndpoint(c)
	e.Channel("room:*", func() roost.Channel { return a })
	return e, start(t, &roost.Server{Endpoint: e}).url("/socket/websocket")
}

func alive(t *testing.T, c *client.Conn) {
	t.Helper()
	must(c.Push("", "alive", "phoenix", "heartbeat", ""))
	c.Expect(t, `[null,"alive","phoenix","phx_reply",{"status":"ok","response":{}}]`)
}

func TestHandlersAreNotAskedOnAnEventLoop(t *testing.T) {
	var asked atomic.Int32
	h := listener{handle: func(telemetry.Event) {}, enabled: func(slog.Level) bool {
		stack := make([]byte, 8192)
		stack = stack[:runtime.Stack(stack, false)]
		if bytes.Contains(stack, []byte("(*Lane).Drain")) || bytes.Contains(stack, []byte("(*loop).run")) {
			asked.Add(1)
		}
		return true
	}}
	_, url := play(t, roost.Config{Telemetry: []telemetry.Handler{h}, WebSocket: websocket.Config{Loops: 1, Timeout: 2 * time.Second}}, actor{})
	c, other := client.Open(t, url, client.Options{}), client.Open(t, url, client.Options{})
	c.Join(t, "room:1", "1", "")
	must(c.Push("1", "2", "room:2", "unmatched", ""))
	c.Drop()
	other.ExpectClose(t, 1002) // for its silence
	if n := asked.Load(); n > 0 {
		t.Errorf("Enabled was called %d times on a lane", n)
	}
}

// brittle is a serializer that panics.
type brittle struct{ wire.Serializer }

func (brittle) Decode(*wire.Message, bool, []byte) error { panic("hostile input") }

func TestASerializerThatPanicsEndsItsConnectionOnly(t *testing.T) {
	versions, err := wire.ParseVersions(
		wire.Rule{Requirement: "~> 2.0.0", Serializer: wire.V2()}, wire.Rule{Requirement: "~> 3.0.0", Serializer: brittle{wire.V2()}},
	)
	must(err)
	_, url := play(t, roost.Config{Versions: versions}, actor{})
	good, bad := client.Open(t, url, client.Options{}), client.Open(t, strings.Replace(url, "vsn=2", "vsn=3", 1), client.Options{})
	must(bad.Push("1", "1", "room:1", "phx_join", ""))
	bad.ExpectClose(t, uint16(transport.CloseInternalError))
	alive(t, good)
}

func TestACrashOfAReplacedChannelIsReported(t *testing.T) {
	crashes := make(chan telemetry.ChannelCrashed, 1)
	h := listener{handle: func(e telemetry.Event) {
		if c, ok := e.(telemetry.ChannelCrashed); ok {
			crashes <- c
		}
	}}
	entered, leave := make(chan bool), make(chan bool)
	e, url := play(t, roost.Config{Telemetry: []telemetry.Handler{h}}, actor{in: func(*roost.Socket, string) error {
		entered <- true
		<-leave
		panic("too late")
	}})
	c := client.Open(t, url, client.Options{})
	c.Join(t, "room:1", "1", "")
	must(c.Push("1", "2", "room:1", "e", ""))
	<-entered
	c.Join(t, "room:1", "3", "")
	close(leave)
	if crash := receive(t, crashes, "crash"); crash.Topic != "room:1" || e.Stats().Crashes != 1 {
		t.Errorf("got %+v, %d counted", crash, e.Stats().Crashes)
	}
	c.Expect(t, `["1","1","room:1","phx_close",{}]`)
	c.ExpectQuiet(t)
}

func TestKillDropsWhatWaits(t *testing.T) {
	sockets, entered, leave := make(chan *roost.Socket, 1), make(chan bool, 20), make(chan bool)
	_, url := play(t, roost.Config{}, actor{
		join: func(s *roost.Socket) error { sockets <- s; return nil },
		in: func(*roost.Socket, string) error {
			entered <- true
			<-leave
			return nil
		},
	})
	c := client.Open(t, url, client.Options{})
	c.Join(t, "room:1", "1", "")
	for range 20 {
		must(c.Push("1", "2", "room:1", "e", ""))
	}
	alive(t, c) // all have come
	s := <-sockets
	s.Kill(errTable)
	s.Kill(errTable)
	close(leave)
	c.Expect(t, `["1","1","room:1","phx_error",{"reason":"channel_crash"}]`)
	if n := len(entered); n > 1 {
		t.Errorf("%d messages were handled", n)
	}
	c.ExpectQuiet(t)
}

func TestAChannelCanEndItsConnection(t *testing.T) {
	_, url := play(t, roost.Config{}, actor{in: func(s *roost.Socket, _ string) error { s.Disconnect(); return nil }})
	c, other := client.Open(t, url, client.Options{}), client.Open(t, url, client.Options{})
	c.Join(t, "room:1", "1", "")
	must(c.Push("1", "2", "room:1", "leave me", ""))
	c.ExpectClose(t, uint16(transport.CloseGoingAway))
	alive(t, other)
}

func TestATelemetryHandlerThatEndsItsGoroutineHearsTheNextEvent(t *testing.T) {
	heard := make(chan string, 10)
	h := listener{handle: func(e telemetry.Event) {
		heard <- e.Name()
		runtime.Goexit()
	}}
	_, url := play(t, roost.Config{Telemetry: []telemetry.Handler{h}}, actor{})
	client.Open(t, url, client.Options{}).Join(t, "room:1", "1", "")
	for _, want := range []string{"socket_connected", "channel_joined"} {
		if got := receive(t, heard, "event"); got != want {
			t.Errorf("heard of %s, want %s", got, want)
		}
	}
}

func TestAHandlerOfTheApplicationMayPanicWhenItIsAsked(t *testing.T) {
	h := listener{handle: func(telemetry.Event) {}, enabled: func(slog.Level) bool { panic("no level") }}
	_, url := play(t, roost.Config{Telemetry: []telemetry.Handler{h}}, actor{})
	client.Open(t, url, client.Options{}).Join(t, "room:1", "1", "")
}

// evil is an error whose methods fail.
type evil struct{ how func() }

func (evil) Error() string     { return "evil" }
func (e evil) Is(error) bool   { e.how(); return false }
func (e evil) Unwrap() []error { return nil }

func TestAnErrorWhoseMethodsFailIsACrash(t *testing.T) {
	for name, how := range map[string]func(){"panic": func() { panic("evil") }, "exit": runtime.Goexit} {
		_, url := play(t, roost.Config{}, actor{in: func(*roost.Socket, string) error { return evil{how} }})
		c := client.Open(t, url, client.Options{})
		c.Join(t, "room:1", "1", "")
		must(c.Push("1", "2", "room:1", "e", ""))
		c.Expect(t, `["1","1","room:1","phx_error",{"reason":"channel_crash"}]`)
		c.Join(t, "room:1", "3", "")
		t.Log(name, "is survived")
	}
}

func TestAConnectWhoseErrorPanicsIsARefusal(t *testing.T) {
	_, url := play(t, roost.Config{Connect: func(context.Context, *roost.Connect) error { return evil{func() { panic("evil") }} }}, actor{})
	client.Refused(t, url, client.Options{}, http.StatusForbidden)
}

// intercepting is a channel that keeps a broadcast for later.
type intercepting struct {
	actor
	got chan roost.Payload
}

func (intercepting) Intercepts() []string { return []string{"bin"} }

func (i intercepting) HandleOut(_ context.Context, _ *roost.Socket, _ string, p roost.Payload) error {
	i.got <- p
	return nil
}

func TestABroadcastsBytesAreTheCallersAgain(t *testing.T) {
	e := roost.NewEndpoint(roost.Config{})
	got := make(chan roost.Payload, 1)
	e.Channel("room:*", func() roost.Channel { return intercepting{got: got} })
	c := client.Open(t, start(t, &roost.Server{Endpoint: e}).url("/socket/websocket"), client.Options{})
	c.Join(t, "room:1", "1", "")
	buffer := []byte("first")
	must(e.Broadcast(t.Context(), "room:1", "bin", roost.Bytes(buffer)))
	copy(buffer, "again")
	if p := receive(t, got, "broadcast"); string(p.Bytes()) != "first" {
		t.Errorf("got %q", p.Bytes())
	}
}

func TestMiddlewareOfTheServerReachesConnect(t *testing.T) {
	type key struct{}
	users := make(chan any, 1)
	e := roost.NewEndpoint(roost.Config{Connect: func(ctx context.Context, _ *roost.Connect) error {
		users <- ctx.Value(key{})
		return nil
	}})
	s := &roost.Server{Endpoint: e, Middleware: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, "ann")))
		})
	}}
	client.Open(t, start(t, s).url("/socket/websocket"), client.Options{})
	if u := receive(t, users, "user"); u != "ann" {
		t.Errorf("got %v", u)
	}
}

func TestWhatCanNeverBeReachedPanicsWithTheMend(t *testing.T) {
	for want, f := range map[string]func(){
		"the protocol handles it": func() { roost.ChannelOf((*desk).join, roost.On("phx_leave", (*desk).in)) },
		"ChannelOf was given nil": func() { roost.ChannelOf((*desk).join, nil) },
		"leave scheme, port":      func() { roost.NewEndpoint(roost.Config{Host: "https://example.com"}) },
		"ends before a ?":         func() { roost.NewEndpoint(roost.Config{Path: "/a?b"}) },
		"use Config.CheckOrigin":  func() { roost.NewEndpoint(roost.Config{WebSocket: websocket.Config{Origin: transport.AnyOrigin()}}) },
	} {
		if got := panicked(f); !bytes.Contains([]byte(got), []byte(want)) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	got := panicked(func() { roost.NewEndpoint(roost.Config{Mailbox: -1, WebSocket: websocket.Config{MaxFrame: -1}}) })
	for _, want := range []string{"Mailbox is -1", "MaxFrame is -1"} {
		if !bytes.Contains([]byte(got), []byte(want)) {
			t.Errorf("not all that is wrong is told at once: %q", got)
		}
	}
}

func TestANilServiceIsRefused(t *testing.T) {
	s := &roost.Server{Endpoint: roost.NewEndpoint(roost.Config{}), Services: []roost.Service{nil}}
	if err := s.Run(t.Context()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTheMostThatWaitedForAChannelIsKept(t *testing.T) {
	entered, leave := make(chan bool, 9), make(chan bool)
	e, url := play(t, roost.Config{Mailbox: 3}, actor{in: func(*roost.Socket, string) error {
		entered <- true
		<-leave
		return nil
	}})
	c := client.Open(t, url, client.Options{})
	c.Join(t, "room:1", "1", "")
	must(c.Push("1", "2", "room:1", "e", ""))
	<-entered
	for ref := range 4 {
		must(c.Push("1", strconv.Itoa(3+ref), "room:1", "e", ""))
	}
	c.ExpectReply(t, "1", "6", "room:1", "error")
	if s := e.Stats(); s.MailboxHigh != 3 || s.MailboxRefusals != 1 {
		t.Errorf("got a high-water mark of %d, and %d refusals", s.MailboxHigh, s.MailboxRefusals)
	}
	close(leave)
}

func TestNamesAreBoundedInBytes(t *testing.T) {
	long := make(chan telemetry.NameTooLong, 10)
	h := listener{handle: func(e telemetry.Event) {
		if e, ok := e.(telemetry.NameTooLong); ok {
			long <- e
		}
	}}
	e, url := play(t, roost.Config{MaxName: 20, Telemetry: []telemetry.Handler{h}}, actor{in: func(*roost.Socket, string) error { return nil }})
	c := client.Open(t, url, client.Options{})
	just, over := "room:"+strings.Repeat("x", 15), "room:"+strings.Repeat("x", 16)
	c.Join(t, just, "1", "")
	for i, m := range [][4]string{
		{"2", "2", over, "phx_join"}, {"1", "3", just, over}, {over, "4", just, "e"}, {"1", over, just, "e"}, {"1", over, just, "phx_leave"},
	} {
		must(c.Push(m[0], m[1], m[2], m[3], ""))
		if r := string(c.ExpectReply(t, m[0], m[1], m[2], "error")); r != `{"reason":"name too long"}` {
			t.Errorf("got %s", r)
		}
		if got := receive(t, long, "event"); got.Topic != m[2] || got.Bound != 20 {
			t.Errorf("told %+v", got)
		}
		if n := e.Stats().NamesTooLong; n != uint64(i+1) {
			t.Errorf("%d were counted after %d", n, i+1)
		}
	}
	must(c.Push("1", "9", just, just, ""))
	must(c.SendText(`[null,"1",{"a":[1,2,3,4,5,6,7,8]},"e",{}]`)) // as raw JSON
	if r := c.Next(t); !strings.Contains(string(r.Payload), "name too long") {
		t.Errorf("got %v", r)
	}
	alive(t, c)
}
