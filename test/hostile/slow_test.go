package hostile

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/internal/testcert"
	"github.com/roostgo/roost/internal/testleak"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/secure"
	"github.com/roostgo/roost/transport/websocket"
)

// 1 % of a topic's subscribers stop reading.
const (
	subscribers = 495
	stuck       = 5
	newsSize    = 4 << 10
	rounds      = 100
	large       = 512 << 10 // of the answer that a stuck client does not read: more than the kernel's buffers hold
)

// hall is an endpoint with one full topic.
type hall struct {
	*roost.Endpoint
	url      string
	heard    chan struct{} // by one of those who read, the news that is out
	problems chan string
	stuck    []*client.Conn
	tls      *tls.Config // of clients; nil without TLS
	pulse    pulse
}

// onEachHall runs a test with each engine, and over TLS.
func onEachHall(t *testing.T, ws websocket.Config, policy roost.SlowConsumer, test func(t *testing.T, h *hall)) {
	t.Helper()
	for _, e := range engines() {
		t.Run("engine="+string(e), func(t *testing.T) {
			ws := ws
			ws.Engine = e
			test(t, open(t, ws, policy, nil))
		})
	}
	t.Run("tls", func(t *testing.T) { test(t, open(t, ws, policy, testcert.New(t, "roost.example"))) })
}

// open opens a hall; with a certificate it speaks TLS.
func open(t *testing.T, ws websocket.Config, policy roost.SlowConsumer, pair *testcert.Pair) *hall {
	t.Helper()
	h := &hall{
		Endpoint: roost.NewEndpoint(roost.Config{ // all come in, however busy the machine
			WebSocket: ws, Logger: slog.New(slog.DiscardHandler), Overload: roost.Overload{Delay: -1},
		}),
		heard: make(chan struct{}, subscribers), problems: make(chan string, subscribers),
	}
	h.Channel("other:*", roost.ChannelOf((*seat).Join))
	h.Channel("room:*", roost.ChannelOf((*seat).Join, roost.On("echo", (*seat).Echo)), roost.WithSlowConsumer(policy))
	server, scheme := httptest.NewUnstartedServer(h), "ws://"
	if pair != nil {
		scheme, h.tls = "wss://", &tls.Config{RootCAs: testcert.Pool(pair), ServerName: "roost.example", MinVersion: tls.VersionTLS13}
		server.Listener = secure.Listen(server.Listener, secure.Config{TLS: &tls.Config{Certificates: []tls.Certificate{pair.TLS}, MinVersion: tls.VersionTLS13}})
	}
	server.Start()
	h.url = scheme + server.Listener.Addr().String() + "/socket/websocket?vsn=2.0.0"
	stop := make(chan struct{})
	var listeners sync.WaitGroup
	listeners.Go(func() { h.pulse.beat(stop) }) // ends with stop
	t.Cleanup(func() {
		close(stop)
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		listeners.Wait()
	})
	news := newsFrames()
	for range subscribers {
		c := h.enter(t, client.Options{Timeout: patience})
		listeners.Go(func() { h.listen(c, news) }) // ends with the connection
	}
	for range stuck {
		c := h.enter(t, client.Options{Timeout: patience, Dial: narrow})
		ask := fmt.Sprintf(`["1","large","room:1","echo",{"text":%q}]`, strings.Repeat("x", large))
		if err := c.SendText(ask); err != nil {
			t.Fatal(err)
		}
		h.stuck = append(h.stuck, c)
	}
	h.await(t, "the large answers wait", func(s roost.Stats) bool {
		return s.WebSocket.MessagesIn == subscribers+2*stuck && s.WebSocket.OutboxHigh > large/4
	})
	return h
}

// narrow connects with a small buffer, which is soon full.
func narrow(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, address)
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(64 << 10)
	}
	return nc, err
}

func (h *hall) enter(t *testing.T, o client.Options) *client.Conn {
	t.Helper()
	o.TLS = h.tls
	c := client.Open(t, h.url, o)
	c.Join(t, "room:1", "1", "")
	_ = c.NetConn().SetDeadline(time.Time{})
	return c
}

func pad(n int) string { return fmt.Sprintf("%d %s", n, strings.Repeat("x", newsSize)) }

// newsFrames are the broadcasts as they must arrive.
func newsFrames() (list [][]byte) {
	for n := range rounds {
		payload := fmt.Sprintf(`[null,null,"room:1","news",{"text":%q}]`, pad(n))
		list = append(list, append(frame.AppendHeader(nil, frame.Text, false, len(payload)), payload...))
	}
	return list
}

// listen reads all news in order, until the connection ends.
func (h *hall) listen(c *client.Conn, news [][]byte) {
	in := make([]byte, 2*newsSize)
	for n, want := range news {
		got := in[:len(want)]
		if _, err := io.ReadFull(c.NetConn(), got); err != nil || !bytes.Equal(got, want) {
			h.problems <- fmt.Sprintf("news %d came as %.60q: %v", n, got, err)
			return
		}
		h.heard <- struct{}{}
	}
}

