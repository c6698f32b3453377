package wire

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// samples are JSON texts, near-JSON texts and the borders between them.
var samples = []string{
	"", " ", "null", " null ", "nul", "nulll", "true", "tru", "false", "fals", "True", "NaN", "\x00", "null\x00", "\x00null",
	"0", "-0", "00", "01", "-", "--1", "+1", "1.", ".1", "1.5", "1.5.5", "1e", "1e+", "1e-5", "1E5", "1e5.5", "-1.5E+07", "1 2", "0x1", "1_0", "1e5e5",
	`""`, `"`, `"a`, `"a"b`, `"\"`, `"\""`, `"\\"`, `"\/\b\f\n\r\t"`, `"\a"`, `"\u"`, `"\u12"`, `"\u123"`, `"\u1234"`, `"\u12g4"`, `"\uABcd"`, `"\ud800"`, `"\U0041"`,
	"\"\n\"", "\"\x1f\"", "\"\x7f\"", "\"\xff\"", "\"zażółć\"", `'a'`, `"12345678"`, `"1234567` + "\x01" + `"`, "\"\x80\x81\x82\x83\x84\x85\x86\x87\"", "\"\x80\x1f\"",
	"[]", "[", "]", "[ ]", "[1]", "[1,]", "[,1]", "[,]", "[1,2]", "[1 2]", "[[]", "[]]", "[1}", "[[],[]]", "[\t1\n,\r2 ]", "[1\v]", "[\u00a01]",
	"{}", "{", "}", "{ }", `{"a"}`, `{"a":}`, `{"a":1}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{"a":1,"b":2}`, `{"a" : 1}`, `{"a"::1}`, `{a:1}`, `{1:1}`, `{"a":1]`, `{"a":1,1}`, `{"a":{"b":[{}]}}`, `{"a":1}}`, `{"\x":1}`, `{"a":1,"a":2}`,
	`/**/1`, "\ufeff1", `[1]//`, "[" + `"\u0000"` + "]",
}

func TestTheScannerAcceptsWhatEncodingJSONAccepts(t *testing.T) {
	for _, text := range samples {
		for _, form := range []string{text, "[" + text + "]", `{"k":` + text + "}", " " + text + "\n", `["a",` + text + `,{"b":0}]`} {
			sameAsEncodingJSON(t, []byte(form))
		}
	}
}

func TestTheScannerAgreesAboutEveryByteInEveryPlace(t *testing.T) {
	text := []byte(`{"key \u00fc":["text 12345",-1.5e+3,true,null,{},[]],"x":"y"}`)
	for i := range text {
		for c := range 256 {
			changed := append([]byte(nil), text...)
			changed[i] = byte(c)
			sameAsEncodingJSON(t, changed)
		}
		sameAsEncodingJSON(t, text[:i])
	}
}

func TestTheScannerAgreesAboutRandomTexts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var text []byte
		for range rnd.IntN(5) + 1 {
			text = append(text, samples[rnd.IntN(len(samples))]...)
			text = append(text, `,:[]{}" `[rnd.IntN(8)])
		}
		sameAsEncodingJSON(t, text)
	}
}

func TestStringsOfEveryLengthAndAlignmentEndWhereTheyEnd(t *testing.T) {
	for length := range 40 {
		for _, c := range []byte{'"', '\\', 0, 0x1f, 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff} {
			for at := range length + 1 {
				text := []byte(strings.Repeat("a", length))
				text = append(text[:at], append([]byte{c}, text[at:]...)...)
				want := at
				if c >= ' ' && c != '"' && c != '\\' {
					want = len(text)
				}
				if got := plain(text); got != want {
					t.Fatalf("plain(%q) = %d, want %d", text, got, want)
				}
			}
		}
	}
}

func TestNestingIsLimitedWhereEncodingJSONLimitsIt(t *testing.T) {
	for _, depth := range []int{1, 63, 64, 65, 127, 128, 129, 1000, maxDepth - 1, maxDepth, maxDepth + 1, 50_000} {
		for _, ends := range [][2]string{{"[", "]"}, {`{"a":`, "}"}, {`[{"b":1,"a":`, "},2]"}} {
			text := strings.Repeat(ends[0], depth) + "1" + strings.Repeat(ends[1], depth)
			sameAsEncodingJSON(t, []byte(text))
			sameAsEncodingJSON(t, []byte(strings.Replace(text, "1", "", 1)))
			sameAsEncodingJSON(t, []byte(strings.Repeat(ends[0], depth)+"1"))
			sameAsEncodingJSON(t, []byte(text+ends[1]))
		}
	}
}

func TestTooDeepJSONHasAnErrorOfItsOwn(t *testing.T) {
	if err := validate([]byte(strings.Repeat("[", 20_000))); !errors.Is(err, ErrTooDeep) {
		t.Errorf("%v", err)
	}
}

func TestErrorsTellThePlace(t *testing.T) {
	for text, want := range map[string]string{
		`[1,2`:        "wire: invalid JSON at byte 4",
		`[1,x]`:       "wire: invalid JSON at byte 3",
		`{"a" 1}`:     "wire: invalid JSON at byte 5",
		"[\"a\nb\"]":  "wire: invalid JSON at byte 3",
		`["\q"]`:      "wire: invalid JSON at byte 2",
		`[truth]`:     "wire: invalid JSON at byte 1",
		`[1] and [2]`: "wire: invalid JSON at byte 4",
		``:            "wire: invalid JSON at byte 0",
	} {
		if err := validate([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestMixedNestingIsRemembered(t *testing.T) {
	var n nesting
	rnd := rand.New(rand.NewPCG(3, 4))
	var want []container
	for range 100_000 {
		if len(want) > 0 && (rnd.IntN(100) < 48 || len(want) == maxDepth) {
			if got := n.top(); got != want[len(want)-1] {
				t.Fatalf("at depth %d: %v", len(want), got)
			}
			n.pop()
			want = want[:len(want)-1]
			continue
		}
		c := container(rnd.IntN(2))
		if !n.push(c) {
			t.Fatalf("refused at depth %d", len(want))
		}
		want = append(want, c)
	}
}

func FuzzScan(f *testing.F) {
	for _, text := range samples {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { sameAsEncodingJSON(t, text) })
}

func sameAsEncodingJSON(t *testing.T, text []byte) {
	t.Helper()
	err := validate(text)
	if (err == nil) != json.Valid(text) {
		t.Errorf("%.100q: %v, encoding/json says %t", text, err, err != nil)
	}
}
