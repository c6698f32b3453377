package front

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"

	"github.com/roostgo/roost/internal/proxyproto"
)

// Announced is the door with what reads PROXY headers behind it: so those whose
// header is awaited are bounded with the others, and the door is asked again when it
// is known whom they stand for.
func (d *Door) Announced() net.Listener {
	if len(d.config.Announced) == 0 {
		return d
	}
	return &proxyproto.Listener{
		Listener: d,
		Trusts:   d.config.Announced.Contains,
		Refused:  d.badHeader,
		Admit: func(c net.Conn, client netip.Addr) bool {
			g := guestOf(c)
			return g == nil || g.announce(client)
		},
	}
}

// badHeader counts connections that were closed because of their PROXY header,
// and logs each time that they have doubled: a proxy that sends none sends none
// ever. One that only looks whether the port is open closes it at once.
func (d *Door) badHeader(peer net.Addr, err error) {
	if errors.Is(err, io.EOF) {
		return
	}
	if n := d.badHeaders.Add(1); n&(n-1) == 0 {
		d.config.Log.Warn("PROXY header refused", slog.String("peer", peer.String()), slog.Uint64("so_far", n), slog.String("error", err.Error()),
			slog.String("mend", "have the proxy send it (send-proxy-v2 in HAProxy), or leave its network out of Server.ProxyProtocol"))
	}
}
