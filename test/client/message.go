package client

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/roostgo/roost/internal/frame"
)

// Message is one frame of the server, which sends every message and control frame in one.
type Message struct {
	Opcode    frame.Opcode
	Payload   []byte // inflated; of a close the reason
	CloseCode uint16 // of a close; frame.NoStatus when it has none
	Reason    string // of a close
	Deflated  bool   // it was compressed
}

// String is the message for a failed test.
func (m Message) String() string {
	switch m.Opcode {
	case frame.Close:
		return fmt.Sprintf("close %d %q", m.CloseCode, m.Reason)
	case frame.Text:
		return fmt.Sprintf("text %s", m.Payload)
	default:
		return fmt.Sprintf("opcode %d, %d bytes %.200q", m.Opcode, len(m.Payload), m.Payload)
	}
}

// What a server can do wrong.
var (
	ErrMasked     = errors.New("client: server frame is masked")
	ErrFragmented = errors.New("client: server frame is a fragment")
	ErrReserved   = errors.New("client: server frame has reserved bits or an unknown opcode")
	ErrLength     = errors.New("client: server frame has a length that is not minimal")
	ErrControl    = errors.New("client: server control frame is malformed")
	ErrText       = errors.New("client: server text is not UTF-8")
	ErrNotText    = errors.New("client: not a text message")
)

// chunk is how much is read at once.
const chunk = 4096

// Read returns the next frame, control frames included, or an error after the timeout.
//
// What has arrived of an unfinished frame at a timeout is kept for the next call. At the end of the stream the error is
// io.EOF, or io.ErrUnexpectedEOF inside a frame.
func (c *Conn) Read(timeout time.Duration) (Message, error) {
	if err := c.nc.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return Message{}, fmt.Errorf("client: set deadline: %w", err)
	}
	for {
		m, n, err := c.parse()
		if err != nil || n > 0 {
			c.in = slices.Delete(c.in, 0, n)
			return m, err
		}
		if err := c.fill(); err != nil {
			return Message{}, err
		}
	}
}

// ReadJSON decodes the next message, which must be text, into v.
func (c *Conn) ReadJSON(timeout time.Duration, v any) error {
	m, err := c.Read(timeout)
	if err != nil {
		return err
	}
	if m.Opcode != frame.Text {
		return fmt.Errorf("%w: %v", ErrNotText, m)
	}
	if err := json.Unmarshal(m.Payload, v); err != nil {
		return fmt.Errorf("client: decode %s: %w", m.Payload, err)
	}
	return nil
}

// fill reads more of the stream.
func (c *Conn) fill() error {
	c.in = slices.Grow(c.in, chunk)
	n, err := c.nc.Read(c.in[len(c.in):cap(c.in)])
	c.in = c.in[:len(c.in)+n]
	switch {
	case n > 0:
		return nil
	case errors.Is(err, io.EOF) && len(c.in) > 0:
		return io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return io.EOF
	}
	return fmt.Errorf("client: read: %w", err)
}

// parse reads a frame at the start of what arrived; n is its length, 0 when it is not complete. RFC 6455 §5.2.
func (c *Conn) parse() (m Message, n int, err error) {
	if len(c.in) < 2 {
		return m, 0, nil
	}
	first := c.in[0]
	m.Opcode, m.Deflated = frame.Opcode(first&0x0f), first&frame.RSV1 != 0
	if err := c.checkStart(first, c.in[1]); err != nil {
		return m, 0, err
	}
	head, size, err := length(c.in)
	if err != nil || head == 0 || len(c.in)-head < size {
		return m, 0, err
	}
	m.Payload = bytes.Clone(c.in[head : head+size])
	err = m.decode()
	return m, head + size, err
}

// checkStart checks a frame's first two bytes.
func (c *Conn) checkStart(first, second byte) error {
	op := frame.Opcode(first & 0x0f)
	compressed := first&frame.RSV1 != 0
	switch {
	case second&0x80 != 0:
		return ErrMasked
	case first&0x80 == 0 || op == frame.Continuation:
		return ErrFragmented // §5.4 of the protocol
	case first&(frame.RSV2|frame.RSV3) != 0, compressed && (!c.deflate || op.Control()):
		return ErrReserved
	case op > frame.Binary && op < frame.Close, op > frame.Pong:
		return ErrReserved
	case op.Control() && second > 125:
		return ErrControl
	}
	return nil
}

// length reads a frame's length; head is where the payload begins, 0 when the header is not complete.
func length(b []byte) (head, size int, err error) {
	short := int(b[1])
	switch {
	case short <= 125:
		return 2, short, nil
	case short == 126 && len(b) >= 4:
		head, size = 4, int(binary.BigEndian.Uint16(b[2:]))
	case short == 127 && len(b) >= 10:
		head, size = 10, int(binary.BigEndian.Uint64(b[2:])) //nolint:gosec // negative is refused below
	default:
		return 0, 0, nil
	}
	if size <= 125 || head == 10 && size <= 0xffff {
		return 0, 0, ErrLength
	}
	return head, size, nil
}

// decode makes of the bytes on the wire what they mean.
func (m *Message) decode() error {
	if m.Deflated {
		p, err := inflate(m.Payload)
		if err != nil {
			return err
		}
		m.Payload = p
	}
	switch {
	case m.Opcode == frame.Text && !utf8.Valid(m.Payload):
		return ErrText
	case m.Opcode == frame.Close:
		return m.decodeClose()
	}
	return nil
}

// decodeClose splits the payload of a close frame into code and reason.
func (m *Message) decodeClose() error {
	if len(m.Payload) == 0 {
		m.CloseCode = frame.NoStatus
		return nil
	}
	if len(m.Payload) == 1 || !utf8.Valid(m.Payload[2:]) {
		return ErrControl
	}
	m.CloseCode = binary.BigEndian.Uint16(m.Payload)
	m.Payload = m.Payload[2:]
	m.Reason = string(m.Payload)
	return nil
}

// inflate decompresses a message, RFC 7692 §7.2.2.
func inflate(p []byte) ([]byte, error) {
	rest := bytes.NewReader(append(p, "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...))
	out, err := io.ReadAll(flate.NewReader(rest))
	if err != nil {
		return nil, fmt.Errorf("client: inflate: %w", err)
	}
	return out, nil
}
