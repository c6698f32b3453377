package tlsrecord

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
)

// Server does the handshakes of a server with crypto/tls and takes connections
// of TLS 1.3 over. It is safe for concurrent use.
type Server struct {
	config *tls.Config
	gate   *gate
}

// NewServer returns a server with a configuration for tls.Server, which must not
// be changed afterwards but for its session ticket keys. Without NextProtos it
// negotiates HTTP/1.1, which is what WebSocket needs. No more than computing
// handshakes compute at a time; the others wait, as those do that wait for their
// client.
func NewServer(config *tls.Config, computing int) *Server {
	s := &Server{config.Clone(), newGate(computing)} // its ticket keys rotate; copies, as below, have none in common
	s.config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		w, ok := hello.Conn.(*witness)
		if !ok {
			return nil, errNoWitness
		}
		chosen, err := w.choose(config, hello)
		if err != nil {
			return nil, err
		}
		w.log.users, chosen.KeyLogWriter = chosen.KeyLogWriter, &w.log
		return chosen, nil
	}
	return s
}

// Waited is how often a handshake had to wait for others before it computed.
func (s *Server) Waited() uint64 { return s.gate.waited.Load() }

var errNoWitness = errors.New("tlsrecord: crypto/tls has another connection than it was given")

// Handshake does the handshake and returns what carries the connection on: a
// *Conn, or the *tls.Conn where it is not TLS 1.3 or could not be taken over.
//
// It calls turn whenever the server has something to do, true, or the client,
// false; the client begins.
//
// With an error, nc is still open: a tls.RecordHeaderError has a Conn to answer
// a client that does not speak TLS.
func (s *Server) Handshake(ctx context.Context, nc net.Conn, turn func(servers bool)) (net.Conn, error) {
	w := &witness{Conn: nc, visit: visit{gate: s.gate, ctx: ctx, turn: turn}}
	defer w.visit.leave()
	c := tls.Server(w, s.config)
	err := c.HandshakeContext(ctx)
	if err != nil {
		w.log.wipe()
		return nil, err
	}
	if taken := w.takeOver(c.ConnectionState()); taken != nil {
		return taken, nil
	}
	w.release()
	return c, nil
}

// takeOver ends the part of crypto/tls, if the state of the connection is known
// beyond doubt; nil otherwise.
func (w *witness) takeOver(facts tls.ConnectionState) *Conn {
	suite := Suite(facts.CipherSuite)
	if facts.Version != tls.VersionTLS13 || !suite.known() || w.log.odd || w.feed != 0 {
		return nil
	}
	if n := suite.secretSize(); w.log.handshake.n != n || w.log.client.n != n || w.log.server.n != n {
		return nil
	}
	next, ok := position(suite, w.log.handshake.bytes(), w.log.server.bytes(), w.sent)
	if !ok {
		return nil
	}
	// The client's Finished was the last record that crypto/tls was fed, and
	// the keys change with it (§4.4.4): nothing has come under the new one.
	state, err := New(suite, w.log.client.bytes(), w.log.server.bytes(), 0, next)
	if err != nil {
		return nil
	}
	c := &Conn{nc: w.Conn, facts: facts, state: state, raw: w.in}
	w.log.wipe()
	w.Conn, w.in, w.sent = ended{}, nil, nil
	return c
}

// ended is what a tls.Conn has left of a connection that was taken over: it
// could only do harm.
type ended struct{ net.Conn }

func (ended) Read([]byte) (int, error)  { return 0, io.EOF }
func (ended) Write([]byte) (int, error) { return 0, net.ErrClosed }
func (ended) Close() error              { return nil }