// publish broadcasts all news, each when those who read have heard the last.
func (h *hall) publish(t *testing.T) {
	t.Helper()
	var slowest time.Duration
	h.pulse.late.Store(0)
	for n := range rounds {
		began := time.Now()
		if err := h.Broadcast(context.Background(), "room:1", "news", map[string]string{"text": pad(n)}); err != nil {
			t.Fatal(err)
		}
		for range subscribers {
			select {
			case <-h.heard:
			case p := <-h.problems:
				t.Fatal(p)
			case <-time.After(patience):
				t.Fatalf("news %d is not heard by all", n)
			}
		}
		slowest = max(slowest, time.Since(began))
	}
	h.pulse.judge(t, "news", slowest)
}

// bounded fails if more is kept than the stuck clients may let wait.
func (h *hall) bounded(t *testing.T, before int64, outbox int) {
	t.Helper()
	got := h.Stats().WebSocket
	if got.OutboxHigh > int64(large+outbox+8<<10) {
		t.Errorf("%d bytes waited for one client, want %d at most", got.OutboxHigh, outbox)
	}
	if more := testleak.Heap() - before; more > int64(stuck*(large+outbox))+8<<20 {
		t.Errorf("%d bytes are kept for %d clients", more, stuck)
	}
}

// await waits until the counts are as a test wants them.
func (h *hall) await(t *testing.T, what string, so func(roost.Stats) bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !so(h.Stats()); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it never came to be that %s: %+v", what, h.Stats())
		}
	}
}

const hallOutbox = 64 << 10

func TestStuckSubscribersAreClosedAndTheOthersHearAll(t *testing.T) {
	onEachHall(t, websocket.Config{Outbox: hallOutbox}, roost.CloseSlow{}, func(t *testing.T, h *hall) {
		before := testleak.Heap()
		h.publish(t)
		h.await(t, "the stuck ones are closed", func(s roost.Stats) bool {
			return s.WebSocket.SlowConsumers == stuck && s.Channels == subscribers && s.WebSocket.Connections == subscribers
		})
		h.bounded(t, before, hallOutbox)
		if s := h.Stats().WebSocket; s.Thinned != 0 || s.WriteTimeouts != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestStuckSubscribersAreClosedAfterTheWriteTimeout(t *testing.T) {
	ws := websocket.Config{Outbox: 64 << 20, WriteTimeout: time.Second}
	onEachHall(t, ws, roost.KeepLatest{}, func(t *testing.T, h *hall) {
		h.publish(t)
		h.await(t, "the stuck ones are closed", func(s roost.Stats) bool {
			return s.WebSocket.WriteTimeouts == stuck && s.WebSocket.Connections == subscribers && s.Channels == subscribers
		})
		if s := h.Stats().WebSocket; s.SlowConsumers != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestStuckSubscribersAreThinnedAndTheOthersHearAll(t *testing.T) {
	for name, policy := range map[string]roost.SlowConsumer{
		"drop_oldest": roost.DropOldest{Frames: 10}, "keep_latest": roost.KeepLatest{},
	} {
		t.Run(name, func(t *testing.T) {
			onEachHall(t, websocket.Config{Outbox: hallOutbox}, policy, func(t *testing.T, h *hall) {
				before := testleak.Heap()
				h.publish(t)
				if s := h.Stats().WebSocket; s.Connections != subscribers+stuck || s.SlowConsumers != 0 || s.Thinned < stuck {
					t.Errorf("%+v", s)
				}
				h.bounded(t, before, hallOutbox)
				heard := 0
				for _, c := range h.stuck {
					heard += h.comeBack(t, c)
				}
				if s := h.Stats().WebSocket; int(s.DroppedOldest+s.DroppedOutdated) != stuck*rounds-heard { //nolint:gosec // few
					t.Errorf("%d of %d were heard: %+v", heard, stuck*rounds, s)
				}
			})
		})
	}
}

// comeBack has a stuck client ask for something, and then read: all answers
// come, and the newest news. It returns how much news came.
func (h *hall) comeBack(t *testing.T, c *client.Conn) (heard int) {
	t.Helper()
	const asked = 20
	for i := range asked {
		if err := c.SendText(fmt.Sprintf(`["1","ask %d","room:1","echo",{}]`, i)); err != nil {
			t.Fatal(err)
		}
	}
	for last, answered, whole := -1, 0, false; last < rounds-1 || answered < asked || !whole; {
		m := string(c.Next(t).Payload)
		var n int
		switch {
		case strings.HasPrefix(m, `[null,null,"room:1","news"`):
			if _, err := fmt.Sscanf(m, `[null,null,"room:1","news",{"text":"%d `, &n); err != nil || n <= last {
				t.Fatalf("after news %d came %.60q: %v", last, m, err)
			}
			last = n
			heard++
		case strings.HasPrefix(m, fmt.Sprintf(`["1","ask %d","room:1","phx_reply"`, answered)):
			answered++
		case strings.HasPrefix(m, `["1","large","room:1","phx_reply"`) && len(m) > large && !whole:
			whole = true
		default:
			t.Fatalf("after %d answers came %.60q", answered, m)
		}
	}
	return heard
}
