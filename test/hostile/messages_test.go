package hostile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

func repeat(s string, n int) string { return strings.Repeat(s, n) }

// messages are texts of a V2 client and what may become of its connection.
var messages = map[string]struct {
	text string
	want []uint16
}{
	"empty":                      {"", []uint16{1011}},
	"a space":                    {" ", []uint16{1011}},
	"not JSON":                   {"hello", []uint16{1011}},
	"null":                       {"null", []uint16{1011}},
	"an object":                  {"{}", []uint16{1011}},
	"an empty array":             {"[]", []uint16{1011}},
	"four elements":              {`[null,"1","t","e"]`, []uint16{1011}},
	"more elements":              {`[null,"1","t","e",{},1,2]`, []uint16{goesOn}},
	"half an array":              {`[null,"1","t","e",{}`, []uint16{1011}},
	"two arrays":                 {`[null,"1","t","e",{}][null,"1","t","e",{}]`, []uint16{1011}},
	"a NUL byte":                 {v2("null", `"1"`, "\"a\x00b\"", `"e"`, "{}"), []uint16{1011}},
	"an escaped NUL":             {v2("null", `"1"`, `"a\u0000b"`, `"\u0000"`, `{"\u0000":"\u0000"}`), []uint16{goesOn}},
	"a join of a NUL":            {v2(`"1"`, `"1"`, `"room:\u0000"`, `"phx_join"`, "{}"), []uint16{goesOn}},
	"half a surrogate":           {v2("null", `"1"`, `"\ud800"`, `"e"`, "{}"), []uint16{goesOn, 1011}},
	"a bad escape":               {v2("null", `"1"`, `"\x41"`, `"e"`, "{}"), []uint16{1011}},
	"no strings":                 {v2("1", "2", "3", "4", "5"), []uint16{goesOn, 1011}},
	"everything nested":          {v2("[[]]", "{}", "[1]", `{"a":1}`, "[]"), []uint16{goesOn, 1011}},
	"true refs":                  {v2("true", "false", `"t"`, `"e"`, "{}"), []uint16{goesOn, 1011}},
	"a huge number":              {v2("null", repeat("9", 100_000), `"t"`, `"e"`, "1e999999"), []uint16{goesOn, 1011}},
	"a huge ref":                 {v2("null", `"`+repeat("r", 200_000)+`"`, `"t"`, `"e"`, "{}"), []uint16{goesOn}},
	"a huge join_ref":            {v2(`"`+repeat("r", 200_000)+`"`, `"1"`, `"room:1"`, `"phx_join"`, "{}"), []uint16{goesOn}},
	"a huge topic":               {v2("null", `"1"`, `"`+repeat("t", 200_000)+`"`, `"e"`, "{}"), []uint16{goesOn}},
	"a join of a huge topic":     {v2(`"1"`, `"1"`, `"room:`+repeat("t", 200_000)+`"`, `"phx_join"`, "{}"), []uint16{goesOn}},
	"a huge event":               {v2("null", `"1"`, `"phoenix"`, `"`+repeat("e", 200_000)+`"`, "{}"), []uint16{goesOn}},
	"a topic __proto__":          {v2(`"1"`, `"1"`, `"__proto__"`, `"phx_join"`, `{"__proto__":{"polluted":true}}`), []uint16{goesOn}},
	"an event __proto__":         {v2("null", `"1"`, `"phoenix"`, `"__proto__"`, "{}"), []uint16{goesOn}},
	"a join of constructor":      {v2(`"1"`, `"1"`, `"room:constructor"`, `"phx_join"`, `{"constructor":{"prototype":1}}`), []uint16{goesOn}},
	"deep arrays":                {v2("null", `"1"`, `"t"`, `"e"`, repeat("[", 100_000)+repeat("]", 100_000)), []uint16{1011}},
	"deep arrays that never end": {repeat("[", 1_000_000), []uint16{1011}},
	"deep objects":               {v2("null", `"1"`, `"t"`, `"e"`, repeat(`{"a":`, 50_000)+"1"+repeat("}", 50_000)), []uint16{1011}},
	"a deep topic":               {v2("null", `"1"`, repeat("[", 50_000)+repeat("]", 50_000), `"e"`, "{}"), []uint16{1011}},
	"many keys":                  {v2("null", `"1"`, `"t"`, `"e"`, "{"+repeat(`"a":1,`, 100_000)+`"b":2}`), []uint16{goesOn}},
	"many elements":              {"[" + repeat("null,", 300_000) + "null]", []uint16{goesOn, 1011}},
	"a byte order mark":          {"\ufeff" + v2("null", `"1"`, `"t"`, `"e"`, "{}"), []uint16{1011}},
	"a reply of the server":      {v2("null", `"1"`, `"phoenix"`, `"phx_reply"`, `{"status":"ok","response":{}}`), []uint16{goesOn}},
	"a disconnect":               {v2("null", `"1"`, `"phoenix"`, `"disconnect"`, "{}"), []uint16{goesOn}},
	"a join of phoenix":          {v2(`"1"`, `"1"`, `"phoenix"`, `"phx_join"`, "{}"), []uint16{goesOn}},
	"a leave of nothing":         {v2(`"1"`, `"1"`, `"room:none"`, `"phx_leave"`, "{}"), []uint16{goesOn}},
}

