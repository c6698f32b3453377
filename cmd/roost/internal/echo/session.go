package echo

import (
	"context"
	"net/http"

	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

const (
	// maxMessage is twice the largest message of the Autobahn test suite (9.1.6).
	maxMessage = 32 << 20
	// maxFragments lets a message of 16 MiB come in pieces of 64 bytes, which
	// are twice as many as in Autobahn 9.3.1.
	maxFragments = 1 << 19
)

// newHandler makes a handler that echoes whatever RFC 6455 lets a client send,
// up to maxMessage.
func newHandler(engine websocket.Engine, compress bool) (*websocket.Handler, error) {
	return websocket.New(websocket.Config{
		Engine: engine, Compress: compress,
		MaxFrame: maxMessage, MaxMessage: maxMessage, MaxFragments: maxFragments,
		MaxRatio: -1,         // zeros are legal, too, and maxMessage bounds what they become
		Outbox:   maxMessage, // of echoes that the client does not read; the largest does not count
		Origin:   transport.AnyOrigin(),
	}, connector{})
}

// connector lets everybody in.
type connector struct{}

// Connect implements transport.Connector.
func (connector) Connect(context.Context, *transport.Handshake) (transport.Session, http.Handler) {
	return new(session), nil
}

// session sends back what comes, with the opcode it had.
type session struct {
	conn transport.Conn // set by Open
}

// Open implements transport.Session.
func (s *session) Open(c transport.Conn) { s.conn = c }

// Receive implements transport.Session.
func (s *session) Receive(data []byte, binary bool) transport.Verdict {
	s.conn.Write(append(transport.Room(len(data)), data...), binary)
	return transport.Continue
}

// Closed implements transport.Session.
func (*session) Closed(error) {}
