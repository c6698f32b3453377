package transport

import "net"

// Bare returns the connection below wrappers that have done their work.
//
// A wrapper that reads something off the beginning of a connection, and then
// passes bytes on as they are, says so with a method BareConn() net.Conn: it
// returns what is below, or nil as long as it holds bytes back or changes them.
// Event loops can then take over the socket itself. It is another name than
// crypto/tls's NetConn on purpose: below that there is ciphertext.
func Bare(c net.Conn) net.Conn {
	for {
		w, ok := c.(interface{ BareConn() net.Conn })
		if !ok {
			return c
		}
		below := w.BareConn()
		if below == nil {
			return c
		}
		c = below
	}
}
