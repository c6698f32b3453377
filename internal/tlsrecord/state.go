// Package tlsrecord is a record layer for TLS 1.3 (RFC 8446 §5) that carries on
// where crypto/tls has done the handshake of a server.
//
// A tls.Conn keeps several kilobytes for as long as it lives. What a connection
// needs of them while nothing happens is secrets, keys and a counter for each
// direction: a State, 216 bytes without a pointer. A Cipher is what is made of it to open or seal
// records; it can be dropped at any time.
//
// State and Cipher are a pure core: bytes in, bytes out. Server and Conn are the
// shell around it that gets hold of the secrets.
package tlsrecord

import (
	"errors"
	"fmt"
	"io"
)

// State is what a connection in TLS 1.3 keeps, seen from the server. It is
// secret, and must not be copied but to move it: a record that two copies seal
// with one number tells an eavesdropper what is in it.
//
// It belongs to one goroutine at a time.
type State struct {
	in, out direction
	suite   Suite
	credit  uint16 // for key updates of the client, see updateCost
	useless uint8  // records in a row that carried no data
	begun   uint8  // how many bytes of message have come
	owed    bool   // the client asked for a key update of ours
}

// direction is one half of a connection.
type direction struct {
	secret [maxSecret]byte // what the next secret is made of
	key    [maxKey]byte
	iv     [nonceSize]byte
	seq    uint64 // number of the next record
}

// ErrSecrets is what New returns for secrets that are none of their suite.
var ErrSecrets = errors.New("tlsrecord: unknown cipher suite, or a traffic secret of the wrong length")

// New returns the state of a server: suite, the application traffic secrets of
// both sides, and the numbers of the records that come next from them. It copies
// the secrets. The error is ErrSecrets.
func New(suite Suite, client, server []byte, clientSeq, serverSeq uint64) (State, error) {
	if n := suite.secretSize(); !suite.known() || len(client) != n || len(server) != n {
		return State{}, ErrSecrets
	}
	s := State{suite: suite, credit: maxCredit}
	copy(s.in.secret[:], client)
	copy(s.out.secret[:], server)
	suite.derive(&s.in)
	suite.derive(&s.out)
	s.in.seq, s.out.seq = clientSeq, serverSeq
	return s, nil
}

// Wipe forgets everything. The state is of no use afterwards.
func (s *State) Wipe() { *s = State{} }

// Format implements fmt.Formatter: no verb prints a secret.
func (*State) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "tlsrecord.State(secret)") }

// MarshalText implements encoding.TextMarshaler, for loggers that do not format.
func (*State) MarshalText() ([]byte, error) { return []byte("tlsrecord.State(secret)"), nil }
