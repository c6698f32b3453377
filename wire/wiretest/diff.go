package wiretest

import (
	"bytes"
	"encoding/json"

	"github.com/roostgo/roost/wire"
)

// Diff says how got differs from want, or nothing. Payloads are equal when their
// JSON values are.
func Diff(got, want wire.Message) string {
	if !samePayload(got.Payload, want.Payload) {
		return "payload " + string(got.Payload.Bytes()) + ", want " + string(want.Payload.Bytes())
	}
	got.Payload, want.Payload = wire.Payload{}, wire.Payload{}
	if g, w := describe(got), describe(want); g != w {
		return "got " + g + ", want " + w
	}
	return ""
}

func describe(m wire.Message) string {
	text, _ := json.Marshal(m)
	return string(text)
}

func samePayload(a, b wire.Payload) bool {
	if a.IsBinary() || b.IsBinary() {
		return a.IsBinary() == b.IsBinary() && bytes.Equal(a.Bytes(), b.Bytes())
	}
	return canonical(a.Bytes()) == canonical(b.Bytes())
}

// canonical returns the JSON value raw with its keys in order and its numbers as
// they were written.
func canonical(raw []byte) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "invalid: " + string(raw)
	}
	text, _ := json.Marshal(v)
	return string(text)
}
