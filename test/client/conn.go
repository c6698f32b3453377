package client

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/internal/frame"
)

// Conn is an upgraded connection. One goroutine may read while another one writes.
type Conn struct {
	Response *http.Response // the 101

	// Immutable.
	nc      net.Conn
	timeout time.Duration
	deflate bool // negotiated

	// Owned by the reader.
	in []byte // arrived, not yet a whole frame

	closing    atomic.Bool   // a close frame was sent
	heartbeats atomic.Uint64 // refs that ExpectQuiet has used
}

// NetConn is the connection below, for tests that look at or throttle it.
func (c *Conn) NetConn() net.Conn { return c.nc }

// SendText sends a text message.
func (c *Conn) SendText(s string) error { return c.SendFrame(true, 0, frame.Text, []byte(s)) }

// SendBinary sends a binary message.
func (c *Conn) SendBinary(p []byte) error { return c.SendFrame(true, 0, frame.Binary, p) }

// SendDeflated sends a compressed message, negotiated or not.
func (c *Conn) SendDeflated(op frame.Opcode, p []byte) error {
	return c.SendFrame(true, frame.RSV1, op, frame.Deflate(nil, p))
}

// SendFrame sends one masked frame, well-formed or not. rsv is any of frame.RSV1, RSV2 and RSV3.
func (c *Conn) SendFrame(fin bool, rsv byte, op frame.Opcode, payload []byte) error {
	var key [4]byte
	binary.NativeEndian.PutUint32(key[:], rand.Uint32()) //nolint:gosec // a test's mask guards nothing
	return c.SendRaw(frame.AppendMasked(nil, fin, rsv, op, key, payload))
}

// SendRaw sends bytes as they are.
func (c *Conn) SendRaw(b []byte) error {
	if err := c.nc.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return fmt.Errorf("client: set deadline: %w", err)
	}
	if _, err := c.nc.Write(b); err != nil {
		return fmt.Errorf("client: send: %w", err)
	}
	return nil
}

// Ping sends a ping.
func (c *Conn) Ping(payload string) error {
	return c.SendFrame(true, 0, frame.Ping, []byte(payload))
}

// Close sends a close frame; code 0 sends an empty one. The connection stays open for what the server answers.
func (c *Conn) Close(code uint16) error {
	c.closing.Store(true)
	var payload []byte
	if code != 0 && code != frame.NoStatus {
		payload = binary.BigEndian.AppendUint16(nil, code)
	}
	return c.SendFrame(true, 0, frame.Close, payload)
}

// Drop closes the connection without a close frame, as a client that is killed.
func (c *Conn) Drop() { _ = c.tcp().Close() }

// Abort resets the connection (RST): the server's next read or write fails.
func (c *Conn) Abort() {
	if tc, ok := c.tcp().(*net.TCPConn); ok {
		_ = tc.SetLinger(0)
	}
	c.Drop()
}

// tcp is the connection below TLS.
func (c *Conn) tcp() net.Conn {
	if tc, ok := c.nc.(*tls.Conn); ok {
		return tc.NetConn()
	}
	return c.nc
}

// timedOut reports whether an operation ended at its deadline.
func timedOut(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
