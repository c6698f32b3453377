package frame

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

var (
	testKey   = [4]byte{0x37, 0xfa, 0x21, 0x3d}
	deflating = Limits{Deflate: true}
)

// sent is a frame as the tests write it.
type sent struct {
	more    bool // not the last of its message
	rsv     byte
	op      Opcode
	payload string
}

// stream joins frames as a client sends them.
func stream(frames ...sent) []byte {
	var b []byte
	for _, f := range frames {
		b = AppendMasked(b, !f.more, f.rsv, f.op, testKey, []byte(f.payload))
	}
	return b
}

// got is an event that outlives the next call, or the error's code as an opcode-less one.
type got struct {
	op      Opcode
	payload string
	code    uint16
	failed  bool
}

// events feeds the pieces, each in a buffer of its own, and returns everything that came out. It fails the test when
// the assembler breaks a promise on the way.
func events(t testing.TB, a *Assembler, lim *Limits, pieces ...[]byte) []got {
	t.Helper()
	var all []got
	for _, p := range pieces {
		b := bytes.Clone(p)
		for {
			ev, n, err := a.Next(b, lim)
			if n < 0 || n > len(b) {
				t.Fatalf("consumed %d of %d bytes", n, len(b))
			}
			if err != nil {
				return append(all, got{code: closeCode(t, err), failed: true})
			}
			if ev.Opcode == None {
				if n != len(b) {
					t.Fatalf("no event, but %d bytes of %d are left", len(b)-n, len(b))
				}
				break
			}
			all = append(all, got{op: ev.Opcode, payload: string(ev.Payload), code: ev.Code})
			b = b[n:]
		}
	}
	return all
}

func closeCode(t testing.TB, err error) uint16 {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v is a %T, want *Error", err, err)
	}
	return e.Code
}

func failed(code uint16) got { return got{code: code, failed: true} }

func text(s string) got { return got{op: Text, payload: s} }

var long = strings.Repeat("Grüße, 世界! ", 40)

// around is a text message with empty continuations in its middle.
func around(empty int) []sent {
	frames := []sent{{more: true, op: Text, payload: "x"}}
	for range empty {
		frames = append(frames, sent{more: true})
	}
	return append(frames, sent{payload: "y"})
}

