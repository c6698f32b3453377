package frame

import (
	"bytes"
	"strings"
	"testing"
)

// server reads what the package itself writes.
var server = &Limits{Unmasked: true}

func TestPutHeaderAndAppendHeaderAgreeAndAreMinimal(t *testing.T) {
	for _, c := range []struct{ n, header int }{
		{0, 2}, {1, 2}, {125, 2}, {126, 4}, {127, 4}, {65535, 4}, {65536, 10}, {100000, 10},
	} {
		b := append(make([]byte, MaxHeader), sequence(c.n)...)
		frame := b[PutHeader(b, Binary, false):]
		want := append(AppendHeader(nil, Binary, false, c.n), sequence(c.n)...)
		if !bytes.Equal(frame, want) || len(frame) != c.header+c.n {
			t.Errorf("%d bytes: header %x, want %x of length %d", c.n, frame[:len(frame)-c.n], want[:len(want)-c.n], c.header)
		}
		all := events(t, new(Assembler), server, frame)
		if len(all) != 1 || all[0] != (got{op: Binary, payload: string(sequence(c.n))}) {
			t.Errorf("%d bytes are read back as %d events", c.n, len(all))
		}
	}
}

func TestHeadersHaveTheBitsOfTheRFC(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want []byte
	}{ // RFC 6455 §5.7, RFC 7692 §7.2.3.1
		{"text", append(AppendHeader(nil, Text, false, 5), "Hello"...), []byte("\x81\x05Hello")},
		{"compressed text", AppendHeader(nil, Text, true, 7), []byte("\xc1\x07")},
		{"masked text", AppendMasked(nil, true, 0, Text, testKey, []byte("Hello")), []byte("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")},
		{"first fragment, all reserved bits", AppendMasked(nil, false, RSV1|RSV2|RSV3, Text, testKey, nil), []byte("\x71\x80\x37\xfa\x21\x3d")},
		{"ping", AppendControl(nil, Ping, []byte("Hello")), []byte("\x89\x05Hello")},
		{"256 bytes", AppendHeader(nil, Binary, false, 256), []byte("\x82\x7e\x01\x00")},
		{"64 KiB", AppendHeader(nil, Binary, false, 65536), []byte("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00")},
		{"close", AppendClose(nil, 1001, ""), []byte("\x88\x02\x03\xe9")},
		{"close with a reason", AppendClose(nil, 1001, "bye"), []byte("\x88\x05\x03\xe9bye")},
		{"close without a code", AppendClose(nil, 0, "ignored"), []byte("\x88\x00")},
		{"close answering one without a code", AppendClose(nil, NoStatus, ""), []byte("\x88\x00")},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s: got %x, want %x", c.name, c.got, c.want)
		}
	}
}

func TestControlFramesAreCutToTheirLimit(t *testing.T) {
	if b := AppendControl(nil, Pong, sequence(200)); !bytes.Equal(b[2:], sequence(125)) || b[1] != 125 {
		t.Errorf("pong: %x", b)
	}
	b := AppendClose(nil, 1000, "x"+strings.Repeat("世", 50))
	if string(b[4:]) != "x"+strings.Repeat("世", 40) || int(b[1]) != len(b)-2 {
		t.Errorf("close reason is not cut between runes: %q", b[4:])
	}
}

func TestAppendAddsToWhatIsThere(t *testing.T) {
	dst := []byte("before")
	for _, b := range [][]byte{
		AppendHeader(dst, Text, false, 0), AppendControl(dst, Ping, nil), AppendClose(dst, 1000, ""),
		AppendMasked(dst, true, 0, Text, testKey, nil), Deflate(dst, []byte("x")),
	} {
		if !bytes.HasPrefix(b, dst) || len(b) == len(dst) {
			t.Errorf("got %q", b)
		}
	}
}

func TestWritingAFrameDoesNotAllocate(t *testing.T) {
	b, dst, payload := make([]byte, MaxHeader+1000), make([]byte, 0, 200), sequence(100)
	if n := testing.AllocsPerRun(100, func() {
		PutHeader(b, Text, false)
		AppendControl(dst, Pong, payload)
		AppendClose(dst, 1001, "")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAcceptKeyIsThatOfTheRFC(t *testing.T) {
	if got, want := AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOpcodesFrom8AreControl(t *testing.T) {
	for op := range Opcode(16) {
		if op.Control() != (op >= 8) {
			t.Errorf("opcode %d: %v", op, op.Control())
		}
	}
}
