package wiretest

import (
	"strings"

	"github.com/roostgo/roost/wire"
)

// plain returns the most ordinary push.
func plain() wire.Message {
	return wire.Message{JoinRef: `"1"`, Ref: `"2"`, Topic: "room:1", Event: "shout", Payload: wire.JSON([]byte(`{"body":"hello"}`))}
}

// with returns plain after a change.
func with(change func(*wire.Message)) wire.Message {
	m := plain()
	change(&m)
	return m
}

// texts are topics, events and statuses that are hard to write down.
var texts = []string{
	"", "room:1", "a/b", `quote " and \ backslash`, "tab\tline\nnul\x00del\x7f", "zażółć", "\u2028", "😀",
	"<script>&amp;", strings.Repeat("x", 7), strings.Repeat("x", 8), strings.Repeat("ü", 127), strings.Repeat("x", 255),
}

// refs are refs of every JSON type.
var refs = []wire.Ref{"", `""`, `"1"`, "1", "1.5e3", "true", `["a"]`, `{"a":null}`, wire.StringRef(`a"b\c`), wire.StringRef("ü")}

// values are payloads of every JSON type; the objects come first.
var values = []string{
	`{}`, `{"a":1,"b":[true,null,"x"]}`, `{"deep":{"deep":{"deep":[[[]]]}}}`, `{"n":123456789012345678901234567890}`, `{"s":"\"\\\/\b\f\n\r\t\u00fc\ud83d\ude00 ü"}`,
	`[]`, `[1,2]`, `"text"`, `""`, `0`, `-1.5e-7`, `true`, `false`, `null`,
}

var octets = []wire.Payload{wire.Binary(nil), wire.Binary([]byte{0}), wire.Binary([]byte("\x00\xff{}"))}

// pushes returns what a client may send.
func (s suite) pushes() []wire.Message {
	ms := []wire.Message{
		plain(),
		{Ref: `"1"`, Topic: "phoenix", Event: "heartbeat"},
		{JoinRef: `"1"`, Ref: `"1"`, Topic: "room:1", Event: "phx_join"},
	}
	for _, text := range texts {
		ms = append(ms,
			with(func(m *wire.Message) { m.Topic = text }),
			with(func(m *wire.Message) { m.Event = text }))
	}
	for _, ref := range refs {
		ms = append(ms,
			with(func(m *wire.Message) { m.Ref = ref }),
			with(func(m *wire.Message) { m.JoinRef = ref }))
	}
	for _, value := range values {
		ms = append(ms, with(func(m *wire.Message) { m.Payload = wire.JSON([]byte(value)) }))
	}
	if s.client.CarriesBinary {
		for _, p := range octets {
			ms = append(ms, with(func(m *wire.Message) { m.Payload = p }))
		}
	}
	return ms
}

// messages returns what a server may send.
func (s suite) messages() []wire.Message {
	var ms []wire.Message
	for _, kind := range []wire.Kind{wire.Push, wire.Reply, wire.Broadcast} {
		for _, m := range s.payloads(kind) {
			m.Kind = kind
			if kind == wire.Reply {
				m.Event, m.Status = "", "ok"
			}
			ms = append(ms, m)
		}
	}
	closed := plain() // its ref repeats its join_ref
	closed.Event, closed.Ref = "phx_close", closed.JoinRef
	ms = append(ms, closed)
	for _, text := range texts {
		ms = append(ms, wire.Message{Kind: wire.Reply, Ref: `"3"`, Topic: text, Status: text})
	}
	for _, ref := range refs {
		ms = append(ms, wire.Message{Kind: wire.Reply, JoinRef: ref, Ref: ref, Topic: "room:1", Status: "error"})
	}
	return ms
}

// payloads returns messages with all that the kind can carry.
func (s suite) payloads(kind wire.Kind) []wire.Message {
	var ms []wire.Message
	for _, value := range values {
		p := wire.JSON([]byte(value))
		if kind == wire.Reply || p.IsObject() || s.client.CarriesAnyJSON {
			ms = append(ms, with(func(m *wire.Message) { m.Payload = p }))
		}
	}
	if s.client.CarriesBinary {
		for _, p := range octets {
			ms = append(ms, with(func(m *wire.Message) { m.Payload = p }))
		}
	}
	return ms
}

// unwritable is a message that cannot be encoded, and why.
type unwritable struct {
	m   wire.Message
	err error
}

func (s suite) unwritable() []unwritable {
	cs := []unwritable{{with(func(m *wire.Message) { m.Kind = 200 }), wire.ErrKind}}
	for _, kind := range []wire.Kind{wire.Push, wire.Reply, wire.Broadcast} {
		octets := with(func(m *wire.Message) {
			m.Kind, m.Payload = kind, wire.Binary([]byte{1})
		})
		long := octets
		long.Topic = strings.Repeat("x", 256)
		list := octets
		list.Payload = wire.JSON([]byte(`[]`))
		switch {
		case !s.client.CarriesBinary:
			cs = append(cs, unwritable{octets, wire.ErrBinary})
		default:
			odd := octets
			odd.Kind = 200
			cs = append(cs, unwritable{long, wire.ErrFieldTooLong}, unwritable{odd, wire.ErrKind})
		}
		if kind != wire.Reply && !s.client.CarriesAnyJSON {
			cs = append(cs, unwritable{list, wire.ErrNotObject})
		}
	}
	return cs
}