// rules is every rule with a stream that keeps or breaks it.
var rules = []struct {
	name   string
	lim    Limits
	frames []sent
	want   []got
}{
	{"an empty text is a message", Limits{}, []sent{{op: Text}}, []got{text("")}},
	{"a text is a message", Limits{}, []sent{{op: Text, payload: "Hello"}}, []got{text("Hello")}},
	{"a binary is a message", Limits{}, []sent{{op: Binary, payload: "\xff\x00"}}, []got{{op: Binary, payload: "\xff\x00"}}},
	{"lengths of 16 bits are read", Limits{}, []sent{{op: Text, payload: long}}, []got{text(long)}},
	{"messages follow each other", Limits{}, []sent{{op: Text, payload: "a"}, {op: Text, payload: "b"}}, []got{text("a"), text("b")}},
	{"fragments are joined", Limits{}, []sent{{more: true, op: Text, payload: "Hel"}, {more: true, payload: "l"}, {payload: "o"}}, []got{text("Hello")}},
	{"the first and last fragment may be empty", Limits{}, []sent{{more: true, op: Text}, {more: true, payload: "x"}, {}}, []got{text("x")}},
	{"a rune may be split between fragments", Limits{}, []sent{{more: true, op: Text, payload: "\xe4\xb8"}, {payload: "\x96"}}, []got{text("世")}},
	{"control frames interleave", Limits{}, []sent{{more: true, op: Text, payload: "a"}, {op: Ping, payload: "p"}, {payload: "b"}, {op: Pong}},
		[]got{{op: Ping, payload: "p"}, text("ab"), {op: Pong}}},
	{"a ping has 125 bytes at most", Limits{}, []sent{{op: Ping, payload: long[:125]}, {op: Ping, payload: long[:126]}},
		[]got{{op: Ping, payload: long[:125]}, failed(1002)}},

	{"RSV1 without compression", Limits{}, []sent{{rsv: RSV1, op: Text}}, []got{failed(1002)}},
	{"RSV2", deflating, []sent{{rsv: RSV2, op: Text}}, []got{failed(1002)}},
	{"RSV3", deflating, []sent{{rsv: RSV3, op: Text}}, []got{failed(1002)}},
	{"RSV1 with RSV2", deflating, []sent{{rsv: RSV1 | RSV2, op: Text}}, []got{failed(1002)}},
	{"RSV1 on a continuation", deflating, []sent{{more: true, op: Text, payload: "a"}, {rsv: RSV1, payload: "b"}}, []got{failed(1002)}},
	{"RSV1 on a ping", deflating, []sent{{rsv: RSV1, op: Ping}}, []got{failed(1002)}},
	{"opcode 3", Limits{}, []sent{{op: 3}}, []got{failed(1002)}},
	{"opcode 7", Limits{}, []sent{{op: 7}}, []got{failed(1002)}},
	{"opcode 11", Limits{}, []sent{{op: 11}}, []got{failed(1002)}},
	{"opcode 15", Limits{}, []sent{{op: 15}}, []got{failed(1002)}},
	{"a continuation of nothing", Limits{}, []sent{{payload: "x"}}, []got{failed(1002)}},
	{"a continuation after a whole message", Limits{}, []sent{{op: Text, payload: "x"}, {payload: "y"}}, []got{text("x"), failed(1002)}},
	{"a new message inside a fragmented one", Limits{}, []sent{{more: true, op: Text, payload: "x"}, {op: Text, payload: "y"}}, []got{failed(1002)}},
	{"a new message inside one that began empty", Limits{}, []sent{{more: true, op: Text}, {op: Binary}}, []got{failed(1002)}},
	{"a fragmented ping", Limits{}, []sent{{more: true, op: Ping}}, []got{failed(1002)}},
	{"a fragmented close", Limits{}, []sent{{more: true, op: Close}}, []got{failed(1002)}},
	{"a few continuations may be empty", Limits{}, around(MaxEmptyFragments), []got{text("xy")}},
	{"empty continuations are counted for each message", Limits{}, append(around(MaxEmptyFragments), around(MaxEmptyFragments)...), []got{text("xy"), text("xy")}},
	{"more empty continuations", Limits{}, around(MaxEmptyFragments + 1), []got{failed(1008)}},
	{"empty fragments alone", Limits{}, []sent{{more: true, op: Text}, {more: true}, {}}, []got{text("")}},
	{"empty continuations count as fragments", Limits{MaxFragments: 2}, around(2), []got{failed(1008)}},
	{"an empty continuation leaves a rune open", Limits{}, []sent{{more: true, op: Text, payload: "\xe4\xb8"}, {more: true}, {payload: "\x96"}}, []got{text("世")}},

	{"invalid UTF-8", Limits{}, []sent{{op: Text, payload: "a\xff"}}, []got{failed(1007)}},
	{"a surrogate", Limits{}, []sent{{op: Text, payload: "\xed\xa0\x80"}}, []got{failed(1007)}},
	{"an overlong form", Limits{}, []sent{{op: Text, payload: "\xc0\xaf"}}, []got{failed(1007)}},
	{"beyond U+10FFFF", Limits{}, []sent{{op: Text, payload: "\xf4\x90\x80\x80"}}, []got{failed(1007)}},
	{"a rune that is not finished", Limits{}, []sent{{op: Text, payload: "\xe4\xb8"}}, []got{failed(1007)}},
	{"a rune that is not finished at the last fragment", Limits{}, []sent{{more: true, op: Text, payload: "a\xe4"}, {payload: "\xb8"}}, []got{failed(1007)}},
	{"a rune that is not finished before an empty last fragment", Limits{}, []sent{{more: true, op: Text, payload: "\xe4"}, {}}, []got{failed(1007)}},
	{"invalid UTF-8 in the first fragment", Limits{}, []sent{{more: true, op: Text, payload: "\xff"}}, []got{failed(1007)}},
	{"the wrong second byte of a rune in the next fragment", Limits{}, []sent{{more: true, op: Text, payload: "\xf4"}, {more: true, payload: "\x90"}}, []got{failed(1007)}},
	{"binary is not checked", Limits{}, []sent{{more: true, op: Binary, payload: "\xff"}, {payload: "\xfe"}}, []got{{op: Binary, payload: "\xff\xfe"}}},
	{"SkipUTF8 leaves text unchecked", Limits{SkipUTF8: true}, []sent{{op: Text, payload: "\xff"}, {more: true, op: Text, payload: "\xff"}, {}}, []got{text("\xff"), text("\xff")}},
	{"SkipUTF8 still checks close reasons", Limits{SkipUTF8: true}, []sent{{op: Close, payload: "\x03\xe8\xff"}}, []got{failed(1007)}},

	{"a frame at the limit", Limits{MaxFrame: 5}, []sent{{op: Text, payload: "Hello"}}, []got{text("Hello")}},
	{"a frame over the limit", Limits{MaxFrame: 4}, []sent{{op: Text, payload: "Hello"}}, []got{failed(1009)}},
	{"the frame limit spares control frames", Limits{MaxFrame: 4}, []sent{{op: Ping, payload: "Hello"}}, []got{{op: Ping, payload: "Hello"}}},
	{"a message at the limit", Limits{MaxMessage: 5}, []sent{{more: true, op: Text, payload: "Hel"}, {payload: "lo"}}, []got{text("Hello")}},
	{"a message over the limit", Limits{MaxMessage: 4}, []sent{{op: Text, payload: "Hello"}}, []got{failed(1009)}},
	{"fragments over the limit", Limits{MaxMessage: 4}, []sent{{more: true, op: Text, payload: "Hel"}, {payload: "lo"}}, []got{failed(1009)}},
	{"as many fragments as allowed", Limits{MaxFragments: 2}, []sent{{more: true, op: Text, payload: "a"}, {payload: "b"}, {op: Text, payload: "c"}}, []got{text("ab"), text("c")}},
	{"too many fragments", Limits{MaxFragments: 2}, []sent{{more: true, op: Text, payload: "a"}, {more: true, payload: "b"}, {payload: "c"}}, []got{failed(1008)}},

	{"a close without a code", Limits{}, []sent{{op: Close}}, []got{{op: Close, code: NoStatus}}},
	{"a close with half a code", Limits{}, []sent{{op: Close, payload: "\x03"}}, []got{failed(1002)}},
	{"a close with a reason", Limits{}, []sent{{op: Close, payload: "\x03\xe8bye"}}, []got{{op: Close, payload: "bye", code: 1000}}},
	{"a close with a reason that is not UTF-8", Limits{}, []sent{{op: Close, payload: "\x03\xe8\xc3"}}, []got{failed(1007)}},
}

