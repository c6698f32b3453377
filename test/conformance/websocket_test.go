package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
)

func TestPings(t *testing.T) {
	clause(t, 84, "a ping is answered with its payload", func(t *testing.T, s *server) {
		var seen notes
		s.plays("ears", seen.channel())
		c := s.open(t)
		c.Join(t, "ears", "1", "")
		for _, payload := range []string{"", "a", strings.Repeat("x", 125), "\xff\x00"} {
			must(t, c.Ping(payload))
			c.ExpectPong(t, payload)
		}
		must(t, c.SendFrame(true, 0, frame.Pong, []byte("unasked")))
		c.ExpectQuiet(t)
		push(t, c, "1", "2", "ears", "done", "{}")
		c.ExpectReply(t, "1", "2", "ears", "ok")
		if got := fmt.Sprint(seen.all()); got != "[done]" {
			t.Fatalf("the channel saw %s, want done only", got)
		}
	})
	clause(t, 84, "a ping before the first message", func(t *testing.T, s *server) {
		c := s.openV1(t)
		must(t, c.Ping("early"))
		c.ExpectPong(t, "early")
	})
}

func TestBadText(t *testing.T) {
	clause(t, 89, "text that is not UTF-8", func(t *testing.T, s *server) {
		for _, text := range []string{"\xff", `["1","1","room:` + "\xc3\x28" + `","phx_join",{}]`, "\xed\xa0\x80", "cut \xe2\x82"} {
			c := s.open(t)
			must(t, c.SendText(text))
			c.ExpectClose(t, 1007)
			c.ExpectEOF(t)
		}
	})
	clause(t, 89, "text that is not UTF-8, in fragments", func(t *testing.T, s *server) {
		c := s.open(t)
		must(t, c.SendFrame(false, 0, frame.Text, []byte(`["1","1","room:`+"\xc3")))
		must(t, c.SendFrame(true, 0, frame.Continuation, []byte(`(","phx_join",{}]`)))
		c.ExpectClose(t, 1007)
	})
	clause(t, 89, "a rune across fragments is fine", func(t *testing.T, s *server) {
		c := s.open(t)
		must(t, c.SendFrame(false, 0, frame.Text, []byte(`["1","1","room:`+"\xc3")))
		must(t, c.SendFrame(true, 0, frame.Continuation, []byte("\xbc"+`","phx_join",{}]`)))
		c.ExpectReply(t, "1", "1", "room:ü", "ok")
	})
}

func TestLargeFrames(t *testing.T) {
	small := func(c *roost.Config) { c.WebSocket.MaxFrame, c.WebSocket.MaxMessage = 100, 250 }
	clauseWith(t, 90, "a frame over the bound", small, func(t *testing.T, s *server) {
		c := s.open(t)
		must(t, c.SendText(padded(100)))
		c.ExpectReply(t, "", "1", "phoenix", "ok")
		must(t, c.SendText(padded(101)))
		c.ExpectClose(t, 1009)
		c.ExpectEOF(t)
	})
	clauseWith(t, 90, "is refused by its header", small, func(t *testing.T, s *server) {
		c := s.open(t)
		must(t, c.SendRaw([]byte{0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4})) // 4 GiB are to come
		c.ExpectClose(t, 1009)
	})
	clauseWith(t, 90, "a message over the bound", small, func(t *testing.T, s *server) {
		c := s.open(t)
		part := []byte(strings.Repeat(" ", 100))
		must(t, c.SendFrame(false, 0, frame.Text, part))
		must(t, c.SendFrame(false, 0, frame.Continuation, part))
		must(t, c.SendFrame(false, 0, frame.Continuation, part))
		c.ExpectClose(t, 1009)
	})
	clause(t, 90, "by default 10 MB are accepted", func(t *testing.T, s *server) {
		c := s.open(t)
		must(t, c.SendText(padded(10_000_000)))
		c.ExpectReply(t, "", "1", "phoenix", "ok")
		must(t, c.SendRaw([]byte{0x81, 0xff, 0, 0, 0, 0, 0, 0x98, 0x96, 0x81, 1, 2, 3, 4})) // 10,000,001
		c.ExpectClose(t, 1009)
	})
}

