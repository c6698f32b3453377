package echo

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// full says to exchange as many messages as the Autobahn test suite does, which
// takes minutes.
var full = os.Getenv("AUTOBAHN") == "full"

// unlessFull is a part of n, or n with AUTOBAHN=full.
func unlessFull(n, part int) int {
	if full {
		return n
	}
	return n / part
}

// unlessRaced is n, or a part of it under the race detector.
func unlessRaced(n, part int) int {
	if raced {
		return n / part
	}
	return n
}

// kinds are the two kinds of messages; groups of the Autobahn test suite come
// in pairs.
var kinds = [2]struct {
	op   frame.Opcode
	fill string
}{{frame.Text, "*"}, {frame.Binary, "\xfe"}}

// scenario is one case of the Autobahn test suite, by its number there. The
// cases are described in its reports; these tests are our own.
type scenario struct {
	number string
	play   func(s *scene)
}

// scene is the connection on which a scenario plays.
type scene struct {
	*client.Conn
	t        *testing.T
	compress bool // was negotiated
}

// variant is a server that has to pass every scenario.
type variant struct {
	engine   websocket.Engine
	compress bool
}

func (v variant) String() string {
	if v.compress {
		return "engine=" + string(v.engine) + ",compress"
	}
	return "engine=" + string(v.engine)
}

func engines() []websocket.Engine {
	if runtime.GOOS == "linux" {
		return []websocket.Engine{websocket.EventLoops, websocket.Goroutines}
	}
	return []websocket.Engine{websocket.Goroutines}
}

// perform plays scenarios on each engine, without compression and with it.
func perform(t *testing.T, list ...scenario) {
	t.Helper()
	for _, e := range engines() {
		for _, compress := range []bool{false, true} {
			v := variant{e, compress}
			t.Run(v.String(), func(t *testing.T) {
				url := start(t, v)
				for _, sc := range list {
					t.Run(sc.number, func(t *testing.T) { sc.play(enter(t, url, client.Options{Deflate: compress})) })
				}
			})
		}
	}
}

// start runs an echo server until the test ends. Nothing may be left of its
// connections then.
func start(t *testing.T, v variant) (url string) {
	t.Helper()
	handler, err := newHandler(v.engine, v.compress)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := errors.Join(handler.Shutdown(ctx), ctx.Err()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if n := handler.Stats().Connections; n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

// enter connects. The connection is dropped when the test ends.
func enter(t *testing.T, url string, o client.Options) *scene {
	t.Helper()
	o.Timeout = patience
	c := client.Open(t, url, o)
	return &scene{Conn: c, t: t, compress: c.Response.Header.Get("Sec-WebSocket-Extensions") != ""}
}

// offering are options that offer permessage-deflate in these words.
func offering(offers string) client.Options {
	return client.Options{Header: http.Header{"Sec-WebSocket-Extensions": {offers}}}
}

var key = [4]byte{0x12, 0xf3, 0x56, 0x78}

// bits is a frame, well-formed or not.
func bits(fin bool, rsv byte, op frame.Opcode, payload string) []byte {
	return frame.AppendMasked(nil, fin, rsv, op, key, []byte(payload))
}

func text(payload string) []byte { return bits(true, 0, frame.Text, payload) }
func ping(payload string) []byte { return bits(true, 0, frame.Ping, payload) }
func pong(payload string) []byte { return bits(true, 0, frame.Pong, payload) }

// begun is the first fragment of a text, more and final are later ones.
func begun(payload string) []byte { return bits(false, 0, frame.Text, payload) }
func more(payload string) []byte  { return bits(false, 0, frame.Continuation, payload) }
func final(payload string) []byte { return bits(true, 0, frame.Continuation, payload) }

// pieces is a message in fragments of n bytes, compressed where that was
// negotiated.
func (s *scene) pieces(op frame.Opcode, payload string, n int) (frames [][]byte) {
	rsv := byte(0)
	if s.compress {
		rsv, payload = frame.RSV1, string(frame.Deflate(nil, []byte(payload)))
	}
	for first := true; first || payload != ""; first = false {
		cut := min(n, len(payload))
		frames = append(frames, bits(cut == len(payload), rsv, op, payload[:cut]))
		payload, rsv, op = payload[cut:], 0, frame.Continuation
	}
	return frames
}

// whole is a message in one frame.
func (s *scene) whole(op frame.Opcode, payload string) []byte {
	return s.pieces(op, payload, len(payload)+1<<10)[0]
}

// delivery is how frames go to the network.
type delivery func(s *scene, frames ...[]byte)

// atOnce is one write for all.
func atOnce(s *scene, frames ...[]byte) {
	s.t.Helper()
	var all []byte
	for _, f := range frames {
		all = append(all, f...)
	}
	s.raw(all)
}

// frameByFrame is a write for each.
func frameByFrame(s *scene, frames ...[]byte) {
	s.t.Helper()
	for _, f := range frames {
		s.raw(f)
	}
}

// octetByOctet is a write for each byte.
func octetByOctet(s *scene, frames ...[]byte) {
	s.t.Helper()
	for _, f := range frames {
		s.chop(f, 1)
	}
}

// chop writes n bytes at a time.
func (s *scene) chop(b []byte, n int) {
	s.t.Helper()
	for len(b) > 0 {
		cut := min(n, len(b))
		s.raw(b[:cut])
		b = b[cut:]
	}
}

// raw writes. The server may have ended the connection already where that is
// what the test is about; what it has said then is still there to be read.
func (s *scene) raw(b []byte) {
	s.t.Helper()
	if err := s.SendRaw(b); err != nil {
		s.t.Logf("after the end: %v", err)
	}
}

// hears expects a message.
func (s *scene) hears(op frame.Opcode, payload string) {
	s.t.Helper()
	if m := s.Next(s.t); m.Opcode != op || string(m.Payload) != payload {
		s.t.Fatalf("got %.200v (%d bytes), want opcode %d with %d bytes %.100q", m, len(m.Payload), op, len(payload), payload)
	}
}

// leaves closes the connection and expects a clean end and nothing before it.
func (s *scene) leaves() {
	s.t.Helper()
	if err := s.Close(1000); err != nil {
		s.t.Fatal(err)
	}
	s.ends(1000)
}

// ends expects a close frame and the end of the connection.
func (s *scene) ends(code uint16) {
	s.t.Helper()
	s.ExpectClose(s.t, code)
	s.ExpectEOF(s.t)
}
