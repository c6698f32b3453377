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

// messages are texts of a V2 client and what becomes of its connection.
var messages = map[string]struct {
	text string
	want uint16
}{
	"empty":                      {"", 1011},
	"a space":                    {" ", 1011},
	"not JSON":                   {"hello", 1011},
	"null":                       {"null", 1011},
	"an object":                  {"{}", 1011},
	"an empty array":             {"[]", 1011},
	"four elements":              {`[null,"1","t","e"]`, 1011},
	"more elements":              {`[null,"1","t","e",{},1,2]`, goesOn},
	"half an array":              {`[null,"1","t","e",{}`, 1011},
	"two arrays":                 {`[null,"1","t","e",{}][null,"1","t","e",{}]`, 1011},
	"a NUL byte":                 {v2("null", `"1"`, "\"a\x00b\"", `"e"`, "{}"), 1011},
	"an escaped NUL":             {v2("null", `"1"`, `"a\u0000b"`, `"\u0000"`, `{"\u0000":"\u0000"}`), goesOn},
	"a join of a NUL":            {v2(`"1"`, `"1"`, `"room:\u0000"`, `"phx_join"`, "{}"), goesOn},
	"half a surrogate":           {v2("null", `"1"`, `"\ud800"`, `"e"`, "{}"), goesOn},
	"a bad escape":               {v2("null", `"1"`, `"\x41"`, `"e"`, "{}"), 1011},
	"no strings":                 {v2("1", "2", "3", "4", "5"), goesOn},
	"everything nested":          {v2("[[]]", "{}", "[1]", `{"a":1}`, "[]"), goesOn},
	"true refs":                  {v2("true", "false", `"t"`, `"e"`, "{}"), goesOn},
	"a huge number":              {v2("null", repeat("9", 100_000), `"t"`, `"e"`, "1e999999"), goesOn},
	"a huge ref":                 {v2("null", `"`+repeat("r", 200_000)+`"`, `"t"`, `"e"`, "{}"), goesOn},
	"a huge join_ref":            {v2(`"`+repeat("r", 200_000)+`"`, `"1"`, `"room:1"`, `"phx_join"`, "{}"), goesOn},
	"a huge topic":               {v2("null", `"1"`, `"`+repeat("t", 200_000)+`"`, `"e"`, "{}"), goesOn},
	"a join of a huge topic":     {v2(`"1"`, `"1"`, `"room:`+repeat("t", 200_000)+`"`, `"phx_join"`, "{}"), goesOn},
	"a huge event":               {v2("null", `"1"`, `"phoenix"`, `"`+repeat("e", 200_000)+`"`, "{}"), goesOn},
	"a topic __proto__":          {v2(`"1"`, `"1"`, `"__proto__"`, `"phx_join"`, `{"__proto__":{"polluted":true}}`), goesOn},
	"an event __proto__":         {v2("null", `"1"`, `"phoenix"`, `"__proto__"`, "{}"), goesOn},
	"a join of constructor":      {v2(`"1"`, `"1"`, `"room:constructor"`, `"phx_join"`, `{"constructor":{"prototype":1}}`), goesOn},
	"deep arrays":                {v2("null", `"1"`, `"t"`, `"e"`, repeat("[", 100_000)+repeat("]", 100_000)), 1011},
	"deep arrays that never end": {repeat("[", 1_000_000), 1011},
	"deep objects":               {v2("null", `"1"`, `"t"`, `"e"`, repeat(`{"a":`, 50_000)+"1"+repeat("}", 50_000)), 1011},
	"a deep topic":               {v2("null", `"1"`, repeat("[", 50_000)+repeat("]", 50_000), `"e"`, "{}"), 1011},
	"many keys":                  {v2("null", `"1"`, `"t"`, `"e"`, "{"+repeat(`"a":1,`, 100_000)+`"b":2}`), goesOn},
	"many elements":              {"[" + repeat("null,", 300_000) + "null]", goesOn},
	"a byte order mark":          {"\ufeff" + v2("null", `"1"`, `"t"`, `"e"`, "{}"), 1011},
	"a reply of the server":      {v2("null", `"1"`, `"phoenix"`, `"phx_reply"`, `{"status":"ok","response":{}}`), goesOn},
	"a disconnect":               {v2("null", `"1"`, `"phoenix"`, `"disconnect"`, "{}"), goesOn},
	"a join of phoenix":          {v2(`"1"`, `"1"`, `"phoenix"`, `"phx_join"`, "{}"), goesOn},
	"a leave of nothing":         {v2(`"1"`, `"1"`, `"room:none"`, `"phx_leave"`, "{}"), goesOn},
}

