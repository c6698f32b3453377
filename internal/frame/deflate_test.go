package frame

import (
	"bytes"
	"compress/flate"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// noise is data that can't be compressed.
func noise(n int) []byte {
	r, b := rand.New(rand.NewPCG(1, 2)), make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// deflated is a compressed frame of the payload.
func deflated(op Opcode, payload string) sent {
	return sent{rsv: RSV1, op: op, payload: string(Deflate(nil, []byte(payload)))}
}

// zeros compresses n zero bytes as densely as the library can.
func zeros(n int) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write(make([]byte, n))
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), flushed)
}

func TestCompressedMessagesReturnWhole(t *testing.T) {
	for _, payload := range []string{"", "a", "Hello", long, strings.Repeat(long, 500), string(noise(100000)), strings.Repeat("\x00", 60000)} {
		lim := Limits{Deflate: true, MaxMessage: max(1, len(payload)), SkipUTF8: true}
		frame := stream(deflated(Text, payload))
		want := []got{text(payload)}
		var a Assembler
		if all := events(t, &a, &lim, frame); !reflect.DeepEqual(all, want) {
			t.Errorf("%d bytes: got %d events, first %.40q, failed %v", len(payload), len(all), all[0].payload, all[0].failed)
		}
		if all := events(t, &a, &lim, frame[:len(frame)/2], frame[len(frame)/2:]); !reflect.DeepEqual(all, want) {
			t.Errorf("%d bytes in halves: got %d events", len(payload), len(all))
		}
		if !a.Idle() {
			t.Errorf("%d bytes: not idle", len(payload))
		}
	}
}

func TestCompressedFormsOfTheRFCAreRead(t *testing.T) {
	for _, c := range []struct {
		name   string
		frames []sent
	}{ // RFC 7692 §7.2.3
		{"one block", []sent{{rsv: RSV1, op: Text, payload: "\xf2\x48\xcd\xc9\xc9\x07\x00"}}},
		{"two fragments", []sent{{more: true, rsv: RSV1, op: Text, payload: "\xf2\x48\xcd"}, {payload: "\xc9\xc9\x07\x00"}}},
		{"a block without compression", []sent{{rsv: RSV1, op: Text, payload: "\x00\x05\x00\xfa\xffHello\x00"}}},
		{"a final block", []sent{{rsv: RSV1, op: Text, payload: "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"}}},
		{"a final block without the byte behind it", []sent{{rsv: RSV1, op: Text, payload: "\xf3\x48\xcd\xc9\xc9\x07\x00"}}},
		{"two blocks", []sent{{rsv: RSV1, op: Text, payload: "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"}}},
		{"a final block, then another", []sent{{rsv: RSV1, op: Text, payload: "\x01\x03\x00\xfc\xffHel\x00\x02\x00\xfd\xfflo\x00"}}},
		{"not compressed at all", []sent{{op: Text, payload: "Hello"}}},
	} {
		if all := events(t, new(Assembler), &deflating, stream(c.frames...)); !reflect.DeepEqual(all, []got{text("Hello")}) {
			t.Errorf("%s: got %+v", c.name, all)
		}
	}
	if all := events(t, new(Assembler), &deflating, stream(sent{rsv: RSV1, op: Binary})); !reflect.DeepEqual(all, []got{{op: Binary}}) {
		t.Errorf("no payload: got %+v", all)
	}
}

func TestALaterBlockMayReferToWhatCameBeforeAFinalOne(t *testing.T) {
	var b bytes.Buffer
	w, _ := flate.NewWriterDict(&b, flate.BestCompression, []byte("Hello, Hello, "))
	_, _ = w.Write([]byte("Hello, Hello!"))
	_ = w.Flush()
	second := strings.TrimSuffix(b.String(), flushed)
	all := events(t, new(Assembler), &deflating, stream(sent{rsv: RSV1, op: Text, payload: "\x01\x0e\x00\xf1\xffHello, Hello, " + second}))
	if !reflect.DeepEqual(all, []got{text("Hello, Hello, Hello, Hello!")}) {
		t.Errorf("got %+v", all)
	}
}

