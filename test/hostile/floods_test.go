package hostile

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// What clients that do not read make the server answer is bounded, whatever
// it is.
func TestFloodsOfClientsThatDoNotRead(t *testing.T) {
	masked := func(op frame.Opcode, payload string) []byte {
		return frame.AppendMasked(nil, true, 0, op, [4]byte{4, 3, 2, 1}, []byte(payload))
	}
	for name, one := range map[string][]byte{
		"pings":            masked(frame.Ping, ""),
		"long pings":       masked(frame.Ping, strings.Repeat("p", 125)),
		"heartbeats":       masked(frame.Text, beatV2),
		"unmatched topics": masked(frame.Text, `[null,"1","nobody","e",{}]`),
		"refused joins":    masked(frame.Text, `["1","1","nobody","phx_join",{}]`),
	} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, websocket.Config{Loops: 1, Outbox: 64 << 10, SendBuffer: 16 << 10}, func(t *testing.T, f *fort) {
				c := f.attacker(t, "2.0.0", client.Options{})
				flood := []byte(strings.Repeat(string(one), 20_000/len(one)))
				for c.SendRaw(flood) == nil {
				}
				f.stands(t)
				if s := f.Stats().WebSocket; s.SlowConsumers != 1 || s.OutboxHigh > 64<<10+4096 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// A channel's answers are queued by its workers, which wait for the lane, not
// for the client.
func TestAFloodOfPushesOfAClientThatDoesNotRead(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, Outbox: 64 << 10, SendBuffer: 16 << 10}, func(t *testing.T, f *fort) {
		c := f.attacker(t, "2.0.0", client.Options{})
		c.Join(t, "room:flood", "1", "")
		push := frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{}, []byte(v2(`"1"`, `"2"`, `"room:flood"`, `"echo"`, `{"pad":"`+repeat("x", 500)+`"}`)))
		flood := []byte(strings.Repeat(string(push), 30))
		for c.SendRaw(flood) == nil {
			f.honest.ExpectQuiet(t)
		}
		c.Abort() // if it was not cut
		f.stands(t)
	})
}

func TestBytesThatAreNoHandshake(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		for _, s := range []string{
			"", "\x00", "GET", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\r\n\r\n\r\n",
			"GET /socket/websocket HTTP/1.1\r\n\r\n", "GET /socket/websocket?vsn=2.0.0 HTTP/1.0\r\nHost: x\r\n\r\n",
			"GET /socket/websocket?%zz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /socket/websocket?a=%ff HTTP/1.1\r\nHost: x\r\n\r\n",
			"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /" + repeat("a", 2<<20),
			"GET /socket/websocket HTTP/1.1\r\nHost: x\r\n" + repeat("A: b\r\n", 200_000) + "\r\n",
			"GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 9999999\r\n\r\nbody",
		} {
			nc, err := net.Dial("tcp", f.address)
			if err != nil {
				t.Fatal(err)
			}
			_ = nc.SetDeadline(time.Now().Add(patience))
			_, _ = nc.Write([]byte(s))
			_ = nc.(*net.TCPConn).CloseWrite()
			_, _ = nc.Read(make([]byte, 100))
			_ = nc.Close()
		}
		f.stands(t)
	})
}

func TestTopicsOfUniqueNamesLeaveNothing(t *testing.T) {
	f := build(t, tight)
	c := f.attacker(t, "2.0.0", client.Options{})
	for i := range 2000 {
		topic, ref := fmt.Sprint("room:", i), fmt.Sprint(i)
		c.Join(t, topic, ref, "")
		if err := c.Push(ref, "leave", topic, "phx_leave", ""); err != nil {
			t.Fatal(err)
		}
		for answered := false; !answered; { // the reply and phx_close
			answered = string(c.Next(t).Payload) == v2(`"`+ref+`"`, `"`+ref+`"`, `"`+topic+`"`, `"phx_close"`, "{}")
		}
	}
	if s := f.Stats(); s.Topics != rooms || s.Channels != rooms {
		t.Errorf("%+v", s)
	}
	c.Abort()
	f.stands(t)
}
