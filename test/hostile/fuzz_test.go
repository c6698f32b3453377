package hostile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
	"github.com/roostgo/roost/wire"
)

// tight are bounds that a fuzzer reaches.
var tight = websocket.Config{MaxFrame: 4000, MaxMessage: 6000, MaxFragments: 20, Compress: true, CloseTimeout: time.Minute}

// limits are tight as the assembler has them.
func limits(deflate bool) *frame.Limits {
	return &frame.Limits{MaxFrame: tight.MaxFrame, MaxMessage: tight.MaxMessage, MaxFragments: tight.MaxFragments, Deflate: deflate, MaxRatio: 100}
}

// phrases are messages that a fuzzer would take long to find.
var phrases = []string{
	beatV2,
	v2(`"1"`, `"1"`, `"room:1"`, `"phx_join"`, "{}"),
	v2(`"1"`, `"2"`, `"room:1"`, `"echo"`, `{"a":"b"}`),
	v2(`"1"`, `"3"`, `"room:1"`, `"shout"`, `{"a":"b"}`),
	v2(`"1"`, `"4"`, `"room:1"`, `"phx_leave"`, "{}"),
	v2(`"5"`, `"5"`, `"room:1"`, `"phx_join"`, "{}"),
	v2(`"1"`, `"6"`, `"room:1"`, `"no such event"`, "{}"),
	v2("null", `"7"`, `"nobody"`, `"phx_join"`, "{}"),
	"{", "€", "\xff",
}

// play turns a fuzzer's bytes into what a client sends: each step is bytes as
// they are, or a masked frame, whose payload may be a phrase.
func play(script []byte) (sent []byte) {
	next := func() byte {
		if len(script) == 0 {
			return 0
		}
		b := script[0]
		script = script[1:]
		return b
	}
	for len(script) > 0 && len(sent) < 1<<16 {
		kind, n := next(), int(next())
		take := func() []byte {
			p := script[:min(n, len(script))]
			script = script[len(p):]
			return p
		}
		switch {
		case kind >= 0xf0: // as they are
			sent = append(sent, take()...)
		case kind >= 0x80: // a phrase
			sent = frame.AppendMasked(sent, true, 0, frame.Text, [4]byte{kind, 1, 2, 3}, []byte(phrases[n%len(phrases)]))
		default: // FIN unless bit 4, reserved bits in 5 and 6, opcode below
			if kind&0x0f == byte(frame.Text) && n > 200 {
				n *= 20
			}
			sent = frame.AppendMasked(sent, kind&0x10 == 0, kind&0x60, frame.Opcode(kind&0x0f), [4]byte{kind, 9, 8, 7}, take())
		}
	}
	return sent
}

// predict is the close code that RFC 6455 and [§5.7] have for what a client
// sends; 0 is none.
func predict(sent []byte, deflate bool) uint16 {
	var a frame.Assembler
	b := bytes.Clone(sent)
	for len(b) > 0 {
		ev, n, err := a.Next(b, limits(deflate))
		b = b[n:]
		if fe := new(frame.Error); errors.As(err, &fe) {
			return fe.Code
		}
		switch ev.Opcode {
		case frame.Text, frame.Binary:
			var m wire.Message
			if wire.V2().Decode(&m, ev.Opcode == frame.Binary, ev.Payload) != nil {
				return 1011
			}
		case frame.Close:
			if ev.Code >= 1012 && ev.Code < 3000 && ev.Code != frame.NoStatus {
				return 1002
			}
			return 1000
		}
	}
	return 0
}

// FuzzConnection sends whatever it likes to a live endpoint, in two writes,
// and hangs up.
func FuzzConnection(f *testing.F) {
	for _, script := range [][]byte{
		{}, {0x80, 0}, {0x80, 1, 0x80, 2, 0x80, 3, 0x80, 4, 0x80, 0}, {0x80, 1, 0x80, 5, 0x80, 6, 0x80, 0}, {0x80, 8}, {0x80, 10},
		{0x01, 3, 'a', 'b', 'c'}, {0x11, 1, 'a', 0x10, 1, 'b', 0x09, 2, 'h', 'i', 0x00, 1, 'c'}, {0x11, 1, '[', 0x01, 0},
		{0x08, 0}, {0x08, 2, 3, 0xe8, 0x80, 0}, {0x08, 2, 3, 0xf4}, {0x08, 1, 3}, {0x08, 3, 3, 0xe8, 0xff}, {0x09, 0, 0x0a, 0}, {0x09, 126},
		{0xf0, 6, 0x81, 0x84, 1, 2, 3, 4}, {0xf0, 2, 0x81, 0x01}, {0xf0, 14, 0x82, 0xff, 0, 0, 0, 0, 0, 0, 0x0f, 0xa1, 1, 2, 3, 4}, {0x03, 0}, {0x21, 1, 'x'},
		{0x41, 4, 'x', 0xc1, 0x01, 0}, {0x02, 8, 0, 1, 1, 1, 1, 'a', 'b', 'c'},
	} {
		f.Add(script, uint16(len(script)/2), true)
		f.Add(script, uint16(1), false)
	}
	var forts []*fort
	for _, e := range engines() {
		ws := tight
		ws.Engine = e
		forts = append(forts, build(f, ws))
	}
	f.Fuzz(func(t *testing.T, script []byte, at uint16, deflate bool) {
		sent := play(script)
		want := predict(sent, deflate)
		for i, fort := range forts {
			if got := fort.attack(t, sent, int(at), deflate); got != want {
				t.Errorf("%s: got %d, want %d for %x", engines()[i], got, want, sent)
			}
			fort.stands(t)
		}
	})
}

// attack sends the bytes in two writes, hangs up, and returns the code of the
// close frame that comes back; 0 is none.
func (f *fort) attack(t *testing.T, sent []byte, at int, deflate bool) uint16 {
	t.Helper()
	c, _, err := client.Dial(context.Background(), f.url("2.0.0"), client.Options{Deflate: deflate, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Drop()
	at = min(at, len(sent))
	_ = c.SendRaw(sent[:at])
	_ = c.SendRaw(sent[at:])
	_ = c.NetConn().(*net.TCPConn).CloseWrite()
	var code uint16
	for {
		m, err := c.Read(patience)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
			return code
		case err != nil:
			t.Fatalf("after %x: %v", sent, err)
		case code != 0:
			t.Fatalf("%v after the close frame", m)
		case m.Opcode == frame.Close:
			code = m.CloseCode
		}
	}
}
