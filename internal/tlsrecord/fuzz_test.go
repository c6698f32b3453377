package tlsrecord

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// FuzzOpen has a client that knows the keys send anything: bytes in any pieces
// give the same data and the same end.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("\x17\x05hello\x16\x05\x18\x00\x00\x01\x01\x17\x01x\x15\x02\x01\x00"), uint64(1))
	f.Add([]byte("\x16\x01\x18\x16\x04\x00\x00\x01\x00\x17\x00\x17\x01y"), uint64(2))
	f.Add([]byte("\x15\x02\x01\x5a\x14\x01\x01"), uint64(3))
	f.Fuzz(func(t *testing.T, script []byte, seed uint64) {
		server, client := pair(t, AES128)
		stream := perform(client, script)
		want, _, wantErr := server.openAll(bytes.Clone(stream))

		server, _ = pair(t, AES128)
		var got, waiting []byte
		var gotErr error
		for _, piece := range chop(rand.New(rand.NewPCG(seed, seed)), stream, 300) {
			waiting = append(waiting, piece...)
			data, left, err := server.openAll(waiting)
			got, waiting = append(got, data...), waiting[len(waiting)-left:]
			if gotErr = err; err != nil {
				break
			}
		}
		if !bytes.Equal(got, want) || !errors.Is(gotErr, wantErr) {
			t.Fatalf("in pieces %q, %v; whole %q, %v", got, gotErr, want, wantErr)
		}
	})
}

// perform seals the records of a script: type, length, content; types over 127
// stand for bytes that are sent as they are.
func perform(client *side, script []byte) (stream []byte) {
	for len(script) >= 2 {
		kind, n := script[0], min(int(script[1]), len(script)-2)
		content := script[2 : 2+n]
		script = script[2+n:]
		if kind > 127 {
			stream = append(stream, content...)
			continue
		}
		stream = append(stream, client.record(contentType(kind), content, n%3)...)
		if contentType(kind) == handshakeRecord && n > 0 && bytes.HasSuffix(append(keyUpdate[:], 0, 1), content[n-1:]) {
			client.suite.succeed(&client.out)
		}
	}
	return stream
}

// FuzzFeed checks what crypto/tls is fed: every byte once, in order, and never
// two records at once.
func FuzzFeed(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x05hello\x14\x03\x03\x00\x01\x01\x17\x03\x03\x00\x02hi"), uint64(1))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint64(2))
	f.Add([]byte("\x16\x03\x01\xff\xff"), uint64(3))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, seed))
		w := &witness{Conn: &script{pieces: chop(r, b, 64)}}
		var got []byte
		p := make([]byte, 1+r.IntN(100))
		for left := 0; ; {
			if left == 0 {
				left = record(b[len(got):])
			}
			n, err := w.Read(p)
			if got = append(got, p[:n]...); err != nil {
				break
			}
			if left -= n; left < 0 {
				t.Fatalf("%d bytes of the next record", -left)
			}
		}
		if !bytes.Equal(got, b) {
			t.Fatalf("fed %q of %q", got, b)
		}
	})
}

// record is the length of the record that b begins with; a lot when that is no
// record.
func record(b []byte) int {
	if len(b) < HeaderSize || b[0] < 20 || b[0] > 23 || b[1] != 3 || payloadSize(b) > MaxPlaintext+2048 {
		return 1 << 30
	}
	return HeaderSize + payloadSize(b)
}
