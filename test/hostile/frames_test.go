package hostile

import (
	"bytes"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// part is a frame that is not the last of its message.
func part(op frame.Opcode, payload string) []byte {
	return frame.AppendMasked(nil, false, 0, op, [4]byte{1, 2, 3, 4}, []byte(payload))
}

// parts are n frames of a message that never ends.
func parts(n int, payload string) []byte {
	return append(part(frame.Binary, payload), bytes.Repeat(part(frame.Continuation, payload), n-1)...)
}

// announces is the header of a masked frame, without its payload.
func announces(op frame.Opcode, length uint64) []byte {
	b := []byte{0x80 | byte(op), 0xff}
	for shift := 56; shift >= 0; shift -= 8 {
		b = append(b, byte(length>>shift))
	}
	return append(b, 1, 2, 3, 4)
}

// waits checks that a message which is as large as may be is waited for.
func (f *fort) waits(t *testing.T, sent []byte) {
	t.Helper()
	c := f.attacker(t, "2.0.0", client.Options{})
	if err := c.SendRaw(sent); err != nil {
		t.Fatal(err)
	}
	if err := c.Ping("still here"); err != nil {
		t.Fatal(err)
	}
	c.ExpectPong(t, "still here")
	c.Abort()
	f.stands(t)
}

func TestFragmentsWithoutEndAreBoundedByTheMessage(t *testing.T) {
	onEachEngine(t, tight, func(t *testing.T, f *fort) {
		f.waits(t, parts(6, repeat("x", 1000)))
		f.strikes(t, client.Options{}, parts(7, repeat("x", 1000)), 1009)
	})
}

func TestTinyFragmentsAreBoundedByTheirNumber(t *testing.T) {
	onEachEngine(t, tight, func(t *testing.T, f *fort) {
		f.waits(t, parts(20, "x"))
		f.strikes(t, client.Options{}, parts(21, "x"), 1008)
	})
	t.Run("by default", func(t *testing.T) {
		onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
			f.strikes(t, client.Options{}, parts(1<<17+1, "x"), 1008)
		})
	})
}

// Were each fragment's work in proportion to those before it, half a million of
// them would take minutes, and the honest client would wait for them.
func TestTheWorkOfAFragmentDoesNotGrowWithThoseBeforeIt(t *testing.T) {
	onEachEngine(t, websocket.Config{MaxFragments: 1 << 19}, func(t *testing.T, f *fort) {
		f.strikes(t, client.Options{}, parts(1<<19+1, "x"), 1008)
	})
}

func TestFramesAndMessagesOverTheirBoundAreRefusedBeforeTheyArrive(t *testing.T) {
	onEachEngine(t, tight, func(t *testing.T, f *fort) {
		f.waits(t, part(frame.Binary, repeat("x", 4000)))
		f.strikes(t, client.Options{}, announces(frame.Binary, 4001), 1009)
		half := part(frame.Binary, repeat("x", 4000))
		f.strikes(t, client.Options{}, append(half, announces(frame.Continuation, 2001)...), 1009)
	})
}

func TestLengthsThatWouldOverflowAreRefused(t *testing.T) {
	onEachEngine(t, tight, func(t *testing.T, f *fort) {
		for length, code := range map[uint64]uint16{1 << 31: 1009, 1<<32 + 1: 1009, 1<<63 - 1: 1009, 1 << 63: 1002, 1<<64 - 1: 1002} {
			f.strikes(t, client.Options{}, announces(frame.Binary, length), code)
			f.strikes(t, client.Options{}, append(part(frame.Binary, "some"), announces(frame.Continuation, length)...), code)
		}
	})
}

func TestBombsAreInflatedToTheirBoundOnly(t *testing.T) {
	const size, bombs = 16 << 20, 32
	bomb := frame.AppendMasked(nil, true, frame.RSV1, frame.Binary, [4]byte{1, 2, 3, 4}, frame.Deflate(nil, make([]byte, size)))
	for name, ws := range map[string]websocket.Config{
		"the message": {Compress: true, MaxRatio: -1, MaxFrame: 100_000},
		"the ratio":   {Compress: true, MaxFrame: 2 * size},
	} {
		t.Run("bounded by "+name, func(t *testing.T) {
			onEachEngine(t, ws, func(t *testing.T, f *fort) {
				before := allocated()
				for range bombs {
					f.strikes(t, client.Options{Deflate: true}, bomb, 1009)
				}
				if more := allocated() - before; more > bombs*size/2 {
					t.Errorf("%d bytes were allocated for %d bombs of %d", more, bombs, size)
				}
			})
		})
	}
}

// allocated is how many bytes were ever allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestFramesThatBreakTheProtocolEndTheirConnectionOnly(t *testing.T) {
	masked := func(rsv byte, op frame.Opcode, payload string) []byte {
		return frame.AppendMasked(nil, true, rsv, op, [4]byte{1, 2, 3, 4}, []byte(payload))
	}
	for name, row := range map[string]struct {
		sent []byte
		code uint16
	}{
		"unmasked":                       {append([]byte{0x81, byte(len(beatV2))}, beatV2...), 1002},
		"bad UTF-8":                      {masked(0, frame.Text, "[\xff]"), 1007},
		"bad UTF-8 in the middle":        {append(part(frame.Text, "€"[:2]), part(frame.Continuation, "[")...), 1007},
		"the first reserved bit":         {masked(frame.RSV1, frame.Text, beatV2), 1002},
		"the second reserved bit":        {masked(frame.RSV2, frame.Text, beatV2), 1002},
		"the third reserved bit":         {masked(frame.RSV3, frame.Text, beatV2), 1002},
		"a reserved opcode":              {masked(0, 3, beatV2), 1002},
		"a reserved control opcode":      {masked(0, 11, ""), 1002},
		"a ping that is too long":        {masked(0, frame.Ping, repeat("p", 126)), 1002},
		"a continuation of nothing":      {masked(0, frame.Continuation, beatV2), 1002},
		"a message within a message":     {append(part(frame.Text, "["), masked(0, frame.Text, beatV2)...), 1002},
		"a close reason that is no text": {masked(0, frame.Close, "\x03\xe8\xff"), 1007},
	} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) { f.strikes(t, client.Options{}, row.sent, row.code) })
		})
	}
}

// The buffers that frames are written to have held what was for others.
func TestACloseFrameHoldsItsCodeAndNothingElse(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		secret := f.attacker(t, "2.0.0", client.Options{})
		secret.Join(t, "room:1", "1", "")
		if err := secret.Push("1", "2", "room:1", "echo", `{"secret":"`+repeat("s", 5000)+`"}`); err != nil {
			t.Fatal(err)
		}
		secret.ExpectReply(t, "1", "2", "room:1", "ok")
		secret.Abort()
		c := f.attacker(t, "2.0.0", client.Options{})
		if err := c.SendRaw([]byte{0x81, 0}); err != nil { // unmasked
			t.Fatal(err)
		}
		_ = c.NetConn().SetReadDeadline(time.Now().Add(patience))
		got, err := io.ReadAll(c.NetConn())
		if want := []byte{0x88, 2, 1002 >> 8, 1002 & 0xff}; err != nil || !bytes.Equal(got, want) {
			t.Errorf("got % x, %v, want % x", got, err, want)
		}
		c.Drop()
	})
}