func TestHostileMessages(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		for name, row := range messages {
			t.Run(name, func(t *testing.T) {
				c := f.attacker(t, "2.0.0", client.Options{})
				if err := c.SendText(row.text); err != nil {
					t.Fatal(err)
				}
				if got := outcome(t, c, beatV2); got != row.want {
					t.Errorf("got %d, want %d", got, row.want)
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
			if got := outcome(t, c, beatV1); got != want {
				t.Errorf("%.80s: got %d, want %d", text, got, want)
			}
			c.Abort()
		}
	})
}

func TestHostileBinaryMessages(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		for name, row := range map[string]struct {
			bytes []byte
			want  uint16
		}{
			"empty":             {nil, 1011},
			"a kind":            {[]byte{0}, 1011},
			"no such kind":      {[]byte{9, 0, 0, 0, 0}, 1011},
			"lengths too large": {[]byte{0, 255, 255, 255, 255, 'x'}, 1011},
			"not UTF-8":         {[]byte{0, 1, 1, 2, 1, '1', '1', 0xff, 0xfe, 'e', 1, 2, 3}, 1011},
			"all bytes 255":     {slices.Repeat([]byte{255}, 2000), 1011},
			"a push to nobody":  {[]byte{0, 0, 1, 1, 1, '1', 't', 'e', 0, 1, 2}, goesOn},
			"JSON":              {[]byte(beatV2), 1011},
		} {
			t.Run(name, func(t *testing.T) {
				c := f.attacker(t, "2.0.0", client.Options{})
				if err := c.SendBinary(row.bytes); err != nil {
					t.Fatal(err)
				}
				if got := outcome(t, c, beatV2); got != row.want {
					t.Errorf("got %d, want %d", got, row.want)
				}
				c.Abort()
				f.stands(t)
			})
		}
	})
}

func TestMoreJoinsThanThereMayBe(t *testing.T) {
	const may, tried = 100, 1000
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		c := f.attacker(t, "2.0.0", client.Options{})
		go func() { // ends when all is sent, or with the connection
			for i := range tried {
				_ = c.Push(fmt.Sprint(i), fmt.Sprint(i), fmt.Sprint("room:", i), "phx_join", "")
			}
		}()
		for i := range tried {
			ref, topic, status := fmt.Sprint(i), fmt.Sprint("room:", i), "ok"
			if i >= may {
				status = "error"
			}
			if got := string(c.ExpectReply(t, ref, ref, topic, status)); i >= may && got != `{"reason":"too many channels joined"}` {
				t.Fatalf("the refusal says %s", got)
			}
		}
		if n := f.Stats().Channels; n != may+rooms {
			t.Errorf("%d channels", n)
		}
		c.ExpectQuiet(t)
		c.Abort()
	})
}

// What the server tells clients of their channels is nothing that one of them
// can tell another.
func TestReservedEventsReachNoOtherMember(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		victim := f.attacker(t, "2.0.0", client.Options{})
		victim.Join(t, "room:1", "1", "")
		for _, member := range []bool{true, false} {
			for _, event := range []string{
				"phx_close", "phx_error", "phx_reply", "chan_reply_2", "phx_join", "phx_leave", "presence_state", "presence_diff", "disconnect", "heartbeat", "phx_",
			} {
				c := f.attacker(t, "2.0.0", client.Options{})
				if member {
					c.Join(t, "room:1", "1", "")
				}
				payload := `{"status":"ok","response":{}}`
				for _, sent := range []string{v2(`"1"`, `"2"`, `"room:1"`, `"`+event+`"`, payload), v2("null", "null", `"room:1"`, `"`+event+`"`, payload)} {
					if err := c.SendText(sent); err != nil {
						t.Fatal(err)
					}
				}
				if got := outcome(t, c, beatV2); got != goesOn {
					t.Errorf("%s: got %d", event, got)
				}
				c.Abort()
			}
		}
		victim.ExpectQuiet(t)
		if err := victim.Push("1", "3", "room:1", "echo", ""); err != nil {
			t.Fatal(err)
		}
		victim.ExpectReply(t, "1", "3", "room:1", "ok") // it is a member still
		victim.Abort()
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
