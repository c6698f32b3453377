package wiretest

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/roostgo/roost/wire"
)

// V1 is the client's side of [wire.V1].
var V1 = Client{Encode: encodeV1, Decode: decodeV1, CarriesAnyJSON: true}

func encodeV1(m wire.Message) ([]byte, bool) {
	data, err := json.Marshal(map[string]any{
		"join_ref": rawRef(m.JoinRef), "ref": rawRef(m.Ref), "topic": m.Topic, "event": m.Event, "payload": m.Payload,
	})
	if err != nil {
		panic(err)
	}
	return data, false
}

func decodeV1(data []byte, binary bool) (m wire.Message, err error) {
	var members map[string]json.RawMessage
	if binary {
		return m, errors.New("wiretest: V1 wrote a binary frame")
	}
	if err := json.Unmarshal(data, &members); err != nil {
		return m, err
	}
	for _, key := range []string{"topic", "event", "payload", "ref"} {
		if members[key] == nil {
			return m, fmt.Errorf("wiretest: no key %q", key)
		}
	}
	if len(members) != 4 {
		return m, fmt.Errorf("wiretest: %d keys", len(members)) // clause 114
	}
	return messageOf(json.RawMessage("null"), members["ref"], members["topic"], members["event"], members["payload"])
}
