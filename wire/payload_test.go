package wire_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/roostgo/roost/wire"
)

type shout struct {
	Body string `json:"body"`
}

func TestThePayloadOfNothingIsAnEmptyObject(t *testing.T) {
	var p wire.Payload
	if string(p.Bytes()) != "{}" || p.IsBinary() || !p.IsObject() {
		t.Errorf("%q, binary %t, object %t", p.Bytes(), p.IsBinary(), p.IsObject())
	}
	_ = append(p.Bytes(), "scribble"...)
	if string((wire.Payload{}).Bytes()) != "{}" {
		t.Error("appending to it changed the next one")
	}
}

func TestGoValuesBecomePayloads(t *testing.T) {
	for _, c := range []struct {
		v      any
		want   string
		binary bool
	}{
		{nil, `{}`, false},
		{shout{"<b> & ü"}, `{"body":"<b> & ü"}`, false},
		{&shout{"hi"}, `{"body":"hi"}`, false},
		{map[string]any{"a": []int{1}}, `{"a":[1]}`, false},
		{"text", `"text"`, false},
		{[]int(nil), `null`, false},
		{json.RawMessage(`{ "as" : "is" }`), `{ "as" : "is" }`, false},
		{raw(`{ "as" : "is" }`), `{ "as" : "is" }`, false},
		{wire.Binary([]byte{0, 255}), "\x00\xff", true},
		{wire.Bytes("bytes"), "bytes", true},
		{wire.Bytes(nil), "", true},
		{[]byte("bytes"), `"Ynl0ZXM="`, false}, // as everywhere in Go
		{struct{ P wire.Payload }{raw(`{"a":1}`)}, `{"P":{"a":1}}`, false},
	} {
		p, err := wire.Marshal(c.v)
		if err != nil || string(p.Bytes()) != c.want || p.IsBinary() != c.binary {
			t.Errorf("%#v: %q, binary %t, %v", c.v, p.Bytes(), p.IsBinary(), err)
		}
	}
}

func TestWhatIsNoPayloadIsAnError(t *testing.T) {
	for _, c := range []struct {
		v    any
		want error
	}{
		{json.RawMessage(`{"a":`), wire.ErrSyntax},
		{json.RawMessage(``), wire.ErrSyntax},
		{json.RawMessage(nil), wire.ErrSyntax},
		{json.RawMessage(strings.Repeat("[", 20_000)), wire.ErrTooDeep},
		{json.RawMessage("\"\xff\""), wire.ErrNotUTF8},
		{struct{ P wire.Payload }{wire.Binary(nil)}, wire.ErrBinary},
		{math.NaN(), nil},
		{make(chan int), nil},
	} {
		_, err := wire.Marshal(c.v)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%#v: %v, want %v", c.v, err, c.want)
		}
	}
}

func TestPayloadsKnowWhetherTheyAreObjects(t *testing.T) {
	for text, want := range map[string]bool{`{}`: true, " \t\r\n{}": true, `[]`: false, `"{"`: false, `null`: false, `1`: false, ` `: false} {
		if got := raw(text).IsObject(); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
	if wire.Binary([]byte("{}")).IsObject() {
		t.Error("bytes are an object")
	}
}

func TestPayloadsAreDecoded(t *testing.T) {
	var s shout
	if err := raw(`{"body":"hi"}`).Decode(&s); err != nil || s.Body != "hi" {
		t.Errorf("%+v, %v", s, err)
	}
	var m map[string]any
	if err := (wire.Payload{}).Decode(&m); err != nil || m == nil || len(m) != 0 {
		t.Errorf("%v, %v", m, err)
	}
	var p wire.Payload
	if err := raw(`[1]`).Decode(&p); err != nil || string(p.Bytes()) != "[1]" {
		t.Errorf("%s, %v", p.Bytes(), err)
	}
	var outer struct{ P wire.Payload }
	text := []byte(`{"P":{"a":1}}`)
	if err := wire.JSON(text).Decode(&outer); err != nil || string(outer.P.Bytes()) != `{"a":1}` {
		t.Errorf("%s, %v", outer.P.Bytes(), err)
	}
	clear(text)
	if string(outer.P.Bytes()) != `{"a":1}` {
		t.Error("a payload within a payload shares its memory")
	}
}

func TestBinaryPayloadsAreCopiedIntoBytes(t *testing.T) {
	source := []byte{1, 2, 3}
	p := wire.Binary(source)
	var plain []byte
	var named wire.Bytes
	var same wire.Payload
	for _, v := range []any{&plain, &named, &same} {
		if err := p.Decode(v); err != nil {
			t.Fatal(err)
		}
	}
	plain[0], named[1] = 9, 9
	if string(source) != "\x01\x02\x03" || string(plain) != "\x09\x02\x03" || string(named) != "\x01\x09\x03" {
		t.Errorf("%v, %v, %v", source, plain, named)
	}
	if !same.IsBinary() || string(same.Bytes()) != string(source) {
		t.Errorf("%+v", same)
	}
}

func TestErrorsOfDecodeTeach(t *testing.T) {
	err := wire.Binary([]byte{1}).Decode(&shout{})
	if !errors.Is(err, wire.ErrBinary) || !strings.Contains(err.Error(), "*wire_test.shout; decode into a *[]byte") {
		t.Errorf("%v", err)
	}
	var b wire.Bytes
	if err := raw(`"AQID"`).Decode(&b); !errors.Is(err, wire.ErrNotBinary) || !strings.Contains(err.Error(), "decode into a struct") {
		t.Errorf("%v", err)
	}
	var syntax *json.UnmarshalTypeError
	if err := raw(`{"body":1}`).Decode(&shout{}); !errors.As(err, &syntax) {
		t.Errorf("%v", err)
	}
}

func TestBase64InJSONIsBytesAsEverywhereInGo(t *testing.T) {
	var b []byte
	if err := raw(`"AQID"`).Decode(&b); err != nil || string(b) != "\x01\x02\x03" {
		t.Errorf("%v, %v", b, err)
	}
}

func TestANumberThatDoesNotFitIsNotRepeatedInFull(t *testing.T) {
	var n int8
	p := wire.JSON([]byte(strings.Repeat("9", 1<<20)))
	err := p.Decode(&n)
	var e *json.UnmarshalTypeError
	if !errors.As(err, &e) || len(err.Error()) > 200 || !strings.Contains(err.Error(), "number 9999") {
		t.Errorf("got %.300v", err)
	}
}
