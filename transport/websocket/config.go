package websocket

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
)

// Engine names what carries the connections.
type Engine string

// The engines. Both meet the same contract and pass the same tests.
const (
	// Auto is EventLoops where there are any, else Goroutines.
	Auto Engine = ""
	// EventLoops parks descriptors on a few epoll loops (Linux). Connections
	// without a descriptor of their own, such as TLS, go to Goroutines.
	EventLoops Engine = "loops"
	// Goroutines reads each connection on a goroutine.
	Goroutines Engine = "goroutines"
)

// Config says how WebSocket connections are made and bounded. The zero value
// works.
type Config struct {
	// Engine carries the connections. Default: Auto.
	Engine Engine

	// Loops is how many lanes there are. Default: GOMAXPROCS.
	Loops int

	// LaneBound is how many tasks, a frame for one client each or a broadcast for all
	// of a topic's clients there, may wait for a lane before publishers and
	// callbacks wait. Default: 65,536.
	LaneBound int

	// Timeout closes a connection from which no byte came for this long; what
	// is sent to it does not count [§5.6]. Default: 60 s; negative: never.
	Timeout time.Duration

	// MaxFrame is the most payload bytes of one frame; a larger one closes the
	// connection with 1009. Default: 10,000,000.
	MaxFrame int

	// MaxMessage is the most bytes of a message, reassembled and inflated;
	// over it 1009. Default: MaxFrame.
	MaxMessage int

	// MaxFragments is the most frames of one message; over it 1008.
	// Default: 131,072.
	MaxFragments int

	// MaxIncomplete is how many bytes all connections together may keep of
	// messages that have not arrived whole, or wait for a join to be answered; each counts
	// 256 more than it has. Over it, those that keep the most for the longest are
	// closed with 1013, and come back. A message that arrives at once is not counted.
	// Default: 256 MiB, or an eighth of GOMEMLIMIT if that is less; negative: no bound.
	MaxIncomplete int

	// Compress accepts permessage-deflate when a client offers it. Contexts
	// are never carried over, so a broadcast is compressed once for all.
	// Default: false.
	Compress bool

	// MaxRatio is how many times larger a message may inflate, judged from
	// 64 KiB on; over it 1009. Default: 100; negative: no bound.
	MaxRatio int

	// Outbox is how many bytes may wait for a client that reads slowly before
	// it is cut, or before broadcasts are dropped that may be (see
	// roost.WithSlowConsumer). Each frame counts 64 bytes more than it has, and
	// the largest does not count: one frame may exceed the bound.
	// Default: 1 MiB.
	Outbox int

	// WriteTimeout cuts a client that takes no byte for this long although
	// something waits for it, whatever its topics say about slow consumers. It
	// may come a quarter later. On the engine of goroutines a client in TLS has to
	// take a whole write, of 64 KiB at most, in that time. Default: 30 s; negative: never.
	WriteTimeout time.Duration

	// SendBuffer is the kernel's send buffer (SO_SNDBUF) in bytes. Without it
	// the kernel holds megabytes for a client that does not read. Linux doubles
	// it; what then holds less than two segments (of 64 KiB, to a proxy on the
	// same machine) waits 40 ms for the acknowledgement of each.
	// Default: 64 KiB; negative: the kernel's choice.
	SendBuffer int

	// MessageTimeout is how long a message may take from its first byte to its
	// last: a client that sends half of one, and a ping now and then, would keep
	// its memory for ever. Then it is closed with 1008. Default: 60 s; negative:
	// no limit.
	MessageTimeout time.Duration

	// CloseTimeout is how long the closing handshake may take, and after it how
	// long the kernel holds what the client takes nothing of (on Linux). A client
	// that is cut as too slow has no such time: it is reset. Default: 5 s.
	CloseTimeout time.Duration

	// Origin decides which Origin headers may connect. The zero value compares
	// with OriginPolicy's default host.
	Origin transport.OriginPolicy

	// Proxies are believed about the client and what it asked for: for Origin, and
	// for what Telemetry is told. Default: none.
	Proxies transport.Proxies

	// Unavailable answers a request to upgrade when none can be: err is ErrStopped
	// once the handler stops, or why the lanes do not start.
	// Default: 503, to come back in a second, and words.
	Unavailable func(w http.ResponseWriter, err error)

	// Subprotocols are what the server supports, best first. Default: none;
	// what is offered is ignored [§5.3].
	Subprotocols []string

	// AuthToken accepts phoenix.js's authToken beside the subprotocol
	// "phoenix" [§4.6]. Default: false.
	AuthToken bool

	// KeepMemory leaves the garbage collector and the threads alone. Otherwise,
	// while very many connections come, up to 8 MiB of garbage may lie (the
	// percentage that GOGC sets is raised), and when no more come it is collected
	// and given back to the system, and the operating system threads that are no
	// longer needed are ended. Default: false.
	KeepMemory bool

	// Telemetry is told what happens. Default: nobody.
	Telemetry *telemetry.Stream
}

