// Package cost measures what messages cost an endpoint that is connected to
// real sockets.
package cost

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

const loops = websocket.EventLoops

func engines() []websocket.Engine {
	if runtime.GOOS == "linux" {
		return []websocket.Engine{loops, websocket.Goroutines}
	}
	return []websocket.Engine{websocket.Goroutines}
}

// seat is a channel that answers.
type seat struct{}

func (*seat) Join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(nil), nil
}

func (*seat) Echo(_ context.Context, _ *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(p), nil
}

// serve starts an endpoint with one lane and returns it and its URL.
func serve(t testing.TB, e websocket.Engine) (*roost.Endpoint, string) {
	t.Helper()
	endpoint := roost.NewEndpoint(roost.Config{
		WebSocket: websocket.Config{Engine: e, Loops: 1, KeepMemory: true},
		Logger:    slog.New(slog.DiscardHandler),
	})
	endpoint.Channel("room:*", roost.ChannelOf((*seat).Join, roost.On("echo", (*seat).Echo)))
	server := httptest.NewServer(endpoint)
	t.Cleanup(func() {
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = endpoint.Shutdown(ctx)
	})
	return endpoint, "ws" + strings.TrimPrefix(server.URL, "http") + "/socket/websocket?vsn=2.0.0"
}

// asker is a client that itself costs next to nothing.
type asker struct {
	nc net.Conn
	in []byte
}

func dial(t testing.TB, url string) *asker {
	t.Helper()
	c := client.Open(t, url, client.Options{})
	_ = c.NetConn().SetDeadline(time.Time{})
	return &asker{nc: c.NetConn(), in: make([]byte, 64<<10)}
}

// ask sends a frame and reads an answer that is known.
func (a *asker) ask(t testing.TB, frame, want []byte) {
	if _, err := a.nc.Write(frame); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(a.nc, a.in[:len(want)]); err != nil || !bytes.Equal(a.in[:len(want)], want) {
		t.Fatalf("got %q, %v, want %q", a.in[:len(want)], err, want)
	}
}

func masked(op frame.Opcode, payload string) []byte {
	return frame.AppendMasked(nil, true, 0, op, [4]byte{1, 2, 3, 4}, []byte(payload))
}

// answer is a text frame of the server.
func answer(payload string) []byte {
	return append(frame.AppendHeader(nil, frame.Text, false, len(payload)), payload...)
}

// heartbeat is one, and its answer.
func heartbeat() (ask, want []byte) {
	return masked(frame.Text, `[null,"1","phoenix","heartbeat",{}]`),
		answer(`[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]`)
}

// pings is a ping and its pong.
func pings() (ask, want []byte) {
	return masked(frame.Ping, "hello"), frame.AppendControl(nil, frame.Pong, []byte("hello"))
}

// join is a join of a topic, and its answer.
func join(topic string) (ask, want []byte) {
	return masked(frame.Text, fmt.Sprintf(`["1","1",%q,"phx_join",{}]`, topic)),
		answer(fmt.Sprintf(`["1","1",%q,"phx_reply",{"status":"ok","response":{}}]`, topic))
}

// echo is a push, and its answer.
func echo(topic string) (ask, want []byte) {
	return masked(frame.Text, fmt.Sprintf(`["1","2",%q,"echo",{"x":1}]`, topic)),
		answer(fmt.Sprintf(`["1","2",%q,"phx_reply",{"status":"ok","response":{"x":1}}]`, topic))
}
