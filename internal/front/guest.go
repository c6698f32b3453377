package front

import (
	"io"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/roostgo/roost/internal/proxyproto"
)

// guest is a connection that the door let in. It has a place there until it is
// upgraded or closed.
type guest struct {
	net.Conn
	door *Door

	holds  atomic.Pointer[place] // nil: none any more
	parted atomic.Bool           // it will not have one again

	idle *idler // among those of door.idle, whose mu guards it; nil: it is not there
}

// place is one of those that the door has.
type place struct {
	key     netip.Addr // of the address that it counts for
	limited bool       // it counts for an address
}

// BareConn makes a transport.Bare of a guest: it passes bytes on as they are.
func (g *guest) BareConn() net.Conn { return g.Conn }

// CloseWrite is what net/http says goodbye with to a client that still sends, so
// that the answer is not lost with a reset.
func (g *guest) CloseWrite() error {
	if w, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// ReadFrom lets files be sent without being read.
func (g *guest) ReadFrom(r io.Reader) (int64, error) { return io.Copy(g.Conn, r) }

// Close gives the place back.
func (g *guest) Close() error {
	g.leave()
	return g.Conn.Close()
}

// leave gives the place back. Leaving again does nothing.
func (g *guest) leave() {
	g.parted.Store(true)
	g.door.idle.rise(g)
	if p := g.holds.Swap(nil); p != nil {
		g.door.release(p)
	}
}

// announce has the connection count for the client that a PROXY header names. It
// reports false, and resets the connection, if that client may not come in.
func (g *guest) announce(client netip.Addr) bool {
	p := g.holds.Swap(nil) // nobody else gives it back meanwhile
	if p == nil {
		return false // it has left
	}
	in := g.door.name(p, client)
	if !in {
		slam(g.Conn)
	}
	g.holds.Store(p)
	if !in || g.parted.Load() { // whoever left meanwhile found no place to give back
		g.leave()
	}
	return in
}

// name has a place of a proxy's count for a client of it, and reports whether the
// client may come in. The place stays taken all the while: the connection has waited
// for it, so only the client's own bounds can refuse it, and nobody who comes
// meanwhile takes it.
func (d *Door) name(p *place, client netip.Addr) bool {
	key, limited := d.config.Address.Key(client)
	if !limited || d.config.Proxies.Contains(client) {
		return true
	}
	if !d.comes(key, client) {
		return false
	}
	d.makeRoomFor(key)
	taken, err := d.places.Claim(key)
	if err != nil {
		d.hit(AddressPlaces, client, taken)
	}
	if taken {
		p.key, p.limited = key, true
	}
	return taken
}

// guestOf is the guest below a connection, if one is.
func guestOf(c net.Conn) *guest {
	for {
		switch w := c.(type) {
		case *guest:
			return w
		case *proxyproto.Conn:
			c = w.Conn
		case interface{ NetConn() net.Conn }: // *tls.Conn, and those of package tlsrecord
			c = w.NetConn()
		default:
			return nil
		}
	}
}

// peerOf is the address from which a connection came; none on Unix sockets.
func peerOf(c net.Conn) netip.Addr {
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
