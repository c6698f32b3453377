//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestClientFramesAreReadAsTheyWereWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, size := range []int{0, 1, 7, 8, 9, 125, 126, 127, 65535, 65536, 100001} {
		payload := make([]byte, size)
		for i := range payload {
			payload[i] = byte(r.Uint32())
		}
		kept := bytes.Clone(payload)
		frame := appendFrame(nil, opText, r.Uint32(), payload)
		got, err := readMasked(bufio.NewReader(bytes.NewReader(frame)))
		if err != nil || !bytes.Equal(got, kept) || !bytes.Equal(payload, kept) || frame[0] != 0x81 {
			t.Errorf("size %d: %d bytes came back, error %v", size, len(got), err)
		}
	}
}

func TestServerFramesAreFoundWhole(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 65535, 65536} {
		payload := bytes.Repeat([]byte{'x'}, size)
		frame := serverFrameBytes(0x81, payload)
		for _, cut := range []int{0, 1, 2, 3, len(frame) - 1} {
			if cut >= len(frame) {
				continue
			}
			if f, err := parseFrame(frame[:cut]); f.size != 0 || err != nil {
				t.Errorf("size %d, %d of %d bytes: a frame of %d, error %v", size, cut, len(frame), f.size, err)
			}
		}
		f, err := parseFrame(append(frame, 0x89, 0))
		if err != nil || f.size != len(frame) || f.opcode != opText || !bytes.Equal(f.payload, payload) {
			t.Errorf("size %d: a frame of %d with opcode %d, error %v", size, f.size, f.opcode, err)
		}
	}
}

func TestFramesThatNoServerMaySendAreRefused(t *testing.T) {
	for name, frame := range map[string][]byte{
		"masked":         {0x81, 0x80, 0, 0, 0, 0},
		"first fragment": {0x01, 0},
		"continuation":   {0x80, 0},
		"compressed":     {0xC1, 0},
		"endless":        {0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0},
	} {
		if _, err := parseFrame(frame); !errors.Is(err, errFrame) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzParseFrame(f *testing.F) {
	f.Add(serverFrameBytes(0x81, []byte(`[null,"1","t","e",{}]`)))
	f.Add(serverFrameBytes(0x88, []byte{3, 232}))
	f.Add([]byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1, 7})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := parseFrame(b)
		if err == nil && got.size > 0 && !bytes.Equal(serverFrameBytes(b[0], got.payload)[2:], b[2:got.size]) && b[1] < 126 {
			t.Errorf("%x was read as %x", b, got.payload)
		}
		if got.size > len(b) {
			t.Errorf("a frame of %d in %d bytes", got.size, len(b))
		}
	})
}

