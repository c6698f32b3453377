package main

import (
	"flag"
	"fmt"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/ratelimit"
)

// limitFlags are what single clients may do.
type limitFlags struct {
	roost.Limits
	patterns    patternLimits
	addressRate ratelimit.Limit

	maxHandshakes, maxHandshakesPerAddress int
}

func (l *limitFlags) register(fs *flag.FlagSet) {
	fs.IntVar(&l.MaxConnections, "max-connections", 0, "most `connections` at once; default: no limit of its own")
	fs.IntVar(&l.MaxPerAddress, "max-per-address", 0, "most `connections` of one address at once, this machine's own left alone; default: no limit")
	fs.IntVar(&l.maxHandshakes, "max-handshakes", 0, "most `connections` on their way to an upgrade, or in a plain request; default: 4,096; negative: no limit")
	fs.IntVar(&l.maxHandshakesPerAddress, "max-handshakes-per-address", 0, "most of these `connections` of one address; default: a quarter of them, or of the TLS handshakes at once (1,000) if those are fewer; negative: no limit")
	fs.BoolVar(&l.MaxShadow, "max-shadow", false, "the limits that begin with -max- and have to do with connections only count")
	for _, r := range []struct {
		limit *ratelimit.Limit
		name  string
		usage string
	}{
		{&l.addressRate, "address-rate", "how often one address may open a connection, before TLS and HTTP; over it the connection is reset"},
		{&l.Connects, "connect-rate", "how often one address may connect; over it the answer says when to come back"},
		{&l.SocketJoins, "join-rate", "how often one connection may join a topic"},
		{&l.Messages, "message-rate", "how many messages one connection may send"},
		{&l.Bytes, "byte-rate", "how many bytes of messages one connection may send"},
	} {
		fs.TextVar(r.limit, r.name, ratelimit.Limit{}, r.usage+": a `rate` like \"10/s\", \"100/s burst 500\" or \"5/m shadow\", which only counts")
	}
	fs.Func("topic-join-rate", "how often topics of a pattern are joined by everybody together: a `pattern=rate` like \"room:*=50/s\"; may be repeated,\n"+
		"the first that matches a topic holds", l.patterns.topic)
	fs.Func("event-rate", "how many messages with events of a pattern one connection may send: a `pattern=rate` like \"typing*=5/s burst 10\"; may be\n"+
		"repeated, the first that matches an event holds; each -topic-join-rate's topics count for themselves", l.patterns.messages)
	fs.Func("event-byte-rate", "how many bytes of messages with events of a pattern one connection may send: a `pattern=rate` like \"file=1000000/s\"; may be repeated", l.patterns.bytes)
}

// stand puts what is for the door on a server.
func (l *limitFlags) stand(s *roost.Server) {
	s.AddressRate = l.addressRate
	s.MaxHandshakes, s.MaxHandshakesPerAddress, s.HandshakesShadow = l.maxHandshakes, l.maxHandshakesPerAddress, l.MaxShadow
}

// check says what is wrong with the flags.
func (l *limitFlags) check() error {
	if l.MaxConnections < 0 || l.MaxPerAddress < 0 {
		return fmt.Errorf("flags -max-connections and -max-per-address are %d and %d: 0 is no limit, and there is nothing below it", l.MaxConnections, l.MaxPerAddress)
	}
	return nil
}
