package conformance

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
)

// textFrames are masked text frames, to be sent in one write.
func textFrames(texts ...string) (b []byte) {
	for _, s := range texts {
		b = frame.AppendMasked(b, true, 0, frame.Text, [4]byte{1, 2, 3, 4}, []byte(s))
	}
	return b
}

// v2 is a message of a V2 client, or of the server. The first two and the payload are JSON.
func v2(joinRef, ref, topic, event, payload string) string {
	return fmt.Sprintf(`[%s,%s,%q,%q,%s]`, joinRef, ref, topic, event, payload)
}

// v2ok is an ok reply of the server.
func v2ok(joinRef, ref, topic, response string) string {
	return v2(joinRef, ref, topic, "phx_reply", `{"status":"ok","response":`+response+`}`)
}

// v2error is an error reply of the server.
func v2error(joinRef, ref, topic, response string) string {
	return v2(joinRef, ref, topic, "phx_reply", `{"status":"error","response":`+response+`}`)
}

// unmatched is the response to what is sent to a topic that is not joined.
const unmatched = `{"reason":"unmatched topic"}`

// crashed is what a client is told of a channel that crashed.
func crashed(joinRef, topic string) string {
	return v2(joinRef, joinRef, topic, "phx_error", `{"reason":"channel_crash"}`)
}

// closed is what a client is told of a channel that ended as wished.
func closed(joinRef, topic string) string { return v2(joinRef, joinRef, topic, "phx_close", "{}") }

// heartbeat is one of a V2 client, and alive its answer.
func heartbeat(ref string) string { return v2("null", ref, "phoenix", "heartbeat", "{}") }
func alive(ref string) string     { return v2ok("null", ref, "phoenix", "{}") }

// v1 is a message of a V1 client, or of the server. ref and payload are JSON.
func v1(topic, event, ref, payload string) string {
	return fmt.Sprintf(`{"topic":%q,"event":%q,"ref":%s,"payload":%s}`, topic, event, ref, payload)
}

// v1ok is an ok reply of the server.
func v1ok(topic, ref, response string) string {
	return v1(topic, "phx_reply", ref, `{"status":"ok","response":`+response+`}`)
}

// array reads the next frame, which must be a JSON array.
func array(t *testing.T, c *client.Conn) (elements []json.RawMessage) {
	t.Helper()
	must(t, c.ReadJSON(patience, &elements))
	return elements
}

// objects reads the next frames, which must be JSON objects.
func objects(t *testing.T, c *client.Conn, n int) []map[string]json.RawMessage {
	t.Helper()
	all := make([]map[string]json.RawMessage, n)
	for i := range all {
		must(t, c.ReadJSON(patience, &all[i]))
	}
	return all
}

// binaryPush is a client's binary message.
func binaryPush(joinRef, ref, topic, event string, payload ...byte) []byte {
	return binaryMessage(0, payload, joinRef, ref, topic, event)
}

// binaryMessage is a kind, the lengths of the fields, the fields and the payload.
func binaryMessage(kind byte, payload []byte, fields ...string) []byte {
	b := []byte{kind}
	for _, f := range fields {
		b = append(b, byte(len(f))) //nolint:gosec // longer ones do not fit, which some tests are about
	}
	for _, f := range fields {
		b = append(b, f...)
	}
	return append(b, payload...)
}

// sorted returns the keys of a map in order.
func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
