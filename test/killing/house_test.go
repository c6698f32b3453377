package killing

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// house is an endpoint whose channels count themselves.
type house struct {
	*roost.Endpoint
	t      testing.TB
	server *httptest.Server
	gate   chan struct{} // joins of "gate:*" wait until it is closed

	entered, left atomic.Int64 // joins that were accepted, Terminates
	waiting       atomic.Int64 // joins that wait at the gate
	fed           atomic.Int64 // broadcasts of each topic that clients may lag behind
}

// seat is a client's channel.
type seat struct{ house *house }

func (s *seat) Join(_ context.Context, socket *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	switch topic := socket.Topic(); {
	case strings.HasPrefix(topic, "gate:"):
		s.house.waiting.Add(1)
		<-s.house.gate
		s.house.waiting.Add(-1)
	case strings.HasPrefix(topic, "slow:"):
		<-time.After(time.Millisecond)
	}
	if err := socket.SendInfo("welcome"); err != nil {
		return roost.NoReply(), err
	}
	s.house.entered.Add(1)
	return roost.ReplyOK(nil), nil
}

func (s *seat) Echo(_ context.Context, _ *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(p), nil
}

func (s *seat) Shout(ctx context.Context, socket *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), socket.Broadcast(ctx, "shout", p)
}

func (s *seat) Crash(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	panic("as asked")
}

func (s *seat) Welcome(_ context.Context, socket *roost.Socket, w string) error {
	return socket.Push(w, nil)
}

func (s *seat) Terminate(context.Context, *roost.Socket, error) { s.house.left.Add(1) }

func engines() []websocket.Engine {
	if runtime.GOOS == "linux" {
		return []websocket.Engine{websocket.EventLoops, websocket.Goroutines}
	}
	return []websocket.Engine{websocket.Goroutines}
}

// onEachEngine runs a test with a house on each engine.
func onEachEngine(t *testing.T, ws websocket.Config, test func(t *testing.T, h *house)) {
	t.Helper()
	for _, e := range engines() {
		t.Run("engine="+string(e), func(t *testing.T) {
			ws := ws
			ws.Engine = e
			test(t, open(t, ws))
		})
	}
}

func open(t testing.TB, ws websocket.Config) *house {
	t.Helper()
	h := &house{t: t, gate: make(chan struct{})}
	h.Endpoint = roost.NewEndpoint(roost.Config{
		Overload: roost.Overload{Delay: -1}, // the test is more than the machine can do

		WebSocket: ws,
		Logger:    slog.New(slog.DiscardHandler),
		Connect: func(_ context.Context, c *roost.Connect) error {
			c.ID, _ = c.Params["id"].(string)
			return nil
		},
	})
	seats := roost.ChannelOf((*seat).Join, roost.On("echo", (*seat).Echo), roost.On("shout", (*seat).Shout), roost.On("crash", (*seat).Crash),
		roost.Info((*seat).Welcome), roost.Terminate((*seat).Terminate), roost.Fresh(func() *seat { return &seat{h} }))
	for _, pattern := range []string{"room:*", "slow:*", "gate:*"} {
		h.Channel(pattern, seats)
	}
	h.Channel("stream:*", seats, roost.WithSlowConsumer(roost.DropOldest{Bytes: 32 << 10}))
	h.Channel("state:*", seats, roost.WithSlowConsumer(roost.KeepLatest{Bytes: 32 << 10}))
	h.server = httptest.NewServer(h)
	t.Cleanup(h.close)
	return h
}

func (h *house) close() {
	h.server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		h.t.Errorf("shutdown: %v", err)
	}
	h.empty(0)
}

func (h *house) url(id string) string {
	return fmt.Sprintf("ws%s/socket/websocket?vsn=2.0.0&id=%s", strings.TrimPrefix(h.server.URL, "http"), id)
}

func (h *house) dial(id string) (*client.Conn, error) {
	return h.dialWith(id, client.Options{})
}

func (h *house) dialWith(id string, o client.Options) (*client.Conn, error) {
	o.Timeout = patience
	c, _, err := client.Dial(context.Background(), h.url(id), o)
	return c, err
}

// eventually waits until something is so.
func (h *house) eventually(what string, so func() bool) {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !so(); {
		select {
		case <-tick.C:
		case <-late:
			h.t.Fatalf("it never came to be that %s: %+v, %d entered, %d left", what, h.Stats(), h.entered.Load(), h.left.Load())
		}
	}
}

// empty waits until nobody is left but some connections that have joined
// nothing.
func (h *house) empty(connections int64) {
	h.t.Helper()
	h.eventually("the house is empty", func() bool {
		s := h.Stats()
		return s.WebSocket.Connections == connections && s.Channels == 0 && s.Topics == 0 && s.Workers == 0 && s.WorkersWaiting == 0
	})
	h.eventually("everybody who entered has left", func() bool { return h.left.Load() == h.entered.Load() })
}
