package wiretest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/roostgo/roost/wire"
)

// V2 is the client's side of [wire.V2].
var V2 = Client{Encode: encodeV2, Decode: decodeV2, CarriesBinary: true, CarriesJoinRef: true}

func encodeV2(m wire.Message) ([]byte, bool) {
	if m.Payload.IsBinary() {
		return encodeFrame(m), true
	}
	data, err := json.Marshal([]any{rawRef(m.JoinRef), rawRef(m.Ref), m.Topic, m.Event, m.Payload})
	if err != nil {
		panic(err)
	}
	return data, false
}

func encodeFrame(m wire.Message) []byte {
	fields := []string{m.JoinRef.Text(), m.Ref.Text(), m.Topic, m.Event}
	data := []byte{0}
	for _, f := range fields {
		data = append(data, byte(len(f))) //nolint:gosec // the samples are short
	}
	for _, f := range fields {
		data = append(data, f...)
	}
	return append(data, m.Payload.Bytes()...)
}

func decodeV2(data []byte, binary bool) (m wire.Message, err error) {
	if binary {
		return decodeFrame(data)
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(data, &elements); err != nil {
		return m, err
	}
	if len(elements) != 5 {
		return m, fmt.Errorf("wiretest: %d elements", len(elements)) // clause 98
	}
	return messageOf(elements[0], elements[1], elements[2], elements[3], elements[4])
}

// decodeFrame reads a server's binary frame, whose layout differs from a
// client's. A broadcast counts as a push without refs.
func decodeFrame(data []byte) (m wire.Message, err error) {
	if len(data) == 0 || data[0] > 2 {
		return m, errors.New("wiretest: no kind of binary frame")
	}
	fields, payload, err := cut(data[1:], []int{3, 4, 2}[data[0]])
	if err != nil {
		return m, err
	}
	m.Payload = wire.Binary(payload)
	switch data[0] {
	case 0:
		m.JoinRef, m.Topic, m.Event = refOf(fields[0]), fields[1], fields[2]
	case 1:
		m.Kind, m.JoinRef, m.Ref, m.Topic, m.Status = wire.Reply, refOf(fields[0]), refOf(fields[1]), fields[2], fields[3]
	case 2:
		m.Topic, m.Event = fields[0], fields[1]
	}
	return m, nil
}

// cut splits what follows the kind into its n fields and the payload.
func cut(data []byte, n int) (fields []string, payload []byte, err error) {
	if len(data) < n {
		return nil, nil, errors.New("wiretest: no lengths")
	}
	payload = data[n:]
	for _, size := range data[:n] {
		if len(payload) < int(size) {
			return nil, nil, errors.New("wiretest: cut short")
		}
		fields = append(fields, string(payload[:size]))
		payload = payload[size:]
	}
	return fields, slices.Clip(payload), nil
}

// refOf returns the ref that a client makes of a binary frame's: none is null.
func refOf(text string) wire.Ref {
	if text == "" {
		return ""
	}
	return wire.StringRef(text)
}
