package client

import (
	"encoding/json"
	"fmt"
	"testing"
)

// Push sends a V2 message. joinRef and ref are strings, "" is null; payload is JSON, "" is {}.
func (c *Conn) Push(joinRef, ref, topic, event, payload string) error {
	if payload == "" {
		payload = "{}"
	}
	message := []any{nullable(joinRef), nullable(ref), topic, event, json.RawMessage(payload)}
	b, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("client: encode: %w", err)
	}
	return c.SendText(string(b))
}

// Join joins a topic as phoenix.js does, with joinRef as ref too, and returns the response of the reply. It fails the
// test unless the next frame is an "ok". payload is JSON, "" is {}.
func (c *Conn) Join(t testing.TB, topic, joinRef, payload string) json.RawMessage {
	t.Helper()
	if err := c.Push(joinRef, joinRef, topic, "phx_join", payload); err != nil {
		t.Fatalf("join %s: %v", topic, err)
	}
	return c.ExpectReply(t, joinRef, joinRef, topic, "ok")
}

// ExpectReply fails the test unless the next frame is the V2 reply with these refs ("" is null), topic and status; it
// returns the response.
func (c *Conn) ExpectReply(t testing.TB, joinRef, ref, topic, status string) json.RawMessage {
	t.Helper()
	m := c.Next(t)
	var payload struct {
		Status   string          `json:"status"`
		Response json.RawMessage `json:"response"`
	}
	var parts []json.RawMessage
	if json.Unmarshal(m.Payload, &parts) != nil || len(parts) != 5 || json.Unmarshal(parts[4], &payload) != nil {
		t.Fatalf("got %v, want a reply to ref %q on %s", m, ref, topic)
	}
	got, _ := json.Marshal(parts[:4])
	want, _ := json.Marshal([]any{nullable(joinRef), nullable(ref), topic, "phx_reply"})
	if !SameJSON(t, string(got), string(want)) || payload.Status != status {
		t.Fatalf("got  %v\nwant a reply %s with status %q", m, want, status)
	}
	return payload.Response
}

// ExpectQuiet fails the test if the server has sent anything: it sends a heartbeat, whose reply must come next.
//
// What a channel sends on its own account may still come later; let it answer a push first.
func (c *Conn) ExpectQuiet(t testing.TB) {
	t.Helper()
	ref := fmt.Sprintf("hb%d", c.heartbeats.Add(1))
	if err := c.Push("", ref, "phoenix", "heartbeat", ""); err != nil {
		t.Fatalf("heartbeat: %v", err)
	}
	c.Expect(t, fmt.Sprintf(`[null,%q,"phoenix","phx_reply",{"status":"ok","response":{}}]`, ref))
}

// nullable is a ref as JSON has it.
func nullable(ref string) any {
	if ref == "" {
		return nil
	}
	return ref
}
