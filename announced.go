package roost

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"

	"github.com/roostgo/roost/internal/proxyproto"
)

// announced has connections of ProxyProtocol begin with a header. It stands
// behind the door, which bounds those whose header is awaited with the others, and
// is asked again when it is known whom they stand for.
func (s *Server) announced(l net.Listener, log *slog.Logger) net.Listener {
	if len(s.ProxyProtocol) == 0 {
		return l
	}
	return &proxyproto.Listener{
		Listener: l,
		Trusts:   s.ProxyProtocol.Contains,
		Refused:  func(peer net.Addr, err error) { s.badHeader(log, peer, err) },
		Admit: func(c net.Conn, client netip.Addr) bool {
			g := guestOf(c)
			return g == nil || g.announce(client)
		},
	}
}

// badHeader counts connections that were closed because of their PROXY header,
// and logs each time that they have doubled: a proxy that sends none sends none
// ever. One that only looks whether the port is open closes it at once.
func (s *Server) badHeader(log *slog.Logger, peer net.Addr, err error) {
	if errors.Is(err, io.EOF) {
		return
	}
	if n := s.badHeaders.Add(1); n&(n-1) == 0 {
		log.Warn("PROXY header refused", slog.String("peer", peer.String()), slog.Uint64("so_far", n), slog.String("error", err.Error()),
			slog.String("mend", "have the proxy send it (send-proxy-v2 in HAProxy), or leave its network out of Server.ProxyProtocol"))
	}
}
