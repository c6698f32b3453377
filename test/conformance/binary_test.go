package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/wire"
)

// bytesChannel does what its event says with the bytes of a message, whatever it came as.
var bytesChannel = act{in: func(ctx context.Context, s *roost.Socket, event string, p roost.Payload) (roost.Reply, error) {
	b := roost.Bytes(p.Bytes())
	switch event {
	case "push":
		return roost.NoReply(), s.Push("pushed", b)
	case "broadcast":
		return roost.NoReply(), s.Broadcast(ctx, "spread", b)
	case "refuse":
		return roost.ReplyError(b), nil
	}
	return roost.ReplyOK(b), nil
}}

// openBytes connects a V2 client and joins a bytesChannel, with join_ref 1.
func openBytes(t *testing.T, s *server, topic string) *client.Conn {
	t.Helper()
	s.plays("b*", bytesChannel)
	c := s.open(t)
	c.Join(t, topic, "1", "")
	return c
}

func sendBinary(t *testing.T, c *client.Conn, b []byte) {
	t.Helper()
	must(t, c.SendBinary(b))
}

func TestV2BinaryMessages(t *testing.T) {
	clause(t, 122, "a push is decoded into its fields", func(t *testing.T, s *server) {
		type message struct {
			event, payload string
			binary         bool
		}
		got := make(chan message, 1)
		s.plays("mine", act{in: func(_ context.Context, _ *roost.Socket, event string, p roost.Payload) (roost.Reply, error) {
			got <- message{event, string(p.Bytes()), p.IsBinary()}
			return roost.ReplyOK(nil), nil
		}})
		c := s.open(t)
		c.Join(t, "mine", "1", "")
		for _, m := range []message{{"bin", "\x01\x02\x03", true}, {"ü ☃", "{\"a\":1}", true}, {"", "\x00\xff", true}} {
			sendBinary(t, c, binaryPush("0", "5", "mine", "stale", 1)) // another join_ref
			sendBinary(t, c, binaryPush("1", "7", "mine", m.event, []byte(m.payload)...))
			if g := receive(t, got, "message"); g != m {
				t.Errorf("got %+v, want %+v", g, m)
			}
			c.Expect(t, v2ok(`"1"`, `"7"`, "mine", "{}"))
		}
	})
	clause(t, 123, "a server's push has no ref", func(t *testing.T, s *server) {
		c := openBytes(t, s, "bin")
		sendBinary(t, c, binaryPush("1", "2", "bin", "push", 0, 1))
		c.ExpectBinary(t, []byte("\x00\x01\x03\x061binpushed\x00\x01"))
	})
	clause(t, 124, "a server's reply has the status for an event", func(t *testing.T, s *server) {
		c := openBytes(t, s, "bin")
		sendBinary(t, c, binaryPush("1", "23", "bin", "echo", 1, 2, 3, 0xff))
		c.ExpectBinary(t, []byte("\x01\x01\x02\x03\x02123binok\x01\x02\x03\xff"))
		sendBinary(t, c, binaryPush("1", "23", "bin", "refuse", 9))
		c.ExpectBinary(t, []byte("\x01\x01\x02\x03\x05123binerror\x09"))
	})
	clause(t, 125, "a server's broadcast has topic and event only", func(t *testing.T, s *server) {
		one, two := openBytes(t, s, "bin"), openBytes(t, s, "bin")
		sendBinary(t, one, binaryPush("1", "2", "bin", "broadcast", 9))
		for _, c := range []*client.Conn{one, two} {
			c.ExpectBinary(t, []byte("\x02\x03\x06binspread\x09"))
		}
		must(t, s.Endpoint.Broadcast(t.Context(), "bin", "e", roost.Bytes{}))
		one.ExpectBinary(t, []byte("\x02\x03\x01bine"))
	})
	clause(t, 125, "V1 clients elsewhere do not hinder a binary broadcast", func(t *testing.T, s *server) {
		old := s.openV1(t)
		send(t, old, v1("room:1", "phx_join", `"1"`, "{}"))
		old.Expect(t, v1ok("room:1", `"1"`, "{}"))
		c := openBytes(t, s, "bin")
		sendBinary(t, c, binaryPush("1", "2", "bin", "broadcast", 9))
		c.ExpectBinary(t, []byte("\x02\x03\x06binspread\x09"))
	})
	clause(t, 125, "V1 clients of the topic do without a binary broadcast", func(t *testing.T, s *server) {
		old := s.openV1(t)
		send(t, old, v1("room:1", "phx_join", `"1"`, "{}"))
		old.Expect(t, v1ok("room:1", `"1"`, "{}"))
		if err := s.Endpoint.Broadcast(t.Context(), "room:1", "e", roost.Bytes{1}); !errors.Is(err, wire.ErrBinary) {
			t.Errorf("bytes for V1 clients only: %v, want ErrBinary", err)
		}
		c := s.open(t)
		c.Join(t, "room:1", "1", "")
		must(t, s.Endpoint.Broadcast(t.Context(), "room:1", "e", roost.Bytes{1}))
		must(t, s.Endpoint.Broadcast(t.Context(), "room:1", "next", nil))
		c.ExpectBinary(t, []byte("\x02\x06\x01room:1e\x01"))
		c.Expect(t, news("room:1", "next"))
		old.Expect(t, v1("room:1", "next", "null", "{}"))
	})
	clause(t, 126, "lengths count bytes", func(t *testing.T, s *server) {
		const topic = "bü☃" // 6 bytes, 3 characters
		c := openBytes(t, s, topic)
		sendBinary(t, c, binaryPush("1", "é", topic, "écho", 5))
		c.ExpectBinary(t, []byte("\x01\x01\x02\x06\x021é"+topic+"ok\x05"))
		sendBinary(t, c, binaryPush("1", "é", topic, "push", 5))
		c.ExpectBinary(t, []byte("\x00\x01\x06\x061"+topic+"pushed\x05"))
	})
	clause(t, 127, "fields have at most 255 bytes", fieldsOf255Bytes)
	clause(t, 127, "a binary reply carries refs of at most 255 bytes", refsOf255Bytes)
	clause(t, 128, "a null ref has length 0", func(t *testing.T, s *server) {
		s.plays("b*", bytesChannel)
		c := s.open(t)
		send(t, c, v2("null", "null", "bin", "phx_join", "{}"), v2("null", "null", "bin", "echo", "7"), v2("null", "null", "bin", "push", "8"))
		c.Expect(t, v2ok("null", "null", "bin", "{}"))
		c.ExpectBinary(t, []byte("\x01\x00\x00\x03\x02binok7"))
		c.ExpectBinary(t, []byte("\x00\x00\x03\x06binpushed8"))
	})
	clause(t, 129, "an empty join_ref is not null", func(t *testing.T, s *server) {
		c := openBytes(t, s, "bin")
		sendBinary(t, c, binaryPush("", "2", "bin", "echo", 1))
		sendBinary(t, c, binaryPush("1", "3", "bin", "echo", 2))
		c.ExpectBinary(t, []byte("\x01\x01\x01\x03\x0213binok\x02"))
	})
	clause(t, 130, "other kinds close with 1011", func(t *testing.T, s *server) {
		for _, kind := range []byte{1, 2, 3, '[', 0xff} {
			c := openBytes(t, s, "bin")
			sendBinary(t, c, binaryMessage(kind, []byte{1}, "1", "2", "bin", "echo"))
			c.ExpectClose(t, 1011)
			c.ExpectEOF(t)
		}
	})
	clause(t, 131, "what is cut short closes with 1011", func(t *testing.T, s *server) {
		whole := binaryPush("1", "2", "bin", "echo")
		for n := range whole {
			c := openBytes(t, s, "bin")
			sendBinary(t, c, whole[:n])
			c.ExpectClose(t, 1011)
			c.ExpectEOF(t)
		}
	})
	clause(t, 132, "a payload may be empty", func(t *testing.T, s *server) {
		c := openBytes(t, s, "bin")
		sendBinary(t, c, binaryPush("1", "2", "bin", "echo"))
		c.ExpectBinary(t, []byte("\x01\x01\x01\x03\x0212binok"))
	})
	clause(t, 133, "heartbeat, join and leave are answered in JSON", func(t *testing.T, s *server) {
		payloads := make(chan roost.Payload, 1)
		s.plays("mine", act{join: func(_ context.Context, _ *roost.Socket, p roost.Payload) (roost.Reply, error) {
			payloads <- p
			return roost.NoReply(), nil
		}})
		c := s.open(t)
		sendBinary(t, c, binaryPush("", "1", "phoenix", "heartbeat"))
		c.Expect(t, alive(`"1"`))
		sendBinary(t, c, binaryPush("2", "2", "mine", "phx_join", 7))
		c.Expect(t, v2ok(`"2"`, `"2"`, "mine", "{}"))
		if p := <-payloads; !p.IsBinary() || string(p.Bytes()) != "\x07" {
			t.Errorf("Join was given %q, binary %v", p.Bytes(), p.IsBinary())
		}
		sendBinary(t, c, binaryPush("2", "3", "mine", "phx_leave"))
		expectAll(t, c, v2ok(`"2"`, `"3"`, "mine", "{}"), closed(`"2"`, "mine"))
	})
	clause(t, 134, "an unjoined topic is answered in JSON", func(t *testing.T, s *server) {
		c := s.open(t)
		sendBinary(t, c, binaryPush("1", "2", "room:1", "echo", 1))
		c.Expect(t, v2error("null", `"2"`, "room:1", unmatched))
		sendBinary(t, c, binaryPush("1", "3", "room:1", "phx_leave", 1))
		c.Expect(t, v2ok(`"1"`, `"3"`, "room:1", "{}"))
	})
	clause(t, 135, "binary payloads come in binary frames, JSON in text", func(t *testing.T, s *server) {
		c := openBytes(t, s, "bin")
		send(t, c, v2(`"1"`, `"2"`, "bin", "echo", "1"), v2(`"1"`, `"3"`, "bin", "push", "2"), v2(`"1"`, `"4"`, "bin", "broadcast", "3"))
		c.ExpectBinary(t, []byte("\x01\x01\x01\x03\x0212binok1"))
		c.ExpectBinary(t, []byte("\x00\x01\x03\x061binpushed2"))
		c.ExpectBinary(t, []byte("\x02\x03\x06binspread3"))
		must(t, s.Endpoint.Broadcast(t.Context(), "bin", "e", nil))
		c.Expect(t, v2("null", "null", "bin", "e", "{}"))
	})
	clause(t, 135, "typed handlers read and write bytes", func(t *testing.T, s *server) {
		s.Endpoint.Channel("typed", newTyped(make(chan error, 1)))
		c := s.open(t)
		c.Join(t, "typed", "1", `{"name":"ann"}`)
		c.Expect(t, v2(`"1"`, "null", "typed", "tick", `{"N":1}`))
		sendBinary(t, c, binaryPush("1", "2", "typed", "reverse", 1, 2, 3))
		c.ExpectBinary(t, []byte("\x01\x01\x01\x05\x0212typedok\x03\x02\x01"))
		sendBinary(t, c, binaryPush("1", "3", "typed", "shout", 1))
		if r := c.ExpectReply(t, "1", "3", "typed", "error"); !strings.Contains(string(r), "invalid payload") {
			t.Errorf("bytes for a struct are answered %s", r)
		}
	})
}

