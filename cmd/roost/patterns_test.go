package main

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/ratelimit"
)

func FuzzAPatternLimitReadsAsItIsWritten(f *testing.F) {
	for _, text := range []string{"room:*=50/s", "a=b=5/m burst 3 shadow", "=1/s", "x", "* =off", "a*b=1/s", " =1/s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pattern, l, err := parsePatternLimit(text)
		if err != nil {
			return
		}
		if i := strings.IndexByte(pattern, '*'); pattern == "" || i >= 0 && i != len(pattern)-1 {
			t.Fatalf("%q: got the pattern %q", text, pattern)
		}
		again, same, err := parsePatternLimit(pattern + "=" + l.String())
		if err != nil || again != pattern || same != l {
			t.Fatalf("%q: read again: %q, %v, %v", text, again, same, err)
		}
		if err := new(patternLimits).topic(text); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

func TestLimitsOfPatternsComeTogether(t *testing.T) {
	f, err := parseServe([]string{
		"-event-rate", "typing*=5/s burst 10", "-event-byte-rate", "file=1000/s", "-event-byte-rate", "typing*=100/s",
		"-topic-join-rate", "room:a=b=1/s", "-topic-join-rate", "room:*=50/s shadow",
	}, io.Discard)
	must(t, err)
	want := []roost.EventLimit{
		{Event: "typing*", Messages: ratelimit.Limit{Rate: 5, Burst: 10}, Bytes: ratelimit.Limit{Rate: 100, Burst: 100}},
		{Event: "file", Bytes: ratelimit.Limit{Rate: 1000, Burst: 1000}},
	}
	if p := f.limits.patterns; !slices.Equal(p.events, want) ||
		!slices.Equal(p.topics, []topicLimit{{"room:a=b", ratelimit.Limit{Rate: 1, Burst: 1}}, {"room:*", ratelimit.Limit{Rate: 50, Burst: 50, Shadow: true}}}) {
		t.Errorf("got %+v", p)
	}
}

func TestLimitsOfPatternsThatCannotWorkAreExplained(t *testing.T) {
	for want, args := range map[string][]string{
		`as in "room:*=50/s"`:                {"-topic-join-rate", "room:*"},
		"it is a name":                       {"-event-rate", "a*b=1/s"},
		"is no pattern:":                     {"-event-rate", " =1/s"},
		"does not say per what time":         {"-topic-join-rate", "room:*=50"},
		`"room:1" is never reached`:          {"-topic-join-rate", "room:*=1/s", "-topic-join-rate", "room:1=1/s"},
		`"a" is never reached`:               {"-topic-join-rate", "a=1/s", "-topic-join-rate", "a=2/s"},
		`of "typing": it is never reached`:   {"-event-rate", "typ*=1/s", "-event-byte-rate", "typing=1/s"},
		"limit it with RouteLimits.Joins":    {"-event-rate", "phx_join=1/s"},
		"a rate of 0 would let nothing pass": {"-event-rate", "a=0/s"},
	} {
		if _, err := parseServe(args, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", args, err, want)
		}
	}
}

func TestARelayHoldsTheLimitsOfItsTopicsAndEvents(t *testing.T) {
	s := serveFor(t, "-topic-join-rate", "room:*=1/h burst 2", "-event-rate", "typing*=1/h burst 1")
	c := s.open(t, "2.0.0", nil)
	c.Join(t, "room:1", "1", "")
	c.Join(t, "room:2", "2", "")
	refused := func(joinRef, topic, event, reason string) {
		t.Helper()
		must(t, c.Push(joinRef, "9", topic, event, ""))
		var n struct{ Reason string }
		must(t, json.Unmarshal(c.ExpectReply(t, joinRef, "9", topic, "error"), &n))
		if n.Reason != reason {
			t.Errorf("%s of %s: got %q, want %q", event, topic, n.Reason, reason)
		}
	}
	refused("9", "room:3", "phx_join", "too many joins of such topics")
	c.Join(t, "desk:1", "3", "")
	must(t, c.Push("1", "8", "room:1", "typing", "{}"))
	c.Expect(t, `[null,null,"room:1","typing",{}]`)
	c.ExpectReply(t, "1", "8", "room:1", "ok")
	refused("2", "room:2", "typing_on", "too many such events")
	must(t, c.Push("3", "8", "desk:1", "typing", "{}"))
	c.Expect(t, `[null,null,"desk:1","typing",{}]`)
}

func TestTheDoorsLimitsAreTheFlags(t *testing.T) {
	f, err := parseServe([]string{"-address-rate", "5/s burst 50", "-max-handshakes", "100", "-max-handshakes-per-address", "-1", "-max-shadow"}, io.Discard)
	must(t, err)
	var s roost.Server
	f.limits.stand(&s)
	if s.AddressRate != (ratelimit.Limit{Rate: 5, Burst: 50}) || s.MaxHandshakes != 100 || s.MaxHandshakesPerAddress != -1 || !s.HandshakesShadow {
		t.Errorf("got %+v, %d, %d, %v", s.AddressRate, s.MaxHandshakes, s.MaxHandshakesPerAddress, s.HandshakesShadow)
	}
}
