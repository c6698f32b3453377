package ratelimit_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/roostgo/roost/ratelimit"
)

func TestAddressesAreClients(t *testing.T) {
	for _, c := range []struct {
		per     ratelimit.PerAddress
		address string
		key     string
		limited bool
	}{
		{ratelimit.PerAddress{}, "192.0.2.7", "192.0.2.7", true},
		{ratelimit.PerAddress{}, "::ffff:192.0.2.7", "192.0.2.7", true},
		{ratelimit.PerAddress{}, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", true},
		{ratelimit.PerAddress{}, "2001:db8:1:2::1", "2001:db8:1:2::", true},
		{ratelimit.PerAddress{}, "fe80::1%eth0", "fe80::", true},
		{ratelimit.PerAddress{}, "::ffff:192.0.2.7%eth0", "192.0.2.7", true},
		{ratelimit.PerAddress{IPv6Prefix: 48}, "2001:db8:1:2:3::", "2001:db8:1::", true},
		{ratelimit.PerAddress{IPv6Prefix: 128}, "2001:db8::1", "2001:db8::1", true},
		{ratelimit.PerAddress{IPv6Prefix: 1}, "ffff::1", "8000::", true},
		{ratelimit.PerAddress{IPv6Prefix: 8}, "192.0.2.7", "192.0.2.7", true},
		{ratelimit.PerAddress{IPv6Prefix: 129}, "2001:db8::1", "2001:db8::1", true},
		{ratelimit.PerAddress{IPv6Prefix: 129}, "fe80::1%eth0", "fe80::1", true},
		{ratelimit.PerAddress{}, "127.0.0.1", "127.0.0.1", false},
		{ratelimit.PerAddress{}, "127.8.9.1", "127.8.9.1", false},
		{ratelimit.PerAddress{}, "::1", "::", false},
		{ratelimit.PerAddress{}, "::ffff:127.0.0.1", "127.0.0.1", false},
		{ratelimit.PerAddress{Loopback: true}, "127.0.0.1", "127.0.0.1", true},
		{ratelimit.PerAddress{Loopback: true, IPv6Prefix: 128}, "::1", "::1", true},
	} {
		key, limited := c.per.Key(netip.MustParseAddr(c.address))
		if key != netip.MustParseAddr(c.key) || limited != c.limited {
			t.Errorf("%+v: %s is %v, %v, want %s, %v", c.per, c.address, key, limited, c.key, c.limited)
		}
	}
}

func TestAPeerWithoutAnAddressIsTheMachineItself(t *testing.T) {
	if key, limited := (ratelimit.PerAddress{}).Key(netip.Addr{}); key.IsValid() || limited {
		t.Errorf("got %v, %v", key, limited)
	}
	if _, limited := (ratelimit.PerAddress{Loopback: true}).Key(netip.Addr{}); !limited {
		t.Error("it is not limited when loopback is")
	}
}

func TestImpossiblePrefixesSayHowToMendThem(t *testing.T) {
	for _, bits := range []int{0, 1, 64, 128} {
		if err := (ratelimit.PerAddress{IPv6Prefix: bits}).Validate(); err != nil {
			t.Errorf("%d: %v", bits, err)
		}
	}
	for _, bits := range []int{-1, 129} {
		err := (ratelimit.PerAddress{IPv6Prefix: bits}).Validate()
		if !errors.Is(err, ratelimit.ErrPrefix) || !strings.Contains(err.Error(), "use 1 to 128") {
			t.Errorf("%d: %v", bits, err)
		}
	}
}