func TestCompressedMessagesAreBounded(t *testing.T) {
	many := strings.Repeat("\x01\x00\x00\xff\xff", maxStreams)
	for _, c := range []struct {
		name  string
		lim   Limits
		frame sent
		want  got
	}{
		{"at MaxMessage", Limits{MaxMessage: 1000}, deflated(Text, strings.Repeat("x", 1000)), text(strings.Repeat("x", 1000))},
		{"over MaxMessage", Limits{MaxMessage: 999}, deflated(Text, strings.Repeat("x", 1000)), failed(1009)},
		{"noise at MaxMessage", Limits{MaxMessage: 1000}, deflated(Binary, string(noise(1000))), got{op: Binary, payload: string(noise(1000))}},
		{"compressed far over MaxMessage", Limits{MaxMessage: 1000}, sent{rsv: RSV1, op: Binary, payload: string(noise(1100))}, failed(1009)},
		{"a high ratio up to 64 KiB", Limits{MaxRatio: 10}, deflated(Text, strings.Repeat("x", 64<<10)), text(strings.Repeat("x", 64<<10))},
		{"a high ratio over 64 KiB", Limits{MaxRatio: 10}, deflated(Text, strings.Repeat("x", 64<<10+1)), failed(1009)},
		{"a high ratio without a bound", Limits{}, deflated(Text, strings.Repeat("x", 200<<10)), text(strings.Repeat("x", 200<<10))},
		{"a bomb", Limits{MaxMessage: 8 << 20, MaxRatio: 25}, sent{rsv: RSV1, op: Binary, payload: zeros(16 << 20)}, failed(1009)},
		{"final blocks", Limits{}, sent{rsv: RSV1, op: Binary, payload: many}, got{op: Binary}},
		{"final blocks without end", Limits{}, sent{rsv: RSV1, op: Binary, payload: many + "\x03\x00"}, failed(1007)},
		{"corrupt data", Limits{}, sent{rsv: RSV1, op: Binary, payload: "\xff\xff\xff"}, failed(1007)},
		{"data that is cut off", Limits{}, sent{rsv: RSV1, op: Binary, payload: "\x00\x05\x00\xfa\xffHe"}, failed(1007)},
		{"text that is not UTF-8", Limits{}, deflated(Text, "\xff"), failed(1007)},
		{"binary that is not UTF-8", Limits{}, deflated(Binary, "\xff"), got{op: Binary, payload: "\xff"}},
		{"a frame over MaxFrame", Limits{MaxFrame: 1000}, sent{rsv: RSV1, op: Binary, payload: string(noise(1001))}, failed(1009)},
	} {
		c.lim.Deflate = true
		if all := events(t, new(Assembler), &c.lim, stream(c.frame)); len(all) != 1 || all[0] != c.want {
			t.Errorf("%s: got %d events, %.40q %+v", c.name, len(all), all[0].payload, all[0].code)
		}
	}
}

func TestABombIsNotInflatedBeyondItsBound(t *testing.T) {
	bomb := []byte(zeros(8 << 20))
	for _, lim := range []Limits{{MaxMessage: 100 << 10}, {MaxMessage: 8 << 20, MaxRatio: 10}} {
		in, _ := inflaters.Get().(*inflater)
		out, err := in.inflate(bomb, &lim)
		if out != nil || err == nil {
			t.Errorf("%+v: %d bytes, %v", lim, len(out), err)
		}
	}
	most, _ := mostInflated(len(bomb), &Limits{MaxMessage: 8 << 20, MaxRatio: 10})
	if most != 10*len(bomb) {
		t.Errorf("bound %d, want %d", most, 10*len(bomb))
	}
}

func TestAMessageIsCompressedTheSameForEveryConnection(t *testing.T) {
	first := Deflate(nil, []byte(long))
	Deflate(nil, noise(1000))
	if again := Deflate(nil, []byte(long)); !bytes.Equal(first, again) {
		t.Error("what was compressed before left a trace")
	}
	if bytes.HasSuffix(first, []byte(flushed)) {
		t.Error("the end of the flush is on the wire")
	}
}

func BenchmarkDeflate(b *testing.B) {
	for _, n := range []int{128, 4096} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			payload, dst := []byte(strings.Repeat(long, 10)[:n]), make([]byte, 0, 2*n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				Deflate(dst, payload)
			}
		})
	}
}

func BenchmarkInflate(b *testing.B) {
	for _, n := range []int{128, 4096} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			payload := Deflate(nil, []byte(strings.Repeat(long, 10)[:n]))
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := inflated(Binary, payload, &deflating); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
