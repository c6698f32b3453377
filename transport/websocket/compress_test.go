package websocket_test

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

var compressing = websocket.Config{Compress: true, CloseTimeout: time.Minute}

func TestMessagesAreCompressedBothWays(t *testing.T) {
	long := strings.Repeat("compress me, ", 1000)
	onEachEngine(t, compressing, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{Deflate: true})
		if err := c.SendDeflated(frame.Text, []byte(long)); err != nil {
			t.Fatal(err)
		}
		if m := c.Next(t); !m.Deflated || string(m.Payload) != long {
			t.Errorf("got %.100v, compressed %v", m, m.Deflated)
		}
		send(t, c, text(long)) // may be sent plainly
		if m := c.Next(t); !m.Deflated || string(m.Payload) != long {
			t.Errorf("got %.100v, compressed %v", m, m.Deflated)
		}
		if got := v.messages(); len(got) != 2 || got[0] != long || got[1] != long {
			t.Errorf("received %.100q", got)
		}
	})
}

func TestSmallAndControlFramesAreNotCompressed(t *testing.T) {
	onEachEngine(t, compressing, func(t *testing.T, s *stage) {
		c, _ := s.dial(client.Options{Deflate: true})
		send(t, c, texts("small", strings.Repeat("x", 63), strings.Repeat("x", 64)))
		for _, want := range []bool{false, false, true} {
			if m := c.Next(t); m.Deflated != want {
				t.Errorf("%v: compressed %v", m, m.Deflated)
			}
		}
		if err := c.Ping(strings.Repeat("p", 125)); err != nil {
			t.Fatal(err)
		}
		c.ExpectPong(t, strings.Repeat("p", 125))
		if err := c.Close(1000); err != nil {
			t.Fatal(err)
		}
		c.ExpectClose(t, 1000)
	})
}

func TestAClientWithASmallWindowIsSentWhatItCanRead(t *testing.T) {
	onEachEngine(t, compressing, func(t *testing.T, s *stage) {
		small := http.Header{"Sec-WebSocket-Extensions": {"permessage-deflate; server_max_window_bits=9"}}
		c, _ := s.dial(client.Options{Header: small})
		if got := c.Response.Header.Get("Sec-WebSocket-Extensions"); !strings.HasSuffix(got, "; server_max_window_bits=9") {
			t.Errorf("negotiated %q", got)
		}
		for n, want := range map[int]bool{512: true, 513: false, 10_000: false} {
			payload := strings.Repeat("x", n)
			if err := c.SendDeflated(frame.Text, []byte(payload)); err != nil {
				t.Fatal(err)
			}
			if m := c.Next(t); m.Deflated != want || string(m.Payload) != payload {
				t.Errorf("%d bytes came back as %d, compressed %v", n, len(m.Payload), m.Deflated)
			}
		}
	})
}

func TestABroadcastGoesCompressedToThoseWhoAskedForIt(t *testing.T) {
	long := strings.Repeat("news, ", 1000)
	onEachEngine(t, compressing, func(t *testing.T, s *stage) {
		plain, pv := s.dial(client.Options{})
		deflate, dv := s.dial(client.Options{Deflate: true})
		f := frameOf(long)
		for _, v := range []*visit{pv, dv, dv, pv} {
			v.onLane(t, func() { v.conn.Enqueue(f, transport.Bulk) })
		}
		for range 2 {
			if m := plain.Next(t); m.Deflated || string(m.Payload) != long {
				t.Errorf("got %.100v", m)
			}
			if m := deflate.Next(t); !m.Deflated || string(m.Payload) != long {
				t.Errorf("got %.100v", m)
			}
		}
	})
}

func TestCompressionIsNotUsedUnlessBothWantIt(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, c := range []websocket.Config{{Compress: true}, {}} {
		onEachEngine(t, c, func(t *testing.T, s *stage) {
			conn, _ := s.dial(client.Options{Deflate: !c.Compress})
			if h := conn.Response.Header.Get("Sec-WebSocket-Extensions"); h != "" {
				t.Errorf("negotiated %q", h)
			}
			send(t, conn, text(long))
			if m := conn.Next(t); m.Deflated {
				t.Errorf("got %v compressed", m)
			}
		})
	}
}

func TestLargeCompressedFragmentedMessages(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	mixed := make([]byte, 2<<20)
	for i := range mixed {
		mixed[i] = byte(r.IntN(8))
	}
	onEachEngine(t, compressing, func(t *testing.T, s *stage) {
		c, _ := s.dial(client.Options{Deflate: true, Timeout: patience})
		packed := frame.Deflate(nil, mixed)
		var b []byte
		for i := 0; i < len(packed); i += 10_000 {
			op, rsv := frame.Continuation, byte(0)
			if i == 0 {
				op, rsv = frame.Binary, frame.RSV1
			}
			end := min(i+10_000, len(packed))
			b = append(b, masked(end == len(packed), rsv, op, string(packed[i:end]))...)
			b = append(b, masked(true, 0, frame.Pong, "")...)
		}
		sent := make(chan error, 1)
		go func() { sent <- c.SendRaw(b) }()
		if m := c.Next(t); !bytes.Equal(m.Payload, mixed) {
			t.Errorf("got %d bytes", len(m.Payload))
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	})
}

func TestCompressedMessagesThatAreWrong(t *testing.T) {
	bomb := frame.Deflate(nil, make([]byte, 9_000_000))
	for name, row := range map[string]struct {
		bytes []byte
		want  uint16
	}{
		"corrupt":           {masked(true, frame.RSV1, frame.Text, "\xff\xff\xff\xff\xff"), 1007},
		"inflates too much": {masked(true, frame.RSV1, frame.Binary, string(bomb)), 1009},
		"not UTF-8":         {masked(true, frame.RSV1, frame.Text, string(frame.Deflate(nil, []byte("\xff")))), 1007},
		"compressed ping":   {masked(true, frame.RSV1, frame.Ping, "x"), 1002},
		"RSV1 later":        {append(masked(false, 0, frame.Text, "x"), masked(true, frame.RSV1, frame.Continuation, "y")...), 1002},
	} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, compressing, func(t *testing.T, s *stage) {
				c, v := s.dial(client.Options{Deflate: true})
				send(t, c, row.bytes)
				c.ExpectClose(t, row.want)
				c.ExpectEOF(t)
				v.awaitClosed(t, transport.ErrBadFrame)
			})
		})
	}
}