func TestRulesOfTheProtocolHold(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			var a Assembler
			all := events(t, &a, &r.lim, stream(r.frames...))
			if !reflect.DeepEqual(all, r.want) {
				t.Errorf("got %+v, want %+v", all, r.want)
			}
			if !reflect.DeepEqual(a, Assembler{}) || !a.Idle() {
				t.Errorf("kept %+v", a)
			}
		})
	}
}

func TestAStreamInPiecesEqualsTheWhole(t *testing.T) {
	for _, r := range rules {
		b := stream(r.frames...)
		for cut := range len(b) + 1 {
			if all := events(t, new(Assembler), &r.lim, b[:cut], b[cut:]); !reflect.DeepEqual(all, r.want) {
				t.Errorf("%s: cut at %d: got %+v, want %+v", r.name, cut, all, r.want)
			}
		}
		var single [][]byte
		for i := range b {
			single = append(single, b[i:i+1])
		}
		if all := events(t, new(Assembler), &r.lim, single...); !reflect.DeepEqual(all, r.want) {
			t.Errorf("%s: byte by byte: got %+v, want %+v", r.name, all, r.want)
		}
	}
}

func TestCloseCodesAreThoseOfTheRegistry(t *testing.T) {
	// Autobahn's cases 7.7 and 7.9, and the edges of the ranges.
	valid := []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}
	invalid := []uint16{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}
	check := func(code uint16, want got) {
		payload := string([]byte{byte(code >> 8), byte(code)})
		all := events(t, new(Assembler), &Limits{}, stream(sent{op: Close, payload: payload}))
		if len(all) != 1 || all[0] != want {
			t.Errorf("code %d: got %+v, want %+v", code, all, want)
		}
	}
	for _, code := range valid {
		check(code, got{op: Close, code: code})
	}
	for _, code := range invalid {
		check(code, failed(1002))
	}
}

func TestAWrongHeaderIsReportedBeforeItsPayload(t *testing.T) {
	for _, c := range []struct {
		name   string
		lim    Limits
		header string
		want   uint16
	}{
		{"unmasked", Limits{}, "\x81\x05", 1002},
		{"masked by a server", Limits{Unmasked: true}, "\x81\x85\x01\x02\x03\x04", 1002},
		{"over MaxFrame", Limits{MaxFrame: 1 << 20}, "\x82\xff\x00\x00\x00\x00\x00\x10\x00\x01kkkk", 1009},
		{"over MaxMessage", Limits{MaxMessage: 1 << 20}, "\x82\xff\x00\x00\x00\x00\x00\x10\x00\x01kkkk", 1009},
		{"the largest length without a limit on the frame", Limits{MaxMessage: 1}, "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffkkkk", 1009},
		{"length with its top bit set", Limits{}, "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00kkkk", 1002},
		{"ping with a 16-bit length", Limits{}, "\x89\xfe\x00\x7ekkkk", 1002},
		{"close of one byte", Limits{}, "\x88\x81kkkk", 1002},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := events(t, new(Assembler), &c.lim, []byte(c.header))
			if len(all) != 1 || all[0] != failed(c.want) {
				t.Errorf("got %+v, want code %d", all, c.want)
			}
		})
	}
}