func TestHostileMessages(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		for name, row := range messages {
			t.Run(name, func(t *testing.T) {
				c := f.attacker(t, "2.0.0", client.Options{})
				if err := c.SendText(row.text); err != nil {
					t.Fatal(err)
				}
				if got := outcome(t, c, beatV2); !slices.Contains(row.want, got) {
					t.Errorf("got %d, want one of %v", got, row.want)
				}
				c.Abort()
				f.stands(t)
			})
		}
	})
}

func TestHostileMessagesOfV1(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		for text, want := range map[string]uint16{
			"[]": 1011, "{}": 1011, `{"topic":"t"}`: 1011, beatV2: 1011, "": 1011,
			`{"topic":{"__proto__":1},"event":[],"payload":null,"ref":{}}`:                                    goesOn,
			`{"topic":"a","topic":"b","event":"e","payload":1,"ref":"1","__proto__":{"x":1}}`:                 goesOn,
			`{"topic":"t","event":"e","ref":"1","payload":` + repeat("[", 50_000) + repeat("]", 50_000) + "}": 1011,
		} {
			c := f.attacker(t, "1.0.0", client.Options{})
			if err := c.SendText(text); err != nil {
				t.Fatal(err)
			}
			if got := outcome(t, c, beatV1); got != want && !(want == goesOn && got == 1011) {
				t.Errorf("%.80s: got %d, want %d", text, got, want)
			}
			c.Abort()
		}
	})
}

func TestHostileBinaryMessages(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		for name, b := range map[string][]byte{
			"empty":             {},
			"a kind":            {0},
			"no such kind":      {9, 0, 0, 0, 0},
			"lengths too large": {0, 255, 255, 255, 255, 'x'},
			"not UTF-8":         {0, 1, 1, 2, 1, '1', '1', 0xff, 0xfe, 'e', 1, 2, 3},
			"all bytes 255":     slices.Repeat([]byte{255}, 2000),
			"a push to nobody":  {0, 0, 1, 1, 1, '1', 't', 'e', 0, 1, 2},
			"JSON":              []byte(beatV2),
		} {
			t.Run(name, func(t *testing.T) {
				c := f.attacker(t, "2.0.0", client.Options{})
				if err := c.SendBinary(b); err != nil {
					t.Fatal(err)
				}
				if got := outcome(t, c, beatV2); got != goesOn && got != 1011 {
					t.Errorf("got %d", got)
				}
				c.Abort()
			})
		}
	})
}

func TestMoreJoinsThanThereMayBe(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		c := f.attacker(t, "2.0.0", client.Options{})
		for i := range 1000 {
			if err := c.Push(fmt.Sprint(i), fmt.Sprint(i), fmt.Sprint("room:", i), "phx_join", ""); err != nil {
				t.Fatal(err)
			}
		}
		if got := outcome(t, c, beatV2); got != goesOn {
			t.Errorf("got %d", got)
		}
		if n := f.Stats().Channels; n != 100+rooms {
			t.Errorf("%d channels", n)
		}
		c.Abort()
	})
}

func TestManyFragments(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		c := f.attacker(t, "2.0.0", client.Options{})
		beat := v2("null", `"the beat"`, `"phoenix"`, `"heartbeat"`, `{"pad":"`+repeat("x", 100_000)+`"}`)
		var b []byte
		for i := range len(beat) {
			op := frame.Continuation
			if i == 0 {
				op = frame.Text
			}
			b = frame.AppendMasked(b, i == len(beat)-1, 0, op, [4]byte{1, 2, 3, 4}, []byte{beat[i]})
		}
		go func() { _ = c.SendRaw(b) }()
		m, err := c.Read(patience)
		if err != nil || !strings.Contains(string(m.Payload), `"the beat"`) {
			t.Errorf("got %v, %v", m, err)
		}
		c.Abort()
	})
}
