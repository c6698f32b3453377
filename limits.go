package roost

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/roostgo/roost/ratelimit"
	"github.com/roostgo/roost/telemetry"
)

// Limits bound what clients may do. The zero value bounds nothing; each limit is
// there on its own. What is refused is answered with the limit's name and when to
// come back; see docs/reference/errors.md.
//
// Limits of an address leave the machine's own alone, unless Address says
// otherwise. A rate in shadow mode only counts, and the first hit is logged; see
// ratelimit.Limit. Limits of topics and events are for routes: see WithLimits.
type Limits struct {
	// MaxConnections is how many connections there may be at once.
	MaxConnections int

	// MaxPerAddress is how many of them one address may have.
	MaxPerAddress int

	// MaxPerID is how many may have the same socket id.
	MaxPerID int

	// MaxShadow has these three only count. Default: false.
	MaxShadow bool

	// Connects is how often one address may connect.
	Connects ratelimit.Limit

	// Joins is how often one address may join a topic, with all its connections.
	Joins ratelimit.Limit

	// SocketJoins is how often one connection may.
	SocketJoins ratelimit.Limit

	// Messages is how many messages one connection may send, joins among them.
	// Heartbeats and leaves count too, and are never refused.
	Messages ratelimit.Limit

	// Bytes is how many bytes of messages it may send.
	Bytes ratelimit.Limit

	// Address says what an address is: IPv6 by prefix.
	Address ratelimit.PerAddress

	// Keys is how many addresses each limit remembers. Default: 65,536.
	Keys int
}

// validate reports all that is impossible.
func (l Limits) validate() error {
	var errs []error
	for _, r := range []struct {
		name  string
		limit ratelimit.Limit
	}{{"Connects", l.Connects}, {"Joins", l.Joins}, {"SocketJoins", l.SocketJoins}, {"Messages", l.Messages}, {"Bytes", l.Bytes}} {
		if err := r.limit.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("the limit %s: %w", r.name, err))
		}
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"MaxConnections", l.MaxConnections}, {"MaxPerAddress", l.MaxPerAddress}, {"MaxPerID", l.MaxPerID}} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("the bound Limits.%s is %d: it cannot be negative; leave it 0 for no limit", n.name, n.value))
		}
	}
	if err := l.Address.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("the limits: %w", err))
	}
	return errors.Join(errs...)
}

func (l Limits) connections() ratelimit.GaugeConfig {
	return ratelimit.GaugeConfig{Max: l.MaxConnections, PerKey: l.MaxPerAddress, Shadow: l.MaxShadow}
}

// atDoor reports whether connections are counted.
func (l Limits) atDoor() bool {
	return l.MaxConnections > 0 || l.MaxPerAddress > 0 || l.MaxPerID > 0 || l.Connects.Limited() || l.Joins.Limited()
}

// ofSocket reports whether a connection has a limit of its own.
func (l Limits) ofSocket() bool {
	return l.SocketJoins.Limited() || l.Messages.Limited() || l.Bytes.Limited()
}

// limiter is an endpoint's limits at work.
type limiter struct {
	config Limits
	stream *telemetry.Stream

	connections *ratelimit.Gauge[netip.Addr]
	ids         *ratelimit.Gauge[string]
	connects    *ratelimit.Keyed[netip.Addr]
	joins       *ratelimit.Keyed[netip.Addr]
	socketJoins *ratelimit.Limiter
	messages    *ratelimit.Limiter
	bytes       *ratelimit.Limiter

	rules limitRules
}

// limitRules are those of an endpoint's limits.
type limitRules struct{ connections, address, id, connects, joins, socketJoins, messages, bytes rule }

// newLimiter makes the limits of a Config that was validated, nil if there are
// none.
func newLimiter(l Limits, stream *telemetry.Stream) *limiter {
	if !l.atDoor() && !l.ofSocket() {
		return nil
	}
	return &limiter{
		config: l, stream: stream, rules: limitRules{
			connections: rule{refusal: refusedConnections}, address: rule{refusal: refusedAddress}, id: rule{refusal: refusedID},
			connects: rule{refusal: refusedConnects}, joins: rule{refusal: refusedJoins}, socketJoins: rule{refusal: refusedJoins},
			messages: rule{refusal: refusedMessages}, bytes: rule{refusal: refusedBytes},
		},
		connections: valid(ratelimit.NewGauge[netip.Addr](l.connections())),
		ids:         valid(ratelimit.NewGauge[string](ratelimit.GaugeConfig{PerKey: l.MaxPerID, Shadow: l.MaxShadow})),
		connects:    valid(ratelimit.NewKeyed[netip.Addr](ratelimit.Config{Limit: l.Connects, Keys: l.Keys})),
		joins:       valid(ratelimit.NewKeyed[netip.Addr](ratelimit.Config{Limit: l.Joins, Keys: l.Keys})),
		socketJoins: valid(ratelimit.NewLimiter(l.SocketJoins)),
		messages:    valid(ratelimit.NewLimiter(l.Messages)),
		bytes:       valid(ratelimit.NewLimiter(l.Bytes)),
	}
}

// valid is what was made of a valid configuration.
func valid[T any](made T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("roost: %v, which validation let pass", err))
	}
	return made
}

// LimitStats say what an endpoint's limits have decided.
type LimitStats struct {
	Connections ratelimit.GaugeStats // in all and per address
	IDs         ratelimit.GaugeStats
	Connects    ratelimit.Stats
	Joins       ratelimit.Stats // of addresses
	SocketJoins ratelimit.Stats
	Messages    ratelimit.Stats
	Bytes       ratelimit.Stats
}

func (l *limiter) stats() (s LimitStats) {
	if l == nil {
		return s
	}
	return LimitStats{
		Connections: l.connections.Stats(), IDs: l.ids.Stats(), Connects: l.connects.Stats(), Joins: l.joins.Stats(),
		SocketJoins: l.socketJoins.Stats(), Messages: l.messages.Stats(), Bytes: l.bytes.Stats(),
	}
}
