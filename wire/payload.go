package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Payload is what a message carries: a JSON value or bytes.
//
// It is immutable, and so are the bytes that it was made from: nobody may write
// to them while the payload is in use. The zero value is the JSON object {}.
type Payload struct {
	data   []byte
	binary bool
}

// Bytes is a Go value that travels as a binary payload; see [Marshal].
type Bytes []byte

var empty = []byte("{}")

// JSON returns the payload whose JSON text is raw. That raw is valid JSON is the
// caller's promise; [Marshal] of a [json.RawMessage] checks it.
func JSON(raw []byte) Payload { return Payload{data: raw} }

// Binary returns the payload that is the bytes b.
func Binary(b []byte) Payload { return Payload{data: b, binary: true} }

// Marshal returns v as a payload.
//
// A Payload stays what it is, Bytes become a binary payload, nil is {}, and
// anything else is encoded by encoding/json without HTML escapes. Bytes and
// json.RawMessage are not copied. The error is encoding/json's, or [ErrSyntax]
// or [ErrNotUTF8] for a json.RawMessage that is not what it says.
func Marshal(v any) (Payload, error) {
	switch v := v.(type) {
	case nil:
		return Payload{}, nil
	case Payload:
		return v, nil
	case Bytes:
		return Binary(v), nil
	case json.RawMessage:
		return checked(v)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return Payload{}, err
	}
	return JSON(bytes.TrimSuffix(b.Bytes(), []byte{'\n'})), nil
}

func checked(raw json.RawMessage) (Payload, error) {
	if err := validate(raw); err != nil {
		return Payload{}, err
	}
	if !utf8.Valid(raw) {
		return Payload{}, ErrNotUTF8
	}
	return JSON(raw), nil
}

// IsBinary says whether the payload is bytes rather than JSON.
func (p Payload) IsBinary() bool { return p.binary }

// Bytes returns the JSON text or the bytes. They must not be written to.
func (p Payload) Bytes() []byte {
	if len(p.data) == 0 && !p.binary {
		return slices.Clip(empty)
	}
	return p.data
}

// IsObject says whether the payload is a JSON object.
func (p Payload) IsObject() bool {
	if p.binary {
		return false
	}
	text := bytes.TrimLeft(p.Bytes(), " \t\r\n")
	return len(text) > 0 && text[0] == '{'
}

// Decode stores the payload in the value that v points to, as json.Unmarshal
// does. A binary payload is copied into a *[]byte or a *Bytes, a *Payload takes
// any payload as it is. The errors are encoding/json's, [ErrBinary] and
// [ErrNotBinary].
func (p Payload) Decode(v any) error {
	switch v := v.(type) {
	case *Payload:
		*v = p
		return nil
	case *Bytes:
		if !p.binary {
			return fmt.Errorf("%w: the client sent JSON where bytes are read; decode into a struct, a map or a wire.Payload", ErrNotBinary)
		}
		*v = bytes.Clone(p.data)
		return nil
	case *[]byte:
		if p.binary {
			*v = bytes.Clone(p.data)
			return nil
		}
	}
	if p.binary {
		return fmt.Errorf("%w: the client sent bytes where JSON is read into %T; decode into a *[]byte or a *wire.Payload", ErrBinary, v)
	}
	return short(json.Unmarshal(p.Bytes(), v))
}

// short cuts what encoding/json repeats of a number that does not fit: all its
// digits, however many a client sent.
func short(err error) error {
	if e, ok := err.(*json.UnmarshalTypeError); ok && len(e.Value) > maxField { //nolint:errorlint // it is never wrapped
		e.Value = e.Value[:40] + "…"
	}
	return err
}

// MarshalJSON returns the JSON text; a binary payload has none and is [ErrBinary].
func (p Payload) MarshalJSON() ([]byte, error) {
	if p.binary {
		return nil, ErrBinary
	}
	return p.Bytes(), nil
}

// UnmarshalJSON makes the payload a copy of the JSON text raw.
func (p *Payload) UnmarshalJSON(raw []byte) error {
	*p = JSON(bytes.Clone(raw))
	return nil
}
