package hostile

import (
	"errors"
	"fmt"
	"io"
	"os"
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
			onEachEngine(t, websocket.Config{Outbox: 64 << 10, SendBuffer: 16 << 10}, func(t *testing.T, f *fort) {
				flood := []byte(strings.Repeat(string(one), 20_000/len(one)))
				f.floods(t, func() *client.Conn { return f.attacker(t, "2.0.0", client.Options{}) }, flood)
				f.stands(t)
				if s := f.Stats().WebSocket; s.SlowConsumers != 1 || s.OutboxHigh > 64<<10+4096 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// floods sends until the attacker is cut. Answers that leave one by one may fill its
// kernel, which then drops what acknowledges the flood: another one tries again.
func (f *fort) floods(t *testing.T, attacker func() *client.Conn, flood []byte) {
	t.Helper()
	for range 8 {
		nc, err := attacker().NetConn(), error(nil)
		for err == nil {
			_ = nc.SetWriteDeadline(time.Now().Add(patience / 10))
			_, err = nc.Write(flood)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		vanish(nc)
	}
	t.Fatal("nobody is cut")
}

// A channel's answers are queued by its workers, which wait for the lane, not
// for the client: what is in its mailbox is answered, and then it is cut.
func TestAFloodOfPushesOfAClientThatDoesNotRead(t *testing.T) {
	onEachEngine(t, websocket.Config{Outbox: 64 << 10, SendBuffer: 16 << 10}, func(t *testing.T, f *fort) {
		push := frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{}, []byte(v2(`"1"`, `"2"`, `"room:flood"`, `"echo"`, `{"pad":"`+repeat("x", 500)+`"}`)))
		f.floods(t, func() *client.Conn {
			c := f.attacker(t, "2.0.0", client.Options{})
			c.Join(t, "room:flood", "1", "")
			return c
		}, []byte(strings.Repeat(string(push), 30)))
		f.stands(t) // it was cut
		if s := f.Stats().WebSocket; s.SlowConsumers != 1 || s.OutboxHigh > 64<<10+4096 {
			t.Errorf("%+v", s)
		}
	})
}

// A head that is wrong is refused. What comes behind one that is right is
// frames, whatever it calls itself.
func TestBytesThatAreNoHandshake(t *testing.T) {
	const socket = "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\n"
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		for sent, want := range map[string]string{
			"":     "",
			"\x00": "HTTP/1.1 400 ",
			"GET":  "HTTP/1.1 400 ",
			"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03": "HTTP/1.1 400 ",
			"\r\n\r\n\r\n":                           "HTTP/1.1 400 ",
			"GET /socket/websocket HTTP/1.1\r\n\r\n": "HTTP/1.1 400 Bad Request: missing required Host header",
			"GET /socket/websocket?vsn=2.0.0 HTTP/1.0\r\nHost: x\r\n\r\n":            "HTTP/1.0 400 ",
			"GET /socket/websocket?%zz HTTP/1.1\r\nHost: x\r\n\r\n":                  "HTTP/1.1 400 ",
			"GET /socket/websocket?a=%ff HTTP/1.1\r\nHost: x\r\n\r\n":                "HTTP/1.1 400 ",
			"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":                                       "HTTP/1.1 404 ",
			"GET /" + repeat("a", 2<<20):                                             "HTTP/1.1 431 ",
			socket + "Host: x\r\n" + repeat("A: b\r\n", 200_000) + "\r\n":            "HTTP/1.1 431 ",
			socket + upgrade + "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\n\r\n": "HTTP/1.1 400 ",
			socket + upgrade + "Content-Length: 9999999\r\n\r\nbody":                 "HTTP/1.1 101 ",
		} {
			got := f.hears(t, sent)
			if !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("%.60q: got %.100q, want %q", sent, got, want)
			}
			if broken := "\x88\x02\x03\xea"; strings.Contains(want, "101") && !strings.HasSuffix(got, "\r\n\r\n"+broken) {
				t.Errorf("%.60q: got %q, want a close frame with 1002 at the end", sent, got)
			}
		}
	})
}

// hears sends bytes and returns the whole answer. Behind half a head it ends its
// half of the connection; behind a whole one that would look like giving up.
func (f *fort) hears(t *testing.T, sent string) string {
	t.Helper()
	nc := f.dial(t)
	defer nc.Close()
	go func() { // ends when all is sent, or with the connection
		_, _ = io.WriteString(nc, sent)
		if !strings.Contains(sent, "\r\n\r\n") {
			_ = nc.(interface{ CloseWrite() error }).CloseWrite()
		}
	}()
	got, err := io.ReadAll(nc)
	if err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("%.60q: the connection was left open", sent)
	}
	return string(got)
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
