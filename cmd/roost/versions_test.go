package main

import (
	"fmt"
	"strings"
	"testing"
)

// Clients of both versions of the protocol may be in a topic, and only one of
// them knows bytes: the others do not keep them from those who do.
func TestAClientOfV1LeavesTheOthersTheirBytes(t *testing.T) {
	s := serveFor(t)
	ann, bob, old := s.subscriber(t), s.subscriber(t), s.open(t, "1.0.0", nil)
	must(t, old.SendText(`{"topic":"room:1","event":"phx_join","payload":{},"ref":"1"}`))
	old.Expect(t, `{"topic":"room:1","event":"phx_reply","ref":"1","payload":{"status":"ok","response":{}}}`)
	must(t, ann.SendBinary([]byte("\x00\x01\x01\x06\x03"+"1"+"2"+"room:1"+"bin"+"\x00\xff")))
	ann.ExpectBinary(t, []byte("\x02\x06\x03"+"room:1"+"bin"+"\x00\xff"))
	bob.ExpectBinary(t, []byte("\x02\x06\x03"+"room:1"+"bin"+"\x00\xff"))
	ann.ExpectReply(t, "1", "2", "room:1", "ok")
	must(t, ann.Push("1", "3", "room:1", "shout", `{"a":1}`)) // it hears what comes next, and nothing before it
	old.Expect(t, `{"topic":"room:1","event":"shout","ref":null,"payload":{"a":1}}`)
}

func TestAPayloadOfV1ThatNobodyCouldReadIsRefusedToItsSenderOnly(t *testing.T) {
	s := serveFor(t)
	ann, old := s.subscriber(t), s.open(t, "1.0.0", nil)
	must(t, old.SendText(`{"topic":"room:1","event":"phx_join","payload":{},"ref":"1"}`))
	old.Next(t)
	for _, payload := range []string{"7", "null", `"text"`, "[1]", "true"} {
		must(t, old.SendText(fmt.Sprintf(`{"topic":"room:1","event":"shout","payload":%s,"ref":"9"}`, payload)))
		if got := string(old.Next(t).Payload); !strings.Contains(got, `"ref":"9"`) || !strings.Contains(got, `"status":"error"`) || !strings.Contains(got, "JSON object") {
			t.Errorf("%s: got %s", payload, got)
		}
	}
	ann.ExpectQuiet(t)
	must(t, old.SendText(`{"topic":"room:1","event":"shout","payload":{"a":1},"ref":"10"}`)) // the channel lives
	old.Expect(t, `{"topic":"room:1","event":"shout","ref":null,"payload":{"a":1}}`)
	ann.Expect(t, `[null,null,"room:1","shout",{"a":1}]`)
}
