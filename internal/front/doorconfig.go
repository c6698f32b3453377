package front

import (
	"log/slog"
	"net/netip"

	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/transport"
)

// DoorConfig is what a door is made of.
type DoorConfig struct {
	// Rate is the pace, in connections a second. Default: 1,000 for each
	// processor; negative: none.
	Rate int

	// Places are for connections that are not upgraded yet: in all, and of one
	// address.
	Places ratelimit.GaugeConfig

	// Addresses say how often each may come.
	Addresses ratelimit.Config

	// Address says what an address is.
	Address ratelimit.PerAddress

	// Announced are whose connections begin with a PROXY header.
	Announced transport.Proxies

	// Proxies are who else stands for many. Nobody of them has bounds of its own.
	Proxies transport.Proxies

	// Hit is told of a bound that somebody has hit; whose it is, if it is an
	// address's; and whether it passed, in shadow mode. It may be called by several
	// goroutines at once. Default: nobody is told.
	Hit func(b Bound, from netip.Addr, shadow bool)

	// Log gets what is wrong with PROXY headers. It is needed with Announced.
	Log *slog.Logger
}

// Bound is one of a door's.
type Bound int

const (
	// AllPlaces is how many places there are.
	AllPlaces Bound = iota

	// AddressPlaces is how many of them one address may have.
	AddressPlaces

	// AddressRate is how often one address may come.
	AddressRate
)
