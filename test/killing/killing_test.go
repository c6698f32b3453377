package killing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/internal/testleak"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

var hurried = websocket.Config{Loops: 2, Outbox: 64 << 10, CloseTimeout: 50 * time.Millisecond}

// deaths are the ways in which a client ends.
var deaths = []func(r *rand.Rand, c *client.Conn){
	func(_ *rand.Rand, c *client.Conn) { c.Abort() },
	func(_ *rand.Rand, c *client.Conn) { c.Drop() },
	func(_ *rand.Rand, c *client.Conn) { _ = c.Close(1000); c.Drop() },
	func(_ *rand.Rand, c *client.Conn) { // half-closes and reads until the server has gone, too
		_ = c.NetConn().(*net.TCPConn).CloseWrite()
		for _, err := c.Read(patience); err == nil; _, err = c.Read(patience) {
		}
		c.Drop()
	},
	func(r *rand.Rand, c *client.Conn) { // in the middle of a frame
		b := frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{1, 2, 3, 4}, make([]byte, 100_000))
		_ = c.SendRaw(b[:1+r.IntN(len(b)-1)])
		c.Abort()
	},
	func(_ *rand.Rand, c *client.Conn) { // while a join runs, with more behind it
		_ = c.Push("9", "9", "slow:death", "phx_join", "")
		_ = c.Push("9", "10", "slow:death", "echo", "")
		_ = c.Push("11", "11", "slow:death too", "phx_join", "")
		c.Abort()
	},
	func(_ *rand.Rand, c *client.Conn) { // right behind a leave
		_ = c.Push("1", "12", "room:1", "phx_leave", "")
		c.Drop()
	},
	func(_ *rand.Rand, c *client.Conn) { // right behind a crash
		_ = c.Push("1", "13", "room:1", "crash", "")
		c.Abort()
	},
	func(_ *rand.Rand, c *client.Conn) { // after what cannot be decoded
		_ = c.SendText("{")
		c.Drop()
	},
	func(_ *rand.Rand, c *client.Conn) { // without having read the answers
		for range 500 {
			_ = c.Push("1", "14", "room:1", "echo", `{"pad":"0123456789012345678901234567890123456789"}`)
		}
		c.Abort()
	},
}

// live joins some topics and uses them, reading now and then, and dies.
func (h *house) live(r *rand.Rand, who int) {
	c, err := h.dial(fmt.Sprint("user:", who%50))
	if err != nil {
		h.t.Errorf("dial: %v", err)
		return
	}
	for i := range r.IntN(4) {
		ref := fmt.Sprint(i + 1)
		topic := fmt.Sprintf("%s:%d", []string{"room", "slow"}[r.IntN(2)], i+r.IntN(2)*10)
		_ = c.Push(ref, ref, topic, "phx_join", "")
		if r.IntN(3) > 0 {
			_, _ = c.Read(patience)
		}
		_ = c.Push(ref, ref+"0", topic, []string{"echo", "shout", "heartbeat"}[r.IntN(3)], `{"x":1}`)
	}
	deaths[r.IntN(len(deaths))](r, c)
}

// news broadcasts and disconnects, again and again, until it is stopped.
func (h *house) news(stop chan struct{}, pace time.Duration) {
	for i := 0; ; i++ {
		for room := range 13 {
			_ = h.Broadcast(context.Background(), fmt.Sprint("room:", room), "news", map[string]int{"n": i})
		}
		if i%10 == 0 {
			_ = h.Disconnect(context.Background(), fmt.Sprint("user:", i/10%50))
		}
		select {
		case <-stop:
			return
		case <-time.After(pace):
		}
	}
}

func TestNothingIsLeftOfClientsThatDie(t *testing.T) {
	const workers, each = 8, 80
	onEachEngine(t, hurried, func(t *testing.T, h *house) {
		keeper := client.Open(t, h.url(""), client.Options{Timeout: patience})
		keeper.ExpectQuiet(t)
		open, running := testleak.Descriptors(), runtime.NumGoroutine()

		stop := make(chan struct{})
		var others, dying sync.WaitGroup
		others.Go(func() { h.news(stop, time.Millisecond) })
		for i := range workers {
			dying.Go(func() {
				r := rand.New(rand.NewPCG(uint64(i), 5))
				for n := range each {
					h.live(r, i*each+n)
				}
			})
		}
		dying.Wait()
		close(stop)
		others.Wait()

		h.empty(1)
		h.eventually("no descriptor is left", func() bool { return testleak.Descriptors() <= open })
		h.eventually("no goroutine is left but idle workers", func() bool { return runtime.NumGoroutine() <= running+4 })
		keeper.ExpectQuiet(t)
		keeper.Drop()
	})
}

