package transport_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/transport"
)

func room(payload string) []byte {
	return append(transport.Room(len(payload)), payload...)
}

// unframe reads a server's frame back.
func unframe(t *testing.T, b []byte, deflate bool) frame.Event {
	t.Helper()
	var a frame.Assembler
	ev, n, err := a.Next(bytes.Clone(b), &frame.Limits{Unmasked: true, Deflate: deflate})
	if err != nil || n != len(b) {
		t.Fatalf("%x: %d bytes read, %v", b, n, err)
	}
	return ev
}

func TestAFrameIsHeaderAndPayloadInOne(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, 100_000} {
		want := strings.Repeat("x", n)
		for _, f := range []*transport.Frame{transport.Seal(room(want), false), transport.SealCopy(room(want), true)} {
			if string(f.Payload()) != want {
				t.Errorf("%d bytes: the payload has %d", n, len(f.Payload()))
			}
			op := frame.Text
			if f.Binary() {
				op = frame.Binary
			}
			if ev := unframe(t, f.WebSocket(), false); ev.Opcode != op || string(ev.Payload) != want {
				t.Errorf("%d bytes: read back as opcode %d with %d", n, ev.Opcode, len(ev.Payload))
			}
		}
	}
}

func TestSealCopyLeavesTheBufferToItsOwner(t *testing.T) {
	buf := room("mine")
	f := transport.SealCopy(buf, false)
	copy(buf[transport.Headroom:], "gone")
	if string(f.Payload()) != "mine" {
		t.Errorf("got %q", f.Payload())
	}
	if wire := transport.SealInPlace(buf, false); string(unframe(t, wire, false).Payload) != "gone" {
		t.Errorf("sealed %x", wire)
	}
}

func TestControlFramesAreSentAsTheyAre(t *testing.T) {
	wire := frame.AppendControl(nil, frame.Ping, bytes.Repeat([]byte("p"), 125))
	f := transport.Control(wire)
	if !bytes.Equal(f.WebSocket(), wire) || !bytes.Equal(f.Deflated(frame.MaxWindow), wire) {
		t.Errorf("%x became %x and %x", wire, f.WebSocket(), f.Deflated(frame.MaxWindow))
	}
}

func TestOnlyWhatIsLongEnoughIsCompressed(t *testing.T) {
	for n, compressed := range map[int]bool{0: false, 63: false, 64: true, 10_000: true} {
		want := strings.Repeat("y", n)
		f := transport.Seal(room(want), false)
		if got := f.Deflated(frame.MaxWindow)[0]&frame.RSV1 != 0; got != compressed {
			t.Errorf("%d bytes: compressed %v", n, got)
		}
		if ev := unframe(t, f.Deflated(frame.MaxWindow), true); string(ev.Payload) != want {
			t.Errorf("%d bytes: inflated to %d", n, len(ev.Payload))
		}
	}
}

func TestWhatIsLongerThanTheClientsWindowIsNotCompressed(t *testing.T) {
	for _, c := range []struct {
		length     int
		window     uint8
		compressed bool
	}{
		{256, 8, true}, {257, 8, false}, {16 << 10, 14, true}, {16<<10 + 1, 14, false}, {32<<10 + 1, 15, true}, {1 << 20, 15, true},
	} {
		f := transport.Seal(room(strings.Repeat("y", c.length)), false)
		if got := f.Deflated(c.window)[0]&frame.RSV1 != 0; got != c.compressed {
			t.Errorf("%d bytes for a window of 1<<%d: compressed %v", c.length, c.window, got)
		}
	}
}

// What one connection has begun to send must not be replaced while another
// asks for the first time.
func TestAFrameIsCompressedOnceForAll(t *testing.T) {
	for range 200 {
		f := transport.Seal(room(strings.Repeat("all of us ", 100)), false)
		var got [4][]byte
		var wait sync.WaitGroup
		for i := range got {
			wait.Go(func() { got[i] = f.Deflated(frame.MaxWindow) })
		}
		wait.Wait()
		for _, b := range got {
			if &b[0] != &got[0][0] {
				t.Fatal("two connections send different bytes")
			}
		}
	}
}