// padded is a heartbeat of n bytes.
func padded(n int) string {
	h := heartbeat(`"1"`)
	return h + strings.Repeat(" ", n-len(h))
}

func TestFragments(t *testing.T) {
	clause(t, 91, "are put together", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		text := v2(`"1"`, `"2"`, "room:1", "echo", `{"text":"in pieces"}`)
		for i, b := range []byte(text) { // a byte each
			must(t, c.SendFrame(i == len(text)-1, 0, opcodeOf(frame.Text, i), []byte{b}))
		}
		expectJSON(t, c.ExpectReply(t, "1", "2", "room:1", "ok"), `{"text":"in pieces"}`)
	})
	clause(t, 91, "may have control frames between", func(t *testing.T, s *server) {
		c := s.open(t)
		text := []byte(heartbeat(`"7"`))
		must(t, c.SendFrame(false, 0, frame.Text, text[:5]))
		must(t, c.Ping("between"))
		must(t, c.SendFrame(false, 0, frame.Continuation, text[5:9]))
		must(t, c.SendFrame(true, 0, frame.Continuation, text[9:]))
		c.ExpectPong(t, "between")
		c.Expect(t, alive(`"7"`))
	})
	clause(t, 91, "a few may be empty", func(t *testing.T, s *server) {
		c := s.open(t)
		must(t, c.SendFrame(false, 0, frame.Text, nil))
		must(t, c.SendFrame(false, 0, frame.Continuation, nil))
		must(t, c.SendFrame(false, 0, frame.Continuation, []byte(heartbeat(`"7"`))))
		must(t, c.SendFrame(true, 0, frame.Continuation, nil))
		c.Expect(t, alive(`"7"`))
		must(t, c.SendFrame(false, 0, frame.Text, []byte("[")))
		for range frame.MaxEmptyFragments + 1 { // [§5.7]
			must(t, c.SendFrame(false, 0, frame.Continuation, nil))
		}
		c.ExpectClose(t, 1008)
	})
	clause(t, 91, "in one write or byte by byte", func(t *testing.T, s *server) {
		c := s.open(t)
		all := bytes.Repeat(textFrames(heartbeat(`"1"`)), 3)
		must(t, c.SendRaw(all))
		for i := range all {
			must(t, c.SendRaw(all[i:i+1]))
		}
		for range 6 {
			c.Expect(t, alive(`"1"`))
		}
	})
	clauseWith(t, 91, "too many are refused", func(c *roost.Config) { c.WebSocket.MaxFragments = 3 }, func(t *testing.T, s *server) {
		c := s.open(t)
		for i := range 4 {
			must(t, c.SendFrame(false, 0, opcodeOf(frame.Text, i), []byte("x")))
		}
		c.ExpectClose(t, 1008)
	})
}

// opcodeOf is the opcode of a message's fragment.
func opcodeOf(op frame.Opcode, i int) frame.Opcode {
	if i > 0 {
		return frame.Continuation
	}
	return op
}

func TestMalformedMessages(t *testing.T) {
	clause(t, 92, "what is not JSON ends the connection", func(t *testing.T, s *server) {
		for _, text := range []string{"", "{", "nonsense", `["1","1","room:1","phx_join",{}`, `["1","1","room:1","phx_join",{}]]`, "[1,2,3,4,5,]"} {
			c := s.open(t)
			c.Join(t, "room:bad", "1", "")
			must(t, c.SendText(text))
			c.ExpectClose(t, 1011)
			c.ExpectEOF(t)
			if err := s.expectEnd(t, "room:bad"); !errors.Is(err, roost.ErrClosed) {
				t.Fatalf("the channel was told %v, want ErrClosed", err)
			}
		}
	})
	clause(t, 92, "frames behind it are ignored", func(t *testing.T, s *server) {
		c := s.open(t)
		must(t, c.SendRaw(textFrames("{", heartbeat(`"1"`), heartbeat(`"2"`))))
		c.ExpectClose(t, 1011)
		c.ExpectEOF(t)
	})
}

