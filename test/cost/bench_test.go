package cost

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/roostgo/roost/transport/websocket"
)

func BenchmarkHeartbeat(b *testing.B) {
	for _, e := range engines() {
		b.Run("engine="+string(e), func(b *testing.B) {
			_, url := serve(b, e)
			c := dial(b, url)
			beat, want := heartbeat()
			b.ReportAllocs()
			for b.Loop() {
				c.ask(b, beat, want)
			}
		})
	}
}

// BenchmarkPingPong is a push that a channel answers.
func BenchmarkPingPong(b *testing.B) {
	for _, e := range engines() {
		b.Run("engine="+string(e), func(b *testing.B) {
			_, url := serve(b, e)
			c := dial(b, url)
			enter, entered := join("room:1")
			c.ask(b, enter, entered)
			push, want := echo("room:1")
			b.ReportAllocs()
			for b.Loop() {
				c.ask(b, push, want)
			}
		})
	}
}

// BenchmarkFanOut is a broadcast to all clients of one lane; what is measured
// includes the clients' reading.
func BenchmarkFanOut(b *testing.B) {
	for _, e := range engines() {
		for _, n := range []int{10, 1000} {
			b.Run(fmt.Sprintf("engine=%s/clients=%d", e, n), func(b *testing.B) { fanOut(b, e, n) })
		}
	}
}

func fanOut(b *testing.B, e websocket.Engine, n int) {
	endpoint, url := serve(b, e)
	enter, entered := join("room:1")
	news := map[string]string{"text": strings.Repeat("x", 100)}
	want := answer(fmt.Sprintf(`[null,null,"room:1","news",{"text":%q}]`, news["text"]))
	var delivered sync.WaitGroup
	for range n {
		c := dial(b, url)
		c.ask(b, enter, entered)
		go func() { // ends with the connection
			in := make([]byte, len(want))
			for _, err := io.ReadFull(c.nc, in); err == nil; _, err = io.ReadFull(c.nc, in) {
				delivered.Done()
			}
		}()
	}
	b.ReportAllocs()
	for b.Loop() {
		delivered.Add(n)
		if err := endpoint.Broadcast(context.Background(), "room:1", "news", news); err != nil {
			b.Fatal(err)
		}
		delivered.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
}
