package roost_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
)

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // below 8 EiB
}

func TestEventsThatWaitForASlowLogAreSmall(t *testing.T) {
	const times = 32
	long := strings.Repeat("t", 256<<10)
	for name, send := range map[string]func(t *testing.T, c *client.Conn, ref string){
		"topics": func(_ *testing.T, c *client.Conn, ref string) { must(c.Push(ref, ref, long, "phx_join", "")) },
		"crashes": func(t *testing.T, c *client.Conn, ref string) {
			c.Join(t, "room:1", ref, "")
			must(c.Push(ref, ref, "room:1", "crash", `{"a":"`+long+`"}`))
		},
		"handled": func(t *testing.T, c *client.Conn, ref string) {
			c.Join(t, "room:"+ref, ref, "")
			must(c.Push(ref, ref, "room:"+ref, long[:1<<16], `{"a":"`+long+`"}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			release, handled := make(chan bool), make(chan bool, times)
			h := listener{handle: func(telemetry.Event) { <-release }}
			_, url := play(t, roost.Config{Telemetry: []telemetry.Handler{h}, MaxName: 1 << 20, MailboxBytes: -1}, actor{in: func(_ *roost.Socket, event string) error {
				if event == "crash" {
					return errTable
				}
				handled <- true
				return nil
			}})
			t.Cleanup(func() { close(release) })
			c := client.Open(t, url, client.Options{})
			before := heap()
			for i := range times {
				send(t, c, fmt.Sprint(i))
				if name != "handled" {
					c.Next(t)
				}
			}
			alive(t, c)
			for range times {
				if name == "handled" {
					receive(t, handled, "message that is handled")
				}
			}
			for late := time.Now().Add(patience); heap()-before > 3<<20; runtime.Gosched() { // a worker that has handled it may hold it
				if time.Now().After(late) {
					t.Fatalf("%d KiB are kept for %d events", (heap()-before)>>10, times)
				}
			}
		})
	}
}

func TestTheParametersOfAConnectAreKeptUntilTheyAreTooMany(t *testing.T) {
	connected := make(chan telemetry.SocketConnected, 1)
	h := listener{handle: func(e telemetry.Event) {
		if e, ok := e.(telemetry.SocketConnected); ok {
			connected <- e
		}
	}}
	_, url := play(t, roost.Config{Telemetry: []telemetry.Handler{h}, Connect: func(_ context.Context, c *roost.Connect) error {
		c.ID = c.Params.String("id")
		return nil
	}}, actor{})
	client.Open(t, url+"&a[b][]=1&c=%3Cd%3E", client.Options{})
	if got := fmt.Sprint(receive(t, connected, "event").Params.Unfiltered()); got != "map[a:map[b:[1]] c:<d> vsn:2.0.0]" {
		t.Errorf("got %s", got)
	}
	client.Open(t, url+"&a="+strings.Repeat("x", 20_000)+"&id="+strings.Repeat("x", 300), client.Options{})
	if e := receive(t, connected, "event"); e.Params.Unfiltered() != "20330 bytes" || len(e.ID) > 260 {
		t.Errorf("got %v of %s", e.Params.Unfiltered(), e.ID)
	}
}
