package wire

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestStringsAreEscapedNoMoreThanNeeded(t *testing.T) {
	for s, want := range map[string]string{
		"":                       `""`,
		"room:1":                 `"room:1"`,
		"a/b":                    `"a/b"`,
		"<a href='x'>&</a>":      `"<a href='x'>&</a>"`,
		"zażółć 😀 \u2028":        "\"zażółć 😀 \u2028\"",
		`"`:                      `"\""`,
		`\`:                      `"\\"`,
		"\n\r\t":                 `"\n\r\t"`,
		"\b\f\x00\x1f":           `"\u0008\u000c\u0000\u001f"`,
		"\x7f":                   "\"\x7f\"",
		"a\xffb":                 "\"a\ufffdb\"",
		"\xe2\x28":               "\"\ufffd(\"",
		"cut \xf0\x9f\x98":       "\"cut \ufffd\ufffd\ufffd\"",
		"said \ufffd before":     "\"said \ufffd before\"",
		"\xed\xa0\x80 surrogate": "\"\ufffd\ufffd\ufffd surrogate\"",
	} {
		if got := string(appendString(nil, s)); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "room:1", "\"\\\n\x00", "zażółć", "\xff\xfe", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := appendString([]byte("["), s)[1:]
		if !utf8.Valid(text) {
			t.Fatalf("%q is not UTF-8", text)
		}
		var got, want string
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		theirs, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(theirs, &want); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q came back as %q, want %q", s, got, want)
		}
	})
}

func TestStringsAreReadAsEncodingJSONReadsThem(t *testing.T) {
	for _, raw := range []string{
		`""`, `"room:1"`, `"room\/1"`, `"\u0072oom"`, `"\"\\\b\f\n\r\t"`, `"\u00fc"`, `"\ud83d\ude00"`,
		`"\ud800"`, `"\ude00\ud83d"`, `"\ud83dx"`, `"\ud83d\ud83d\ude00"`, `"żółw"`,
	} {
		var want string
		if err := json.Unmarshal([]byte(raw), &want); err != nil {
			t.Fatal(err)
		}
		if got, ok := stringOf([]byte(raw)); got != want || !ok {
			t.Errorf("%s: %q, %t, want %q", raw, got, ok, want)
		}
	}
}