// DefaultMaxFrame is what a Phoenix server accepts [§3.4].
const DefaultMaxFrame = 10_000_000

func or[T int | time.Duration](value, def T) T {
	if value == 0 {
		return def
	}
	return max(value, 0)
}

func (c Config) withDefaults() Config {
	c.Loops = or(c.Loops, runtime.GOMAXPROCS(0))
	c.LaneBound = or(c.LaneBound, lane.DefaultBound)
	c.Timeout = or(c.Timeout, 60*time.Second)
	c.MaxFrame = or(c.MaxFrame, DefaultMaxFrame)
	c.MaxMessage = or(c.MaxMessage, c.MaxFrame)
	c.MaxFragments = or(c.MaxFragments, 1<<17)
	c.MaxIncomplete = or(c.MaxIncomplete, defaultIncomplete())
	c.MaxRatio = or(c.MaxRatio, 100)
	c.Outbox = or(c.Outbox, 1<<20)
	c.WriteTimeout = or(c.WriteTimeout, 30*time.Second)
	c.SendBuffer = or(c.SendBuffer, 64<<10)
	c.MessageTimeout = or(c.MessageTimeout, 60*time.Second)
	c.CloseTimeout = or(c.CloseTimeout, 5*time.Second)
	c.Origin = c.Origin.Behind(c.Proxies)
	if c.Unavailable == nil {
		c.Unavailable = unavailable
	}
	if c.AuthToken {
		c.Subprotocols = append([]string{transport.PhoenixProtocol}, c.Subprotocols...)
	}
	return c
}

// validate reports all contradictions at once.
func (c Config) validate() error {
	var errs []error
	switch c.Engine {
	case Auto, EventLoops, Goroutines:
	default:
		errs = append(errs, fmt.Errorf("websocket: unknown engine %q: use %q, %q or none", c.Engine, EventLoops, Goroutines))
	}
	if c.Engine == EventLoops && !haveLoops {
		errs = append(errs, fmt.Errorf("websocket: engine %q needs Linux: leave Engine empty to get what this system has", c.Engine))
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"Loops", c.Loops}, {"LaneBound", c.LaneBound}, {"MaxFrame", c.MaxFrame}, {"MaxMessage", c.MaxMessage}, {"MaxFragments", c.MaxFragments}, {"Outbox", c.Outbox}} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("websocket: %s is %d: it cannot be negative", n.name, n.value))
		}
	}
	if c.CloseTimeout < 0 {
		errs = append(errs, fmt.Errorf("websocket: CloseTimeout is %v: it cannot be negative", c.CloseTimeout))
	}
	return errors.Join(errs...)
}

// limits are what a connection accepts, with or without compression.
func (c Config) limits(deflate bool) *frame.Limits {
	return &frame.Limits{
		MaxFrame: c.MaxFrame, MaxMessage: c.MaxMessage, MaxFragments: c.MaxFragments,
		Deflate: deflate, MaxRatio: c.MaxRatio,
	}
}