func TestMessagesComeApart(t *testing.T) {
	m, ok := parseMessage([]byte(`["1",null,"room:\",[1]","phx_reply",{"status":"ok","response":[1,2]}]`))
	got := []string{string(m.joinRef), string(m.ref), string(m.topic), string(m.event), string(m.payload)}
	wanted := []string{`"1"`, `null`, `"room:\",[1]"`, `"phx_reply"`, `{"status":"ok","response":[1,2]}`}
	if !ok || strings.Join(got, "\n") != strings.Join(wanted, "\n") {
		t.Errorf("got %q", got)
	}
	if !m.replyOK() || !is(m.event, "phx_reply") || is(m.event, "phx_repl") || is(m.ref, "null") {
		t.Errorf("%q is not understood", got)
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	for _, text := range []string{``, `[`, `[]`, `{}`, `["1","1","t","e"]`, `"1","1","t","e",{}`, `["1`, `["1\`, `["1\]`} {
		if m, ok := parseMessage([]byte(text)); ok {
			t.Errorf("%s is read as %+v", text, m)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add([]byte(`[null,null,"room:1","shout",{"s":"~0000"}]`))
	f.Add([]byte(`["1","17","room:\"1","phx_reply",{"status":"ok","response":{}}]`))
	f.Add([]byte(`["1\`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := parseMessage(b)
		if !ok {
			return
		}
		joined := bytes.Join([][]byte{m.joinRef, m.ref, m.topic, m.event, m.payload}, []byte{','})
		if !bytes.Equal(joined, b[1:len(b)-1]) {
			t.Errorf("%q is not %q taken apart", joined, b)
		}
		m.number()
		parseStamp(m.payload)
	})
}

func TestPingsCarryTheirNumber(t *testing.T) {
	for _, n := range []uint64{firstRequest, 1<<32 - 1, 1 << 60} {
		text := appendPing(nil, n, "room:", 12, requestEvent, padded(128))
		m, ok := parseMessage(text)
		if got, numbered := m.number(); !ok || !numbered || got != n || !json.Valid(text) || string(m.topic) != `"room:12"` {
			t.Errorf("%s carries %d", text, got)
		}
	}
	for _, ref := range []string{`""`, `"h"`, `null`, `17`, `"1x"`, `"123456789012345678901234567890"`} {
		if n, ok := (message{ref: []byte(ref)}).number(); ok {
			t.Errorf("%s is number %d", ref, n)
		}
	}
}

func TestStampsSurviveAServer(t *testing.T) {
	for _, s := range []stamp{{}, {at: 1, seq: 1}, {at: 1 << 62, seq: 1<<32 - 1}} {
		for _, size := range []int{minPayload, 128, 5000} {
			payload := appendStamped([]byte("x"), s, size)[1:]
			if len(payload) != size || !json.Valid(payload) {
				t.Errorf("%s: %d bytes, want %d of JSON", payload, len(payload), size)
			}
			// Phoenix decodes it and encodes it again, perhaps with spaces.
			if got, ok := parseStamp(append([]byte(` { "s" : `), payload[5:]...)); !ok || got != s {
				t.Errorf("%+v became %+v", s, got)
			}
		}
	}
	for _, text := range []string{`{}`, `{"s":"~123"}`, `{"s":"~` + strings.Repeat("z", 24) + `"}`} {
		if s, ok := parseStamp([]byte(text)); ok {
			t.Errorf("%s is stamped %+v", text, s)
		}
	}
}

func TestPaddingHasTheSizeAskedFor(t *testing.T) {
	for _, size := range []int{8, 36, 128} {
		if b := padded(size); len(b) != size || !json.Valid(b) {
			t.Errorf("%s has %d bytes, want %d of JSON", b, len(b), size)
		}
	}
	if got := string(padded(1)); got != "{}" {
		t.Errorf("too small a payload is %s", got)
	}
}

// worker in memory: what arrives is taken in without a socket.
func memoryWorker() *worker {
	w := &worker{clock: newClock(), conns: []conn{{fd: -1, state: joined}}, drops: map[string]int{}}
	w.tally.subscribe(w.conns, 1)
	return w
}

func TestADeliveryDoesNotAllocate(t *testing.T) {
	w := memoryWorker()
	frames := make([][]byte, 0, 300)
	for seq := range uint32(300) {
		payload := appendStamped(nil, stamp{at: 1, seq: seq + 1}, 128)
		frames = append(frames, serverFrameBytes(0x81, []byte(`[null,null,"room:0","shout",`+string(payload)+`]`)))
	}
	i := 0
	allocs := testing.AllocsPerRun(200, func() {
		w.consume(0, frames[i])
		i++
	})
	if allocs != 0 || w.tally.delivered != i || w.tally.lost != 0 {
		t.Errorf("%v allocations, %d of %d delivered, %d lost", allocs, w.tally.delivered, i, w.tally.lost)
	}
}

func TestLossesAndRepetitionsAreCounted(t *testing.T) {
	w := memoryWorker()
	for _, seq := range []uint32{1, 2, 2, 5, 4, 6} {
		w.delivered(&w.conns[0], message{payload: appendStamped(nil, stamp{seq: seq}, 128)}, 1)
	}
	w.delivered(&w.conns[0], message{payload: []byte(`{}`)}, 1) // somebody else's
	if got := w.count(countOrder{}); got.Delivered != 4 || got.Lost != 2 || got.Repeated != 2 {
		t.Errorf("delivered %d, lost %d, repeated %d; want 4, 2, 2", got.Delivered, got.Lost, got.Repeated)
	}
}

func BenchmarkDelivery(b *testing.B) {
	w := memoryWorker()
	payload := appendStamped(nil, stamp{at: 1, seq: 1}, 128)
	frame := serverFrameBytes(0x81, []byte(`[null,null,"room:0","shout",`+string(payload)+`]`))
	for b.Loop() {
		w.conns[0].seq = 0
		w.consume(0, frame)
	}
}
