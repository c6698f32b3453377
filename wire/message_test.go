package wire_test

import (
	"reflect"
	"testing"

	"github.com/roostgo/roost/wire"
)

func TestACloneHasAllThatItsMessageHas(t *testing.T) {
	for _, m := range []wire.Message{
		{},
		{Kind: wire.Reply, JoinRef: `"1"`, Ref: "2", Topic: "t", Event: "e", Status: "ok", Payload: raw(`{"a":1}`), OddTopic: true},
		{Topic: "only a topic"},
		{Payload: wire.Binary([]byte{})},
		{Payload: wire.Binary(nil)},
		{Kind: wire.Broadcast, Payload: wire.Binary([]byte("bytes"))},
	} {
		if c := m.Clone(); !reflect.DeepEqual(c, m) {
			t.Errorf("%+v, want %+v", c, m)
		}
	}
}

func TestTheFieldsOfACloneDoNotRunIntoEachOther(t *testing.T) {
	m := wire.Message{Ref: `"1"`, Topic: "t", Payload: raw(`{}`)}
	c := m.Clone()
	_ = append(c.Payload.Bytes(), "more"...)
	d := c.Clone()
	if !reflect.DeepEqual(d, m) {
		t.Errorf("%+v, want %+v", d, m)
	}
}

func TestKindsHaveNames(t *testing.T) {
	for kind, want := range map[wire.Kind]string{wire.Push: "push", wire.Reply: "reply", wire.Broadcast: "broadcast", 9: "unknown"} {
		if kind.String() != want {
			t.Errorf("%d: %s", kind, kind)
		}
	}
}
