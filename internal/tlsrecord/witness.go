package tlsrecord

import (
	"io"
	"net"
)

// witness is the connection that crypto/tls has for its handshake. It feeds it
// record by record, never a byte of the next, so that afterwards nothing of the
// connection is inside crypto/tls; and it keeps a copy of what crypto/tls sends,
// from which position proves how many records are sealed already.
//
// Reads and writes may run at the same time once the handshake is over.
type witness struct {
	net.Conn
	log keyLog

	in   []byte // received and not yet fed
	feed int    // bytes of in that may be fed: what is left of the first record
	over bool   // the handshake is over, and crypto/tls carries on by itself

	sent  []byte // by crypto/tls during the handshake
	visit visit  // to the gate
}

// NetConn is the connection underneath.
func (w *witness) NetConn() net.Conn { return w.Conn }

// Read feeds crypto/tls. What cannot be a record is fed as it is: crypto/tls
// knows what to say to it.
func (w *witness) Read(p []byte) (int, error) {
	if len(w.in) == 0 && w.over {
		return w.Conn.Read(p)
	}
	for w.feed == 0 && !w.over {
		if w.feed = feedable(w.in); w.feed > 0 {
			if err := w.visit.enter(); err != nil {
				return 0, err
			}
			break
		}
		w.visit.leave() // while it waits for the client
		if err := w.receive(); err != nil {
			return w.remains(p, err)
		}
	}
	n := len(w.in)
	if !w.over {
		n = w.feed
	}
	n = copy(p, w.in[:n])
	w.in = w.in[n:]
	w.feed = max(w.feed-n, 0)
	return n, nil
}

// remains feeds the part of a record after which the client hung up, and the
// error when there is none.
func (w *witness) remains(p []byte, err error) (int, error) {
	if err != io.EOF || len(w.in) == 0 { //nolint:errorlint // a Reader's io.EOF is not wrapped
		return 0, err
	}
	n := copy(p, w.in)
	w.in = w.in[n:]
	return n, nil
}

// firstRead has room for the usual ClientHello, also with a post-quantum key.
const firstRead = 2 << 10

// receive reads more of an incomplete record.
func (w *witness) receive() error {
	if len(w.in) == cap(w.in) {
		w.in = append(make([]byte, 0, max(firstRead, 2*len(w.in))), w.in...)
	}
	n, err := w.Conn.Read(w.in[len(w.in):cap(w.in)])
	w.in = w.in[:len(w.in)+n]
	if n > 0 {
		return nil
	}
	return err
}

// maxHandshakeRecord is the longest record of any version (RFC 5246 §6.2.3).
const maxHandshakeRecord = HeaderSize + MaxPlaintext + 2048

// feedable is the length of the first record in b, 0 while it is incomplete.
func feedable(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	if t := contentType(b[0]); t < changeCipherSpec || t > applicationData {
		return len(b)
	}
	if len(b) < HeaderSize {
		return 0
	}
	n := HeaderSize + payloadSize(b)
	switch {
	case b[1] != 3 || n > maxHandshakeRecord:
		return len(b)
	case len(b) < n:
		return 0
	}
	return n
}

// Write sends.
func (w *witness) Write(p []byte) (int, error) {
	if !w.over {
		w.sent = append(w.sent, p...)
		w.visit.leave() // what comes next waits for the client
	}
	return w.Conn.Write(p)
}

// release lets crypto/tls carry on by itself.
func (w *witness) release() {
	w.visit.leave()
	w.over, w.sent, w.visit = true, nil, visit{}
	w.log.wipe()
}
