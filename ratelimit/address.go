package ratelimit

import (
	"errors"
	"fmt"
	"net/netip"
)

// ErrPrefix is wrapped by what PerAddress.Validate returns.
var ErrPrefix = errors.New("ratelimit: impossible prefix")

// PerAddress makes keys of addresses. The zero value works.
type PerAddress struct {
	// IPv6Prefix is how many bits of an IPv6 address make one client. Whoever
	// has a network has all of its addresses: providers give a home 64 or 56
	// bits, a site 48. Default: 64.
	IPv6Prefix int

	// Loopback limits the machine itself, too: loopback addresses and peers
	// without an address, as those on Unix sockets.
	// Default: they are not limited.
	Loopback bool
}

// Validate says whether the prefix is possible; the error wraps ErrPrefix.
func (p PerAddress) Validate() error {
	if p.IPv6Prefix < 0 || p.IPv6Prefix > 128 {
		return fmt.Errorf("%w: an IPv6 address has no %d bits: use 1 to 128, or 0 for 64", ErrPrefix, p.IPv6Prefix)
	}
	return nil
}

// Key is the client to which an address belongs: an IPv4 address as it is, the
// first address of an IPv6 address's network. An IPv4-mapped IPv6 address is
// the IPv4 address (RFC 4291 §2.5.5.2), and zones do not count.
//
// limited is false for those that no limit is for.
func (p PerAddress) Key(a netip.Addr) (key netip.Addr, limited bool) {
	a = a.Unmap()
	limited = p.Loopback || a.IsValid() && !a.IsLoopback()
	if !a.Is6() {
		return a, limited
	}
	bits := p.IPv6Prefix
	if bits == 0 {
		bits = 64
	}
	network, err := a.Prefix(bits) // without the zone
	if err != nil {                // Validate says so
		return a.WithZone(""), limited
	}
	return network.Addr(), limited
}
