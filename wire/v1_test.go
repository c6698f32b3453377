package wire_test

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/roostgo/roost/wire"
	"github.com/roostgo/roost/wire/wiretest"
)

func TestV1ReadsObjects(t *testing.T) {
	for text, want := range map[string]wire.Message{
		`{"topic":"room:1","event":"phx_join","payload":{},"ref":"1"}`: {Ref: `"1"`, Topic: "room:1", Event: "phx_join"},
		`{"join_ref":"1","ref":2,"payload":[1],"event":"e","topic":"t"}`: { // clause 118
			JoinRef: `"1"`, Ref: "2", Topic: "t", Event: "e", Payload: raw("[1]")},
		`{"topic":null,"event":null,"payload":null,"ref":null,"join_ref":null}`: {Topic: "null", OddTopic: true, Event: "null", Payload: raw("null")}, // clause 116
		`{"topic":"t","event":"e","payload":"text","ref":null,"Ref":1,"x":{"ref":2}}`: { // keys of no meaning
			Topic: "t", Event: "e", Payload: raw(`"text"`)},
		`{"topic":"old","topic":"new","event":"e","payload":1,"payload":{},"ref":1,"ref":"2"}`: {Ref: `"2"`, Topic: "new", Event: "e"}, // [§6.5]
		`{"\u0074opic":"t","even\u0074":"e","payload":{},"ref":"1"}`:                           {Ref: `"1"`, Topic: "t", Event: "e"},
		`{"topic":"t","event":"e","payload":{},"ref":"1","join\u005fref":"2","\ud800":0,"\"":0,"\\":0,"\u0000":0,"\u00e9":0,"top\u0069cs":0,"\u0072\u0065\u0066\u0066\u0066\u0066\u0066\u0066\u0066":0}`: {
			JoinRef: `"2"`, Ref: `"1"`, Topic: "t", Event: "e"},
		" { \"topic\" : \"t\" ,\n\"event\" :\t\"e\" , \"payload\" : { } , \"ref\" : \"1\" } ": {Ref: `"1"`, Topic: "t", Event: "e"},
	} {
		for _, binary := range []bool{false, true} { // clause 119
			var m wire.Message
			if err := wire.V1().Decode(&m, binary, []byte(text)); err != nil {
				t.Errorf("%s: %v", text, err)
			} else if diff := wiretest.Diff(m, want); diff != "" {
				t.Errorf("%s: %s", text, diff)
			}
		}
	}
}

func TestV1RefusesWhatIsNoMessage(t *testing.T) {
	for text, want := range map[string]error{
		``:                                       wire.ErrShape,
		`null`:                                   wire.ErrShape,
		`[null,"1","t","e",{}]`:                  wire.ErrShape, // clause 117
		`{}`:                                     wire.ErrShape,
		`{"topic":"t","event":"e","payload":{}}`: wire.ErrShape, // clause 116
		`{"topic":"t","event":"e","ref":"1"}`:    wire.ErrShape,
		`{"topic":"t","payload":{},"ref":"1"}`:   wire.ErrShape,
		`{"event":"e","payload":{},"ref":"1"}`:   wire.ErrShape,
		`{"Topic":"t","event":"e","payload":{},"ref":"1"}`:  wire.ErrShape,
		`{"topic":"t","event":"e","payload":{},"ref":"1"`:   wire.ErrSyntax,
		`{"topic":"t","event":"e","payload":{},"ref":"1",}`: wire.ErrSyntax,
		`{"topic":"t","event":"e","payload":{},"ref":"1"}}`: wire.ErrSyntax,
		`{"topic":"t" "event":"e","payload":{},"ref":"1"}`:  wire.ErrSyntax,
		`{"topic" "t"}`: wire.ErrSyntax,
		`{topic:"t"}`:   wire.ErrSyntax,
	} {
		var m wire.Message
		if err := wire.V1().Decode(&m, false, []byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

func TestV1RefusesABinaryFrameThatIsNotUTF8(t *testing.T) {
	text := []byte("{\"topic\":\"t\",\"event\":\"e\",\"payload\":\"\xff\",\"ref\":null}")
	var m wire.Message
	if err := wire.V1().Decode(&m, true, text); !errors.Is(err, wire.ErrNotUTF8) {
		t.Errorf("%v", err)
	}
}

func TestV1WritesWhatPhoenixWrites(t *testing.T) {
	for want, m := range map[string]wire.Message{
		`{"topic":"room:1","event":"phx_reply","ref":"1","payload":{"status":"ok","response":{}}}`: {
			Kind: wire.Reply, JoinRef: `"1"`, Ref: `"1"`, Topic: "room:1", Status: "ok"}, // clauses 107, 114, 115
		`{"topic":"t","event":"phx_reply","ref":2,"payload":{"status":"error","response":null}}`: {
			Kind: wire.Reply, Ref: "2", Topic: "t", Status: "error", Payload: raw("null")},
		`{"topic":"t","event":"e","ref":null,"payload":[1]}`:                                      {JoinRef: `"1"`, Topic: "t", Event: "e", Payload: raw("[1]")},                                   // clause 120
		`{"topic":"t","event":"e","ref":null,"payload":"x"}`:                                      {Kind: wire.Broadcast, JoinRef: `"1"`, Ref: `"2"`, Topic: "t", Event: "e", Payload: raw(`"x"`)}, // clause 121
		`{"topic":"t","event":"phx_close","ref":"1","payload":{}}`:                                {JoinRef: `"1"`, Ref: `"1"`, Topic: "t", Event: "phx_close"},
		`{"topic":null,"event":"phx_reply","ref":"1","payload":{"status":"error","response":{}}}`: {Kind: wire.Reply, Ref: `"1"`, Topic: "null", OddTopic: true, Status: "error"},
	} {
		if got, binary := encoded(t, wire.V1(), m); got != want || binary {
			t.Errorf("%s (binary %t), want %s", got, binary, want)
		}
	}
}

func FuzzV1(f *testing.F) {
	for _, seed := range []string{
		`{"topic":"room:1","event":"phx_join","payload":{},"ref":"1"}`,
		`{"join_ref":1,"ref":[],"payload":1.5,"event":"\u0065","topic":"\ud83d"}`,
		`{"topic":null,"event":null,"payload":null,"ref":null,"ref":"2","\u0072ef":3}`, `{}`, `[1]`, `{"topic":{"topic":{`, `{"topic":"t"`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, binary bool) {
		var m wire.Message
		err := wire.V1().Decode(&m, binary, data)
		if !utf8.Valid(data) {
			if binary && err == nil {
				t.Fatalf("%q: not UTF-8", data)
			}
			return
		}
		var want map[string]json.RawMessage
		ok := json.Unmarshal(data, &want) == nil && want["topic"] != nil && want["event"] != nil && want["payload"] != nil && want["ref"] != nil
		if (err == nil) != ok {
			t.Fatalf("%q: %v, encoding/json: %v", data, err, want)
		}
		if err == nil {
			if want["join_ref"] == nil {
				want["join_ref"] = json.RawMessage("null")
			}
			sameElements(t, m, []json.RawMessage{want["join_ref"], want["ref"], want["topic"], want["event"], want["payload"]})
			readsBack(t, wire.V1(), wiretest.V1, m)
		}
	})
}
