package main

import (
	"strings"
	"testing"

	"github.com/roostgo/roost/test/client"
)

func TestWhatIsPushedIsAnsweredAndGoesToAll(t *testing.T) {
	s := serveFor(t)
	ann, bob := s.subscriber(t), s.subscriber(t)
	for _, payload := range []string{`{}`, `{"a":{"b":[null,1e3,"\u0000"]}}`, `{"body":"` + strings.Repeat("x", 1<<20) + `"}`} {
		must(t, ann.Push("1", "2", "room:1", "shout", payload))
		ann.Expect(t, `[null,null,"room:1","shout",`+payload+`]`)
		ann.ExpectReply(t, "1", "2", "room:1", "ok")
		bob.Expect(t, `[null,null,"room:1","shout",`+payload+`]`)
	}
}

func TestBytesAreRelayedAsBytes(t *testing.T) {
	s := serveFor(t)
	ann, bob := s.subscriber(t), s.subscriber(t)
	must(t, ann.SendBinary([]byte("\x00\x01\x01\x06\x03"+"1"+"2"+"room:1"+"bin"+"\x00\xff")))
	for _, c := range []*client.Conn{ann, bob} {
		c.ExpectBinary(t, []byte("\x02\x06\x03"+"room:1"+"bin"+"\x00\xff"))
	}
	ann.ExpectReply(t, "1", "2", "room:1", "ok")
}

func TestTheProtocolsOwnEventsAreNotRelayed(t *testing.T) {
	s := serveFor(t)
	ann, bob := s.subscriber(t), s.subscriber(t)
	for _, event := range []string{"phx_close", "phx_error", "phx_reply", "phx_anything", "chan_reply_1"} {
		must(t, ann.Push("1", "2", "room:1", event, ""))
		if response := ann.ExpectReply(t, "1", "2", "room:1", "error"); !strings.Contains(string(response), "reserved") {
			t.Errorf("%s: got %s", event, response)
		}
	}
	bob.ExpectQuiet(t)
}

func TestAPayloadThatNobodyCouldReadIsRefused(t *testing.T) {
	s := serveFor(t)
	ann, bob := s.subscriber(t), s.subscriber(t)
	for _, payload := range []string{`[1]`, `"text"`, `7`, `true`} {
		must(t, ann.Push("1", "2", "room:1", "shout", payload))
		if response := ann.ExpectReply(t, "1", "2", "room:1", "error"); !strings.Contains(string(response), "JSON object") {
			t.Errorf("%s: got %s", payload, response)
		}
	}
	bob.ExpectQuiet(t)
	ann.ExpectQuiet(t) // and the channel lives
}

func TestTopicsDoNotMix(t *testing.T) {
	s := serveFor(t)
	ann, bob := s.subscriber(t), s.open(t, "2.0.0", nil)
	bob.Join(t, "room:11", "1", "")
	must(t, ann.Push("1", "2", "room:1", "shout", ""))
	ann.Expect(t, `[null,null,"room:1","shout",{}]`)
	ann.ExpectReply(t, "1", "2", "room:1", "ok")
	bob.ExpectQuiet(t)
}
