package wire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/roostgo/roost/wire"
)

// frames are what a client ordinarily sends.
var frames = []struct {
	name   string
	s      wire.Serializer
	binary bool
	data   []byte
	allocs float64 // a binary frame's refs need quotes, both in one allocation
}{
	{"msg=heartbeat/v=2", wire.V2(), false, []byte(`[null,"12","phoenix","heartbeat",{}]`), 0},
	{"msg=push/v=2", wire.V2(), false, []byte(`["3","17","room:lobby","shout",{"from":"ada","body":"Hello, all of you!","n":[1,2.5,true,null]}]`), 0},
	{"msg=binary/v=2", wire.V2(), true, []byte("\x00\x01\x02\x0a\x05317room:lobbyshout0123456789"), 1},
	{"msg=heartbeat/v=1", wire.V1(), false, []byte(`{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"12"}`), 0},
	{"msg=push/v=1", wire.V1(), false, []byte(`{"topic":"room:lobby","event":"shout","payload":{"from":"ada","body":"Hello, all of you!"},"ref":"17","join_ref":"3"}`), 0},
}

// sent are what a server ordinarily sends.
var sent = []struct {
	name string
	s    wire.Serializer
	m    wire.Message
}{
	{"msg=reply/v=2", wire.V2(), wire.Message{Kind: wire.Reply, JoinRef: `"3"`, Ref: `"17"`, Topic: "room:lobby", Status: "ok"}},
	{"msg=push/v=2", wire.V2(), wire.Message{JoinRef: `"3"`, Topic: "room:lobby", Event: "shout", Payload: wire.JSON([]byte(`{"body":"hello"}`))}},
	{"msg=broadcast/v=2", wire.V2(), wire.Message{Kind: wire.Broadcast, Topic: "room:lobby", Event: "shout", Payload: wire.JSON([]byte(`{"body":"hello"}`))}},
	{"msg=binary-push/v=2", wire.V2(), wire.Message{JoinRef: `"3"`, Topic: "room:lobby", Event: "shout", Payload: wire.Binary(make([]byte, 64))}},
	{"msg=binary-reply/v=2", wire.V2(), wire.Message{Kind: wire.Reply, JoinRef: `"3"`, Ref: `"17"`, Topic: "room:lobby", Status: "ok", Payload: wire.Binary(make([]byte, 64))}},
	{"msg=reply/v=1", wire.V1(), wire.Message{Kind: wire.Reply, Ref: `"17"`, Topic: "room:lobby", Status: "ok"}},
	{"msg=push/v=1", wire.V1(), wire.Message{Topic: "room:lobby", Event: "shout", Payload: wire.JSON([]byte(`{"body":"hello"}`))}},
}

func TestReadingAllocatesNothing(t *testing.T) {
	var m wire.Message
	for _, c := range frames {
		got := testing.AllocsPerRun(100, func() {
			if err := c.s.Decode(&m, c.binary, c.data); err != nil {
				t.Fatal(err)
			}
		})
		if got != c.allocs {
			t.Errorf("%s: %v allocations, want %v", c.name, got, c.allocs)
		}
	}
}

// A client may spell a key with escapes, and send very many that mean nothing.
func TestEscapedKeysAllocateNothing(t *testing.T) {
	text := []byte(`{"\u0074opic":"t","event":"e","payload":{},"ref":"1"` + strings.Repeat(`,"\u0061\n":0`, 100) + `}`)
	var m wire.Message
	got := testing.AllocsPerRun(100, func() {
		if err := wire.V1().Decode(&m, false, text); err != nil || m.Topic != "t" {
			t.Fatal(m, err)
		}
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestWritingIntoRoomAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 1024)
	for _, c := range sent {
		got := testing.AllocsPerRun(100, func() {
			if _, _, err := c.s.Encode(dst, &c.m); err != nil {
				t.Fatal(err)
			}
		})
		if got != 0 {
			t.Errorf("%s: %v allocations", c.name, got)
		}
	}
}

func TestWritingIntoNothingGrowsOnce(t *testing.T) {
	var kept []byte
	once := testing.AllocsPerRun(100, func() { kept = slices.Grow([]byte(nil), 100) }) // 2 with -race
	for _, c := range sent {
		got := testing.AllocsPerRun(100, func() {
			out, _, err := c.s.Encode(nil, &c.m)
			if err != nil {
				t.Fatal(err)
			}
			kept = out
		})
		if got != once {
			t.Errorf("%s: %v allocations, want %v", c.name, got, once)
		}
	}
	_ = kept
}

func TestCloningAllocatesOnce(t *testing.T) {
	var kept wire.Message
	for _, c := range sent {
		if got := testing.AllocsPerRun(100, func() { kept = c.m.Clone() }); got != 1 {
			t.Errorf("%s: %v allocations", c.name, got)
		}
	}
	_ = kept
}

func TestMatchingAVersionAllocatesNothing(t *testing.T) {
	v := wire.DefaultVersions()
	if got := testing.AllocsPerRun(100, func() {
		if _, err := v.Match("2.0.0"); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