// Clients that join all at once and die all at once, on one topic.
func TestNothingIsLeftOfAHerd(t *testing.T) {
	const n = 400
	onEachEngine(t, hurried, func(t *testing.T, h *house) {
		herd := make([]*client.Conn, n)
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				for k := i; k < n; k += 8 {
					c, err := h.dial("")
					if err != nil {
						t.Errorf("dial: %v", err)
						return
					}
					herd[k] = c
					_ = c.Push("1", "1", "room:herd", "phx_join", "")
				}
			})
		}
		wait.Wait()
		h.eventually("all have joined", func() bool { return h.Stats().Channels == n })
		for range 5 {
			if err := h.Broadcast(context.Background(), "room:herd", "news", nil); err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range herd {
			if i%2 == 0 {
				c.Abort()
			} else {
				c.Drop()
			}
		}
		h.empty(0)
	})
}

func TestNothingIsLeftOfDuplicateJoins(t *testing.T) {
	onEachEngine(t, hurried, func(t *testing.T, h *house) {
		for i := range 40 {
			c, err := h.dial("")
			if err != nil {
				t.Fatal(err)
			}
			for ref := range i + 1 {
				_ = c.Push(fmt.Sprint(ref), fmt.Sprint(ref), "slow:same", "phx_join", "")
			}
			if i%2 == 0 {
				_, _ = c.Read(patience)
			}
			c.Abort()
		}
		h.eventually("nothing is joined", func() bool {
			s := h.Stats()
			return s.Channels == 0 && s.Topics == 0 && s.Workers == 0 && s.WebSocket.Connections == 0
		})
		h.left.Store(h.entered.Load()) // one that is replaced does not terminate [§7.5]
	})
}

// The client goes while Join waits; Join then says ok to nobody.
func TestAJoinThatIsTooLateLeavesNothing(t *testing.T) {
	onEachEngine(t, hurried, func(t *testing.T, h *house) {
		const n = 50
		for i := range n {
			c, err := h.dial("")
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Push("1", "1", fmt.Sprint("gate:", i%5), "phx_join", "")
			defer c.Drop()
			if i%2 == 0 {
				h.eventually("it waits at the gate", func() bool { return h.waiting.Load() == int64(i+1) })
				c.Abort()
			}
		}
		h.eventually("all wait at the gate", func() bool { return h.waiting.Load() == n })
		close(h.gate)
		h.eventually("all have entered", func() bool { return h.entered.Load() == n })
		h.eventually("half are here", func() bool { return h.Stats().Channels == n/2 })
	})
}

// The server goes while Join waits.
func TestAJoinThatOutlivesTheServerLeavesNothing(t *testing.T) {
	onEachEngine(t, hurried, func(t *testing.T, h *house) {
		c, err := h.dial("")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Drop()
		_ = c.Push("1", "1", "gate:1", "phx_join", "")
		h.eventually("it waits at the gate", func() bool { return h.waiting.Load() == 1 })
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if err := h.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), "still run") {
			t.Errorf("shutdown: %v", err)
		}
		close(h.gate)
		h.empty(0)
	})
}

func TestShutdownUnderLoadLeavesNothing(t *testing.T) {
	onEachEngine(t, hurried, func(t *testing.T, h *house) {
		stop := make(chan struct{})
		var others, living sync.WaitGroup
		others.Go(func() { h.news(stop, time.Millisecond) })
		for i := range 8 {
			living.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					c, err := h.dial(fmt.Sprint("user:", n%50))
					if err != nil {
						continue // it stops
					}
					for k := range 3 {
						_ = c.Push("1", "1", fmt.Sprint("room:", (i+k)%13), "phx_join", "")
						_ = c.Push("1", "2", fmt.Sprint("room:", (i+k)%13), "shout", "")
					}
					_, _ = c.Read(patience)
					c.Drop()
				}
			})
		}
		h.eventually("there is some life", func() bool { return h.entered.Load() > 200 })
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		close(stop)
		others.Wait()
		living.Wait()
		h.empty(0)
	})
}
