package transport_test

import (
	"testing"

	"github.com/roostgo/roost/transport"
)

func about(topic, event string) *transport.Frame {
	return transport.Seal(transport.Room(0), false).About(topic, event)
}

func TestAFrameSupersedesThoseOfItsTopicAndEvent(t *testing.T) {
	f := about("room:1", "news")
	if !f.Supersedes(about("room:1", "news")) || f.Topic() != "room:1" {
		t.Error("a frame does not supersede an older one of its topic and event")
	}
	for _, other := range []*transport.Frame{
		about("room:2", "news"), about("room:1", "new"), about("news", "room:1"), about("room:1n", "ews"),
		transport.Seal(transport.Room(0), false), transport.Control(nil),
	} {
		if f.Supersedes(other) || other.Supersedes(f) {
			t.Errorf("a frame of %q supersedes another's", other.Topic())
		}
	}
}

func TestAFrameThatTellsOfNothingSupersedesNothing(t *testing.T) {
	a, b := transport.Seal(transport.Room(0), false), transport.Seal(transport.Room(0), false)
	if a.Supersedes(b) {
		t.Error("a reply supersedes another")
	}
}

func TestAThinningHasTheNameOfItsPolicy(t *testing.T) {
	for want, thinning := range map[string]transport.Thinning{"drop_oldest": {}, "keep_latest": {Latest: true}} {
		if got := thinning.Policy(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
