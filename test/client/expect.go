package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/roostgo/roost/internal/frame"
)

// Next returns the next frame and fails the test when none comes in time.
func (c *Conn) Next(t testing.TB) Message {
	t.Helper()
	m, err := c.Read(c.timeout)
	if err != nil {
		t.Fatalf("next frame: %v", err)
	}
	return m
}

// Expect fails the test unless the next frame is a text message with the same JSON value as want.
func (c *Conn) Expect(t testing.TB, want string) {
	t.Helper()
	m, err := c.Read(c.timeout)
	if err != nil {
		t.Fatalf("got %v, want text %s", err, want)
	}
	if m.Opcode != frame.Text || !SameJSON(t, string(m.Payload), want) {
		t.Fatalf("got  %v\nwant text %s", m, want)
	}
}

// ExpectBinary fails the test unless the next frame is a binary message with these bytes.
func (c *Conn) ExpectBinary(t testing.TB, want []byte) {
	t.Helper()
	if m := c.Next(t); m.Opcode != frame.Binary || !bytes.Equal(m.Payload, want) {
		t.Fatalf("got  %v\nwant %v", m, Message{Opcode: frame.Binary, Payload: want})
	}
}

// ExpectPong fails the test unless the next frame is a pong with this payload.
func (c *Conn) ExpectPong(t testing.TB, payload string) {
	t.Helper()
	if m := c.Next(t); m.Opcode != frame.Pong || string(m.Payload) != payload {
		t.Fatalf("got %v, want a pong with %q", m, payload)
	}
}

// ExpectClose fails the test unless the next frame is a close with this code (frame.NoStatus for none) and no reason.
//
// It answers a close that the server began, as a browser does.
func (c *Conn) ExpectClose(t testing.TB, code uint16) {
	t.Helper()
	m := c.Next(t)
	if m.Opcode != frame.Close || m.CloseCode != code {
		t.Fatalf("got %v, want close %d", m, code)
	}
	if m.Reason != "" { // clause 94
		t.Fatalf("close %d has the reason %q, want none", code, m.Reason)
	}
	if !c.closing.Load() {
		_ = c.Close(code) // the server may be gone already
	}
}

// ExpectEOF fails the test unless the server ends the connection, without another frame: in order or by a reset.
func (c *Conn) ExpectEOF(t testing.TB) {
	t.Helper()
	m, err := c.Read(c.timeout)
	switch {
	case err == nil:
		t.Fatalf("got %v, want the end of the connection", m)
	case timedOut(err):
		t.Fatalf("the connection is still open after %v", c.timeout)
	case errors.Is(err, io.ErrUnexpectedEOF):
		t.Fatal("the connection ended inside a frame")
	}
}

// SameJSON reports whether two texts are the same JSON value, however they are spaced and ordered; numbers keep their
// spelling. A want that is not JSON fails the test.
func SameJSON(t testing.TB, got, want string) bool {
	t.Helper()
	w, err := value(want)
	if err != nil {
		t.Fatalf("the test expects what is not JSON: %v: %s", err, want)
	}
	g, err := value(got)
	return err == nil && reflect.DeepEqual(g, w)
}

// value decodes one JSON value.
func value(s string) (any, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(s)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("client: more than one JSON value")
	}
	return v, nil
}
