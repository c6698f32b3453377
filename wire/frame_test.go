package wire_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/roostgo/roost/wire"
	"github.com/roostgo/roost/wire/wiretest"
)

func TestV2ReadsTheCapturedBinaryPush(t *testing.T) { // clause 122
	want := wire.Message{JoinRef: `"1"`, Ref: `"2"`, Topic: "room:a", Event: "bin", Payload: wire.Binary([]byte{1, 2, 3})}
	var m wire.Message
	if err := wire.V2().Decode(&m, true, octets(t, "00 01 01 06 03 | 31 | 32 | 72 6f 6f 6d 3a 61 | 62 69 6e | 01 02 03")); err != nil {
		t.Fatal(err)
	}
	if diff := wiretest.Diff(m, want); diff != "" {
		t.Error(diff)
	}
}

func TestV2WritesTheCapturedBinaryFrames(t *testing.T) { // clauses 123-125
	for want, m := range map[string]wire.Message{
		"00 01 06 07 | 31 | 72 6f 6f 6d 3a 61 | 62 69 6e 70 75 73 68 | 00 01": {
			JoinRef: `"1"`, Topic: "room:a", Event: "binpush", Payload: wire.Binary([]byte{0, 1})},
		"02 06 08 | 72 6f 6f 6d 3a 61 | 62 69 6e 62 63 61 73 74 | 09": {
			Kind: wire.Broadcast, Topic: "room:a", Event: "binbcast", Payload: wire.Binary([]byte{9})},
		"01 01 01 06 02 | 31 | 32 | 72 6f 6f 6d 3a 61 | 6f 6b | 01 02 03 ff": {
			Kind: wire.Reply, JoinRef: `"1"`, Ref: `"2"`, Topic: "room:a", Status: "ok", Payload: wire.Binary([]byte{1, 2, 3, 255})},
		"01 00 00 00 00":          {Kind: wire.Reply, Payload: wire.Binary(nil)}, // clause 128
		"00 01 01 01 | 31 74 65":  {JoinRef: "1", Topic: "t", Event: "e", Payload: wire.Binary(nil)},
		"00 02 02 00 | c3bc c3bc": {JoinRef: `"ü"`, Topic: "ü", Payload: wire.Binary(nil)}, // clause 126
	} {
		if got, binary := encoded(t, wire.V2(), m); got != string(octets(t, want)) || !binary {
			t.Errorf("% x (binary %t), want %s", got, binary, want)
		}
	}
}

func TestAnEmptyRefInABinaryFrameIsTheEmptyString(t *testing.T) { // clause 129
	var m wire.Message
	if err := wire.V2().Decode(&m, true, octets(t, "00 00 00 01 01 74 65")); err != nil {
		t.Fatal(err)
	}
	if m.JoinRef != `""` || m.Ref != `""` || m.JoinRef.IsNull() {
		t.Errorf("%q and %q", m.JoinRef, m.Ref)
	}
	if !m.Payload.IsBinary() || len(m.Payload.Bytes()) != 0 { // clause 132
		t.Errorf("payload %q", m.Payload.Bytes())
	}
}

func TestEveryCutThroughTheFieldsOfABinaryFrameIsRefused(t *testing.T) { // clause 131
	whole := octets(t, "00 01 01 06 03 | 31 | 32 | 72 6f 6f 6d 3a 61 | 62 69 6e")
	for n := range whole {
		var m wire.Message
		if err := wire.V2().Decode(&m, true, whole[:n:n]); !errors.Is(err, wire.ErrTruncated) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestOtherKindsOfBinaryFramesAreRefused(t *testing.T) { // clause 130
	for kind := 1; kind < 256; kind++ {
		var m wire.Message
		if err := wire.V2().Decode(&m, true, []byte{byte(kind), 0, 0, 0, 0}); !errors.Is(err, wire.ErrUnknownKind) {
			t.Errorf("kind %d: %v", kind, err)
		}
	}
}

func TestEachNameInABinaryFrameIsUTF8(t *testing.T) {
	for _, frame := range []string{
		"00 01 00 00 00 ff", "00 00 01 00 00 ff", "00 00 00 01 00 ff", "00 00 00 00 01 ff",
		"00 00 00 01 01 c3 bc", // one character, half in the topic and half in the event
	} {
		var m wire.Message
		if err := wire.V2().Decode(&m, true, octets(t, frame)); !errors.Is(err, wire.ErrNotUTF8) {
			t.Errorf("%s: %v", frame, err)
		}
	}
}

func TestBinaryFieldsHold255BytesAndNoMore(t *testing.T) { // clauses 126, 127
	fits, long := strings.Repeat("ü", 127)+"x", strings.Repeat("ü", 128)
	for name, set := range map[string]func(m *wire.Message, s string){
		"join_ref": func(m *wire.Message, s string) { m.JoinRef = wire.StringRef(s) },
		"ref":      func(m *wire.Message, s string) { m.Kind, m.Ref = wire.Reply, wire.StringRef(s) },
		"status":   func(m *wire.Message, s string) { m.Kind, m.Status = wire.Reply, s },
		"topic":    func(m *wire.Message, s string) { m.Kind, m.Topic = wire.Broadcast, s },
		"event":    func(m *wire.Message, s string) { m.Event = s },
	} {
		m := wire.Message{Payload: wire.Binary([]byte("payload"))}
		set(&m, fits)
		if got, _ := encoded(t, wire.V2(), m); !strings.Contains(got, fits+"payload") && !strings.HasSuffix(got, "payload") {
			t.Errorf("%s: %q", name, got)
		}
		set(&m, long)
		if _, _, err := wire.V2().Encode(nil, &m); !errors.Is(err, wire.ErrFieldTooLong) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzV2Binary(f *testing.F) {
	for _, seed := range []string{
		"00 01 01 06 03 31 32 72 6f 6f 6d 3a 61 62 69 6e 01 02 03", "00 00 00 00 00", "00", "01 00 00 00 00", "00 ff ff ff ff", "00 01 01 01 01 22 5c 0a ff",
	} {
		data, err := hex.DecodeString(strings.ReplaceAll(seed, " ", ""))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m wire.Message
		if wire.V2().Decode(&m, true, data) != nil {
			return
		}
		if back, _ := wiretest.V2.Encode(m); !bytes.Equal(back, data) {
			t.Fatalf("%x was read as %+v, which is %x", data, m, back)
		}
		readsBack(t, wire.V2(), wiretest.V2, m)
	})
}

// octets returns the bytes of a hex dump with blanks and bars.
func octets(t *testing.T, dump string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "").Replace(dump))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