func TestClosedByTheClient(t *testing.T) {
	clause(t, 93, "is answered, and channels end", func(t *testing.T, s *server) {
		for _, code := range []uint16{1000, 1001, 4000} {
			c := s.open(t)
			c.Join(t, "room:1", "1", "")
			c.Join(t, "room:2", "2", "")
			must(t, c.Close(code))
			c.ExpectClose(t, 1000)
			c.ExpectEOF(t)
			for _, topic := range []string{"room:1", "room:2"} {
				if err := s.expectEnd(t, topic); !errors.Is(err, roost.ErrClosed) || !errors.Is(err, transport.ErrClientClosed) {
					t.Fatalf("%d: %s was told %v, want ErrClosed by the client", code, topic, err)
				}
			}
		}
	})
	clause(t, 93, "other codes are answered, too", func(t *testing.T, s *server) {
		answers := map[uint16]uint16{ // [§5.7]
			0: 1000, 1002: 1000, 1003: 1000, 1007: 1000, 1008: 1000, 1009: 1000, 1010: 1000, 1011: 1000,
			3000: 1000, 4999: 1000, 1012: 1002, 1013: 1002, 1014: 1002, 999: 1002, 1004: 1002, 1006: 1002, 2999: 1002, 5000: 1002,
		}
		for code, want := range answers {
			c := s.open(t)
			must(t, c.Close(code))
			c.ExpectClose(t, want)
			c.ExpectEOF(t)
		}
	})
	clause(t, 93, "what it sent before is handled", func(t *testing.T, s *server) {
		c := s.open(t)
		must(t, c.SendText(heartbeat(`"1"`)))
		must(t, c.Close(1000))
		c.Expect(t, alive(`"1"`))
		c.ExpectClose(t, 1000)
	})
	clause(t, 93, "without a close its channels end as well", func(t *testing.T, s *server) {
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		c.Drop()
		if err := s.expectEnd(t, "room:1"); !errors.Is(err, roost.ErrClosed) || !errors.Is(err, transport.ErrClientGone) {
			t.Fatalf("the channel was told %v, want ErrClosed by a lost connection", err)
		}
	})
}

// breaches are what the server ends a connection for, and the code that it does it with.
var breaches = []struct {
	name string
	code uint16
	send func(c *client.Conn) error
}{
	{"an unmasked frame", 1002, func(c *client.Conn) error { return c.SendRaw([]byte("\x81\x02[]")) }},
	{"a reserved bit", 1002, func(c *client.Conn) error { return c.SendFrame(true, frame.RSV2, frame.Text, nil) }},
	{"compression that was not negotiated", 1002, func(c *client.Conn) error { return c.SendDeflated(frame.Text, []byte("[]")) }},
	{"an unknown opcode", 1002, func(c *client.Conn) error { return c.SendFrame(true, 0, 3, nil) }},
	{"a continuation of nothing", 1002, func(c *client.Conn) error { return c.SendFrame(true, 0, frame.Continuation, nil) }},
	{"a long ping", 1002, func(c *client.Conn) error { return c.Ping(strings.Repeat("x", 126)) }},
	{"text that is not UTF-8", 1007, func(c *client.Conn) error { return c.SendText("\xff") }},
	{"a frame that is too large", 1009, func(c *client.Conn) error { return c.SendText(strings.Repeat(" ", 5000)) }},
	{"a message that is none", 1011, func(c *client.Conn) error { return c.SendText("{") }},
}

func TestCloseReasons(t *testing.T) {
	clauseWith(t, 94, "are empty", func(c *roost.Config) { c.WebSocket.MaxFrame = 4096 }, func(t *testing.T, s *server) {
		for _, b := range breaches {
			c := s.open(t)
			must(t, b.send(c))
			c.ExpectClose(t, b.code) // fails on a reason
			c.ExpectEOF(t)
		}
		c := s.open(t)
		must(t, c.Close(1000))
		c.ExpectClose(t, 1000)
	})
}