func TestAnInvalidByteOfTextIsReportedWhenItArrives(t *testing.T) {
	whole := stream(sent{op: Text, payload: "valid \xe4\xb8\x96 \xf4\x90 and much more that never comes"})
	bad := 6 + len("valid 世 \xf4") // the 0x90, after six bytes of header and key
	var a Assembler
	if all := events(t, &a, &Limits{}, whole[:bad]); all != nil {
		t.Fatalf("before the bad byte: %+v", all)
	}
	if all := events(t, &a, &Limits{}, whole[bad:bad+1]); len(all) != 1 || all[0] != failed(1007) {
		t.Errorf("at the bad byte: got %+v, want 1007", all)
	}
}

func TestLengthsThatAreNotMinimalAreAccepted(t *testing.T) {
	for _, b := range []string{"\x81\xfe\x00\x01\x00\x00\x00\x00a", "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00a"} {
		if all := events(t, new(Assembler), &Limits{}, []byte(b)); len(all) != 1 || all[0] != text("a") {
			t.Errorf("%x: got %+v", b, all)
		}
	}
}

func TestFramesOfAServerAreReadUnmasked(t *testing.T) {
	b := append(AppendHeader(nil, Text, false, len(long)), long...)
	b = AppendControl(b, Pong, []byte("p"))
	b = AppendClose(b, 1001, "")
	want := []got{text(long), {op: Pong, payload: "p"}, {op: Close, code: 1001}}
	if all := events(t, new(Assembler), &Limits{Unmasked: true}, b); !reflect.DeepEqual(all, want) {
		t.Errorf("got %+v, want %+v", all, want)
	}
}

func TestAWholeFrameIsReturnedInPlaceWithoutAllocation(t *testing.T) {
	b := stream(sent{op: Text, payload: long}, sent{op: Ping, payload: "p"}, sent{op: Close, payload: "\x03\xe8"})
	buf := make([]byte, len(b))
	var a Assembler
	allocs := testing.AllocsPerRun(100, func() {
		copy(buf, b)
		for rest := buf; len(rest) > 0; {
			ev, n, err := a.Next(rest, &Limits{})
			if err != nil || ev.Opcode == None || !a.Idle() {
				t.Fatal(ev, n, err)
			}
			if len(ev.Payload) > 0 && &ev.Payload[0] != &rest[n-len(ev.Payload)] {
				t.Fatal("the payload was copied")
			}
			rest = rest[n:]
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestAPayloadThatArrivesAtOnceAfterItsHeaderIsNotCopied(t *testing.T) {
	b := stream(sent{op: Binary, payload: long})
	buf := make([]byte, len(b))
	for header := 1; header <= 8; header++ {
		allocs := testing.AllocsPerRun(10, func() {
			copy(buf, b)
			var a Assembler
			_, _, _ = a.Next(buf[:header], &Limits{})
			if ev, _, err := a.Next(buf[header:], &Limits{}); err != nil || string(ev.Payload) != long || !a.Idle() {
				t.Fatal(ev, err)
			}
		})
		if allocs != 0 {
			t.Errorf("header in %d bytes: %v allocations", header, allocs)
		}
	}
}

func TestWhatIsKeptGrowsWithWhatArrived(t *testing.T) {
	const size = 1 << 20
	b := stream(sent{op: Binary, payload: strings.Repeat("x", size)})
	var a Assembler
	for fed := 0; fed < len(b); {
		n := min(1000, len(b)-fed)
		ev, _, err := a.Next(b[fed:fed+n], &Limits{})
		fed += n
		if err != nil || (ev.Opcode != None) != (fed == len(b)) {
			t.Fatal(fed, ev.Opcode, err)
		}
		if kept := cap(a.message.buf); kept > max(minBuffer, 2*fed) || kept > size {
			t.Fatalf("%d bytes kept of %d fed", kept, fed)
		}
	}
	if !reflect.DeepEqual(a, Assembler{}) {
		t.Errorf("kept %+v after the message", a)
	}
}

func BenchmarkNext(b *testing.B) {
	for _, n := range []int{128, 4096} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			// Key 0, because the frame is unmasked in place again and again.
			frame := AppendMasked(nil, true, 0, Text, [4]byte{}, bytes.Repeat([]byte("x"), n))
			var a Assembler
			lim := &Limits{MaxFrame: 1 << 20, MaxMessage: 1 << 20, MaxFragments: 100}
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if ev, _, err := a.Next(frame, lim); err != nil || ev.Opcode != Text {
					b.Fatal(ev, err)
				}
			}
		})
	}
}
