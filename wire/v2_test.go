package wire_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/roostgo/roost/wire"
	"github.com/roostgo/roost/wire/wiretest"
)

func TestV2ReadsArrays(t *testing.T) {
	for text, want := range map[string]wire.Message{
		`[null,"1","phoenix","heartbeat",{}]`:              {Ref: `"1"`, Topic: "phoenix", Event: "heartbeat"},
		`["1","1","room:a","phx_join",{}]`:                 {JoinRef: `"1"`, Ref: `"1"`, Topic: "room:a", Event: "phx_join"},
		`["1",2,"room:a","e",null]`:                        {JoinRef: `"1"`, Ref: "2", Topic: "room:a", Event: "e", Payload: raw("null")}, // clauses 102, 112, 113
		`[1,null,"t","e",[1,2]]`:                           {JoinRef: "1", Topic: "t", Event: "e", Payload: raw("[1,2]")},
		`[null,null,"t","e","text"]`:                       {Topic: "t", Event: "e", Payload: raw(`"text"`)},
		`["1","2","t","e",{"a":1},6,{"seven":[]},"VIII"]`:  {JoinRef: `"1"`, Ref: `"2"`, Topic: "t", Event: "e", Payload: raw(`{"a":1}`)}, // clause 99
		" \t\r\n[ null , \"1\" , \"t\" , \"e\" , { } ] \n": {Ref: `"1"`, Topic: "t", Event: "e"},
		`[null,null,"room\/\u0031","\u00fc\ud800!",{}]`:    {Topic: "room/1", Event: "ü\ufffd!"},
		`[null,"1",null,"phx_join",{}]`:                    {Ref: `"1"`, Topic: "null", OddTopic: true, Event: "phx_join"}, // clause 153
		`[null,"1",{"a": 1},7,{}]`:                         {Ref: `"1"`, Topic: `{"a": 1}`, OddTopic: true, Event: "7"},
		`[null,"1","",null,{}]`:                            {Ref: `"1"`, Event: "null"},
	} {
		if diff := wiretest.Diff(decoded(t, wire.V2(), text), want); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestV2HandsPayloadsOverAsTheyWereWritten(t *testing.T) {
	for _, payload := range []string{`{"a":1,"a":2}`, `{ "n" : 1.50 }`, `123456789012345678901234567890`, `"\u00fc"`} {
		m := decoded(t, wire.V2(), `[null,null,"t","e", `+payload+` ]`)
		if got := string(m.Payload.Bytes()); got != payload {
			t.Errorf("%s became %s", payload, got)
		}
	}
}

func TestV2RefusesWhatIsNoMessage(t *testing.T) {
	for text, want := range map[string]error{
		``:       wire.ErrShape,
		`null`:   wire.ErrShape,
		`"text"`: wire.ErrShape,
		`{"topic":"t","event":"e","payload":{},"ref":"1"}`: wire.ErrShape, // clause 101
		`[]`:                            wire.ErrShape,
		`[null]`:                        wire.ErrShape,
		`[null,"1","t","e"]`:            wire.ErrShape, // clause 100
		`[null,"1","t","e",{}`:          wire.ErrSyntax,
		`[null,"1","t","e",{}]]`:        wire.ErrSyntax,
		`[null,"1","t","e",{}][]`:       wire.ErrSyntax,
		`[null,"1","t","e",{},]`:        wire.ErrSyntax,
		`[null,"1","t","e",{},x]`:       wire.ErrSyntax,
		`[null,"1","t","e",{"a"}]`:      wire.ErrSyntax,
		`[null,"1","t","e" {}]`:         wire.ErrSyntax,
		`[null,"1","t","e",{}}`:         wire.ErrSyntax,
		"[null,\"1\",\"t\n\",\"e\",{}]": wire.ErrSyntax,
		`[null,"1","t","e",` + strings.Repeat("[", 10_000): wire.ErrTooDeep,
	} {
		var m wire.Message
		if err := wire.V2().Decode(&m, false, []byte(text)); !errors.Is(err, want) {
			t.Errorf("%.60s: %v, want %v", text, err, want)
		}
	}
}

func TestV2WritesWhatPhoenixWrites(t *testing.T) {
	for want, m := range map[string]wire.Message{
		`[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]`: {Kind: wire.Reply, Ref: `"1"`, Topic: "phoenix", Status: "ok"}, // clauses 107, 136
		`[null,"1","nope","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]`: {
			Kind: wire.Reply, Ref: `"1"`, Topic: "nope", Status: "error", Payload: raw(`{"reason":"unmatched topic"}`)},
		`["1",2,"t","phx_reply",{"status":"custom","response":[null]}]`:    {Kind: wire.Reply, JoinRef: `"1"`, Ref: "2", Topic: "t", Event: "ignored", Status: "custom", Payload: raw("[null]")}, // clauses 108, 109
		`["1",null,"room:a","new",{"a":1}]`:                                {JoinRef: `"1"`, Topic: "room:a", Event: "new", Payload: raw(`{"a":1}`)},                                             // clause 104
		`[null,null,"room:a","new",{"a":1}]`:                               {Kind: wire.Broadcast, JoinRef: `"1"`, Ref: `"2"`, Topic: "room:a", Event: "new", Payload: raw(`{"a":1}`)},           // clause 105
		`["1","1","room:a","phx_close",{}]`:                                {JoinRef: `"1"`, Ref: `"1"`, Topic: "room:a", Event: "phx_close"},
		`[null,null,"room:a","phx_error",{"reason":"channel_crash"}]`:      {Topic: "room:a", Event: "phx_error", Payload: raw(`{"reason":"channel_crash"}`)},
		`[null,"1",{"a": 1},"phx_reply",{"status":"error","response":{}}]`: {Kind: wire.Reply, Ref: `"1"`, Topic: `{"a": 1}`, OddTopic: true, Status: "error"}, // clause 153
		`["1",null,"a\"/<ü>","\\",{}]`:                                     {JoinRef: `"1"`, Topic: `a"/<ü>`, Event: `\`},
	} {
		if got, binary := encoded(t, wire.V2(), m); got != want || binary {
			t.Errorf("%s (binary %t), want %s", got, binary, want)
		}
	}
}

func TestV2SaysHowToMendAPushThatIsNoObject(t *testing.T) {
	for _, kind := range []wire.Kind{wire.Push, wire.Broadcast} {
		_, _, err := wire.V2().Encode(nil, &wire.Message{Kind: kind, Topic: "t", Event: "tick", Payload: raw("[1]")})
		if !errors.Is(err, wire.ErrNotObject) || !strings.Contains(err.Error(), kind.String()+` "tick"; wrap the value`) {
			t.Errorf("%v", err)
		}
	}
}

func FuzzV2Text(f *testing.F) {
	for _, seed := range []string{
		`[null,"1","phoenix","heartbeat",{}]`, `["1","2","room:\u0061","e",{"a":[1,{}]},6]`, `[1,{},[],null,""]`,
		` [ "\"" , true , "ü" , "\ud800" , 1.5e3 ] `, `[null,null,"t","e"]`, `{}`, `[[[[[`, "[1,2,3,4,\"\xff\"]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m wire.Message
		err := wire.V2().Decode(&m, false, data)
		var want []json.RawMessage
		wrong := json.Unmarshal(data, &want)
		if ok := wrong == nil && len(want) >= 5; (err == nil) != ok {
			t.Fatalf("%q: %v, encoding/json: %v with %d elements", data, err, wrong, len(want))
		}
		if err == nil && utf8.Valid(data) {
			sameElements(t, m, want)
			readsBack(t, wire.V2(), wiretest.V2, m)
		}
	})
}

// sameElements checks m against what encoding/json found in its frame.
func sameElements(t *testing.T, m wire.Message, want []json.RawMessage) {
	t.Helper()
	if string(m.Payload.Bytes()) != string(want[4]) {
		t.Errorf("payload %q, want %q", m.Payload.Bytes(), want[4])
	}
	if m.JoinRef != refFrom(want[0]) || m.Ref != refFrom(want[1]) {
		t.Errorf("refs %s and %s of %s and %s", m.JoinRef, m.Ref, want[0], want[1])
	}
	if topic, text := textFrom(want[2]); m.Topic != topic || m.OddTopic == text {
		t.Errorf("topic %q (odd %t) of %s", m.Topic, m.OddTopic, want[2])
	}
	if event, _ := textFrom(want[3]); m.Event != event {
		t.Errorf("event %q of %s", m.Event, want[3])
	}
}

// textFrom returns the string that raw is, or raw itself if it is none.
func textFrom(raw json.RawMessage) (s string, ok bool) {
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return string(raw), false
	}
	return s, true
}

func refFrom(raw json.RawMessage) wire.Ref {
	text, ok := textFrom(raw)
	switch {
	case ok:
		return wire.StringRef(text)
	case text == "null":
		return ""
	}
	return wire.Ref(text)
}

// readsBack checks that the client c reads what s writes of a reply to m.
func readsBack(t *testing.T, s wire.Serializer, c wiretest.Client, m wire.Message) {
	t.Helper()
	m.Kind, m.Event, m.Status = wire.Reply, "", m.Event
	out, binary, err := s.Encode(nil, &m)
	if err != nil {
		if !errors.Is(err, wire.ErrFieldTooLong) {
			t.Fatalf("%+v: %v", m, err)
		}
		return
	}
	got, err := c.Decode(out, binary)
	if err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	if got.Status != m.Status || got.Topic != m.Topic || got.OddTopic != m.OddTopic || string(got.Payload.Bytes()) != string(m.Payload.Bytes()) {
		t.Errorf("%q was read as %+v, want %+v", out, got, m)
	}
}

// raw returns the JSON text as a payload.
func raw(text string) wire.Payload { return wire.JSON([]byte(text)) }
