package websocket_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// masked is a client's frame, well-formed or not.
func masked(fin bool, rsv byte, op frame.Opcode, payload string) []byte {
	return frame.AppendMasked(nil, fin, rsv, op, [4]byte{1, 2, 3, 4}, []byte(payload))
}

// violations are byte sequences that break a rule, and the close codes that
// answer them [§5.7].
var violations = map[string]struct {
	bytes []byte
	want  uint16
}{
	"unmasked text":                      {[]byte{0x81, 0x02, 'h', 'i'}, 1002},
	"unmasked close":                     {[]byte{0x88, 0x00}, 1002},
	"RSV1 without compression":           {masked(true, frame.RSV1, frame.Text, "x"), 1002},
	"RSV2":                               {masked(true, frame.RSV2, frame.Text, "x"), 1002},
	"RSV3 on a ping":                     {masked(true, frame.RSV3, frame.Ping, "x"), 1002},
	"opcode 3":                           {masked(true, 0, 3, "x"), 1002},
	"opcode 7":                           {masked(true, 0, 7, ""), 1002},
	"opcode 11":                          {masked(true, 0, 11, "x"), 1002},
	"opcode 15":                          {masked(true, 0, 15, "x"), 1002},
	"continuation of nothing":            {masked(true, 0, frame.Continuation, "x"), 1002},
	"message inside a message":           {append(masked(false, 0, frame.Text, "x"), masked(true, 0, frame.Text, "y")...), 1002},
	"fragmented ping":                    {masked(false, 0, frame.Ping, "x"), 1002},
	"long ping":                          {masked(true, 0, frame.Ping, strings.Repeat("x", 126)), 1002},
	"long close":                         {masked(true, 0, frame.Close, strings.Repeat("x", 126)), 1002},
	"negative length":                    {[]byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, 1002},
	"text that is not UTF-8":             {masked(true, 0, frame.Text, "a\xffb"), 1007},
	"text that ends inside a rune":       {masked(true, 0, frame.Text, "€"[:2]), 1007},
	"a surrogate":                        {masked(true, 0, frame.Text, "\xed\xa0\x80"), 1007},
	"fragment that is not UTF-8":         {append(masked(false, 0, frame.Text, "€"[:2]), masked(false, 0, frame.Continuation, "x")...), 1007},
	"frame over its bound":               {[]byte{0x82, 0xff, 0, 0, 0, 0, 0, 0x98, 0x96, 0x81, 0, 0, 0, 0}, 1009},
	"huge frame":                         {[]byte{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, 1009},
	"empty continuations over the bound": {append(masked(false, 0, frame.Text, "x"), bytes.Repeat(masked(false, 0, frame.Continuation, ""), frame.MaxEmptyFragments+1)...), 1008},
	"an HTTP request in the wrong place": {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 1002},
}

func TestViolationsAreAnsweredWithTheirCode(t *testing.T) {
	for name, row := range violations {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
				c, v := s.dial(client.Options{})
				send(t, c, append(text("fine"), row.bytes...))
				expectText(t, c, "fine")
				c.ExpectClose(t, row.want)
				c.ExpectEOF(t) // the server does not wait for an answer that it could not read
				v.awaitClosed(t, transport.ErrBadFrame)
				if got := v.messages(); len(got) != 1 {
					t.Errorf("received %q", got)
				}
			})
		})
	}
}

// The kernel answers bytes that nobody reads with a reset, which would take
// the close frame with it.
func TestAClientInTheMiddleOfSendingMegabytesReadsTheCloseFrame(t *testing.T) {
	for _, name := range []string{"huge frame", "unmasked text", "text that is not UTF-8", "frame over its bound"} {
		row := violations[name]
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
				for range 10 {
					c, _ := s.dial(client.Options{Timeout: patience})
					sent := make(chan struct{})
					go func() {
						defer close(sent)
						_ = c.SendRaw(append(append([]byte(nil), row.bytes...), make([]byte, 8<<20)...))
					}()
					c.ExpectClose(t, row.want)
					<-sent
					c.Drop()
				}
				s.awaitNone()
			})
		})
	}
}

func TestABrokenClientThatNeverHangsUpIsCut(t *testing.T) {
	onEachEngine(t, websocket.Config{CloseTimeout: 100 * time.Millisecond, Timeout: 50 * time.Millisecond}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{Early: violations["opcode 3"].bytes}) // before it was silent for Timeout
		for c.SendRaw(make([]byte, 1000)) == nil {
		}
		v.awaitClosed(t, transport.ErrBadFrame)
		s.awaitNone()
	})
}

func TestAViolationAfterTheServerClosedIsNotAnswered(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		v.onLane(t, func() { v.conn.Close(transport.CloseNormal) })
		send(t, c, append(violations["opcode 3"].bytes, closing(nil)...))
		if m := c.Next(t); m.CloseCode != 1000 {
			t.Errorf("got %v", m)
		}
		send(t, c, append(bytes.Repeat([]byte{0xff}, 100), texts("a", "b")...))
		c.ExpectEOF(t)
		if got := v.messages(); len(got) != 0 {
			t.Errorf("received %q", got)
		}
		v.awaitClosed(t, transport.ErrServerClosed)
	})
}

func TestTooManyFragmentsAndTooLongMessages(t *testing.T) {
	small := websocket.Config{MaxFragments: 10, MaxFrame: 100, MaxMessage: 150, CloseTimeout: time.Minute}
	for name, row := range map[string]struct {
		bytes []byte
		want  uint16
	}{
		"fragments": {append(masked(false, 0, frame.Text, "x"), bytes.Repeat(masked(false, 0, frame.Continuation, "y"), 10)...), 1008},
		"frame":     {masked(true, 0, frame.Text, strings.Repeat("x", 101)), 1009},
		"message":   {append(masked(false, 0, frame.Text, strings.Repeat("x", 100)), masked(true, 0, frame.Continuation, strings.Repeat("x", 51))...), 1009},
	} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, small, func(t *testing.T, s *stage) {
				c, v := s.dial(client.Options{})
				send(t, c, row.bytes)
				c.ExpectClose(t, row.want)
				c.ExpectEOF(t)
				v.awaitClosed(t, transport.ErrBadFrame)
			})
		})
	}
}

func TestAMessageOfAHundredThousandFragments(t *testing.T) {
	const n = 100_000
	onEachEngine(t, websocket.Config{}, func(t *testing.T, s *stage) {
		c, _ := s.dial(client.Options{Timeout: patience})
		b := append(masked(false, 0, frame.Text, "x"), bytes.Repeat(masked(false, 0, frame.Continuation, "x"), n-2)...)
		send(t, c, append(b, masked(true, 0, frame.Continuation, "x")...))
		expectText(t, c, strings.Repeat("x", n))
	})
}
