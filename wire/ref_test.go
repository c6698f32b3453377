package wire_test

import (
	"testing"

	"github.com/roostgo/roost/wire"
)

func TestRefsKeepTheirJSONType(t *testing.T) { // clauses 102, 103
	for _, c := range []struct{ json, ref, text string }{
		{`null`, ``, ``},
		{`"1"`, `"1"`, `1`},
		{`1`, `1`, `1`},
		{`1.0`, `1.0`, `1.0`},
		{`""`, `""`, ``},
		{`true`, `true`, `true`},
		{`"null"`, `"null"`, `null`},
		{`[1, 2]`, `[1, 2]`, `[1, 2]`},
		{`{"a":1}`, `{"a":1}`, `{"a":1}`},
		{`"a\"b"`, `"a\"b"`, `a"b`},
		{`"ü"`, `"ü"`, `ü`},
	} {
		r := decoded(t, wire.V2(), `[null,`+c.json+`,"t","e",{}]`).Ref
		if string(r) != c.ref || r.Text() != c.text || r.IsNull() != (c.json == "null") {
			t.Errorf("%s: ref %s, text %s, null %t", c.json, r, r.Text(), r.IsNull())
		}
	}
}

func TestARefIsTheSameHoweverItWasEscaped(t *testing.T) {
	for want, spellings := range map[string][]string{
		"1":   {`"1"`, `"\u0031"`},
		"a/b": {`"a/b"`, `"a\/b"`, `"\u0061\u002Fb"`},
		"ü":   {`"ü"`, `"\u00fc"`, `"\u00FC"`},
		"😀":   {`"😀"`, `"\ud83d\ude00"`},
		"\"\\\n\x01": {
			`"\"\\\n\u0001"`, `"\u0022\u005c\u000A\u0001"`,
		},
	} {
		for _, json := range spellings {
			for _, m := range []wire.Message{
				decoded(t, wire.V2(), `[`+json+`,`+json+`,"t","e",{}]`),
				decoded(t, wire.V1(), `{"join_ref":`+json+`,"ref":`+json+`,"topic":"t","event":"e","payload":{}}`),
			} {
				if m.Ref != wire.StringRef(want) || m.JoinRef != m.Ref {
					t.Errorf("%s: %s and %s, want %s", json, m.JoinRef, m.Ref, wire.StringRef(want))
				}
			}
		}
		if got := wire.StringRef(want).Text(); got != want {
			t.Errorf("%q became %q", want, got)
		}
	}
}

func TestTheRefOfABinaryFrameEqualsTheSameOneInText(t *testing.T) {
	for _, text := range []string{"1", "", "ü", `a"b`, `\`, "tab\t"} {
		data := append([]byte{0, byte(len(text)), byte(len(text)), 1, 1}, text+text+"te"...)
		var m wire.Message
		if err := wire.V2().Decode(&m, true, data); err != nil {
			t.Fatal(err)
		}
		if want := wire.StringRef(text); m.JoinRef != want || m.Ref != want {
			t.Errorf("%q: %s and %s, want %s", text, m.JoinRef, m.Ref, want)
		}
	}
}

// decoded returns the message that the client's text frame is.
func decoded(t *testing.T, s wire.Serializer, text string) (m wire.Message) {
	t.Helper()
	if err := s.Decode(&m, false, []byte(text)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

// encoded returns the frame of the server's message.
func encoded(t *testing.T, s wire.Serializer, m wire.Message) (text string, binary bool) {
	t.Helper()
	out, binary, err := s.Encode(nil, &m)
	if err != nil {
		t.Fatalf("%+v: %v", m, err)
	}
	return string(out), binary
}
