package roost

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/roostgo/roost/internal/front"
	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport/secure"
)

// open opens the door. Nothing of its settings but the rate can be wrong.
func (s *Server) open(l net.Listener, log *slog.Logger) (*front.Door, error) {
	limits := s.Endpoint.config.Limits
	door, err := front.Open(l, front.DoorConfig{
		Rate: s.AcceptRate, Places: s.places(), Addresses: ratelimit.Config{Limit: s.AddressRate, Keys: limits.Keys}, Address: limits.Address,
		Announced: s.ProxyProtocol, Proxies: s.Endpoint.config.Proxies, Hit: atDoor(s.Endpoint.stream), Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("roost: Server.AddressRate: %w", err)
	}
	return door, nil
}

// atDoor tells of the bounds at the door: in shadow mode once of each.
func atDoor(stream *telemetry.Stream) func(front.Bound, netip.Addr, bool) {
	rules := [...]rule{
		front.AllPlaces: {refusal: resetPlaces}, front.AddressPlaces: {refusal: resetAddress}, front.AddressRate: {refusal: resetRate},
	}
	return func(b front.Bound, from netip.Addr, shadow bool) {
		rules[b].place(context.Background(), stream, shadow, keyOf(from))
	}
}

// handshakeBound is how many connections may be on their way to an upgrade, or
// in a plain HTTP request, by default.
const handshakeBound = 4096

// places are those for connections that are not upgraded yet: a bound of 0 is
// the default, a negative one none. An address has a quarter of them, and of those
// for handshakes of TLS, which are fewer.
func (s *Server) places() ratelimit.GaugeConfig {
	all := max(cmp.Or(s.MaxHandshakes, handshakeBound), 0)
	shared := all
	if s.TLS != nil {
		shared = cmp.Or(s.TLS.Handshakes, secure.DefaultHandshakes)
		if all > 0 {
			shared = min(shared, all)
		}
	}
	return ratelimit.GaugeConfig{Max: all, PerKey: max(cmp.Or(s.MaxHandshakesPerAddress, (shared+3)/4), 0), Shadow: s.HandshakesShadow}
}