// fieldsOf255Bytes has every field that can be too long be so.
func fieldsOf255Bytes(t *testing.T, s *server) {
	errs := make(chan error, 1)
	s.plays("*", act{in: func(ctx context.Context, s *roost.Socket, how string, p roost.Payload) (roost.Reply, error) {
		text := strings.Repeat("e", len(p.Bytes()))
		switch how {
		case "push":
			errs <- s.Push(text, roost.Bytes{1})
		case "broadcast":
			errs <- s.Broadcast(ctx, text, roost.Bytes{1})
		case "late":
			ref, err := s.Ref()
			errs <- errors.Join(err, ref.Reply(roost.ReplyStatus(text, roost.Bytes{1})))
		}
		return roost.NoReply(), nil
	}})
	short, long := strings.Repeat("e", 255), strings.Repeat("e", 256)
	c := s.open(t)
	c.Join(t, "t", "1", "")
	for how, want := range map[string]string{
		"push":      "\x00\x01\x01\xff1t" + short + "\x01",
		"broadcast": "\x02\x01\xfft" + short + "\x01",
		"late":      "\x01\x01\x01\x01\xff12t" + short + "\x01",
	} {
		sendBinary(t, c, binaryPush("1", "2", "t", how, []byte(long)...))
		if err := receive(t, errs, "error"); !errors.Is(err, wire.ErrFieldTooLong) {
			t.Errorf("%s: got %v, want ErrFieldTooLong", how, err)
		}
		sendBinary(t, c, binaryPush("1", "2", "t", how, []byte(short)...))
		must(t, receive(t, errs, "error"))
		c.ExpectBinary(t, []byte(want))
	}
	c.Join(t, short, "3", "")
	must(t, s.Endpoint.Broadcast(t.Context(), short, "e", roost.Bytes{1}))
	c.ExpectBinary(t, []byte("\x02\xff\x01"+short+"e\x01"))
	c.Join(t, long, "4", "")
	if err := s.Endpoint.Broadcast(t.Context(), long, "e", roost.Bytes{1}); !errors.Is(err, wire.ErrFieldTooLong) {
		t.Errorf("a long topic: got %v, want ErrFieldTooLong", err)
	}
	must(t, s.Endpoint.Broadcast(t.Context(), long, "e", nil)) // JSON knows no such bound
	c.Expect(t, v2("null", "null", long, "e", "{}"))
}

// refsOf255Bytes has the client choose refs that a binary reply can, or cannot, carry.
func refsOf255Bytes(t *testing.T, s *server) {
	short, long := strings.Repeat("r", 255), strings.Repeat("r", 256)
	s.plays("b*", bytesChannel)
	c := s.open(t)
	c.Join(t, "bin", short, "")
	push(t, c, short, short, "bin", "echo", "7")
	c.ExpectBinary(t, binaryMessage(1, []byte("7"), short, short, "bin", "ok"))
	push(t, c, short, long, "bin", "echo", "7")
	c.Expect(t, crashed(fmt.Sprintf("%q", short), "bin"))
}
