package wiretest

import (
	"encoding/json"
	"errors"

	"github.com/roostgo/roost/wire"
)

// messageOf returns the server's message of these JSON values.
func messageOf(joinRef, ref, topic, event, payload json.RawMessage) (m wire.Message, err error) {
	m.JoinRef, m.Ref = refFrom(joinRef), refFrom(ref)
	m.Payload = wire.JSON(payload)
	if m.OddTopic = topic[0] != '"'; m.OddTopic {
		m.Topic = string(topic)
	} else if err := json.Unmarshal(topic, &m.Topic); err != nil {
		return m, err
	}
	if err := json.Unmarshal(event, &m.Event); err != nil {
		return m, err
	}
	if m.Event == "phx_reply" {
		return replyOf(m)
	}
	return m, nil
}

func replyOf(m wire.Message) (wire.Message, error) {
	var body map[string]json.RawMessage
	if err := m.Payload.Decode(&body); err != nil {
		return m, err
	}
	if len(body) != 2 || body["response"] == nil {
		return m, errors.New("wiretest: a reply has exactly status and response") // clause 106
	}
	m.Kind, m.Event, m.Payload = wire.Reply, "", wire.JSON(body["response"])
	return m, json.Unmarshal(body["status"], &m.Status)
}

// refFrom returns the ref that raw is.
func refFrom(raw json.RawMessage) wire.Ref {
	var s string
	switch {
	case string(raw) == "null":
		return ""
	case json.Unmarshal(raw, &s) == nil:
		return wire.StringRef(s)
	}
	return wire.Ref(raw)
}

// rawRef returns r as JSON.
func rawRef(r wire.Ref) json.RawMessage {
	if r.IsNull() {
		return json.RawMessage("null")
	}
	return json.RawMessage(r)
}
