package roost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/roostgo/roost/pubsub"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
	"github.com/roostgo/roost/wire"
)

// Config is what an Endpoint is made of. The zero value works.
type Config struct {
	// Path is where the socket is mounted; its transports are below it.
	// Segments ":name" are variables that Connect finds in the parameters.
	// Default: "/socket".
	Path string

	// WebSocketPath is where, below Path, the WebSocket transport is. "/" is
	// Path itself. Default: "websocket".
	WebSocketPath string

	// Host is what an Origin header is compared with when CheckOrigin says
	// nothing else. Default: "localhost".
	Host string

	// CheckOrigin decides which web pages may connect [§4.3].
	// Default: those whose host is Host.
	CheckOrigin transport.OriginPolicy

	// Proxies are the networks of the proxies in front of the server. They are
	// believed about a client's address (X-Forwarded-For), which limits, logs and
	// Connect then see, and about the scheme, host and port that it asked for
	// (X-Forwarded-Proto, -Host, -Port), which CheckOrigin compares with [§4.7].
	// Default: none; anybody can send such headers.
	Proxies transport.Proxies

	// Connect decides about a new connection, may give it an id, and keeps
	// what channels will need. ctx is the request's, with what middleware put
	// there. An error refuses; see ErrorHandler. It runs on the request's
	// goroutine and may block. Default: everybody may connect.
	Connect func(ctx context.Context, c *Connect) error

	// ErrorHandler answers a connect that was refused with an error other than
	// ErrRefused. Default: HTTP 403 without a body.
	ErrorHandler func(w http.ResponseWriter, r *http.Request, err error)

	// Versions chooses a client's serializer by its vsn.
	// Default: V1 for ~> 1.0.0, V2 for ~> 2.0.0.
	Versions *wire.Versions

	// MaxChannels is how many topics one connection may have joined at once.
	// Default: 100.
	MaxChannels int

	// MaxName is how many bytes a topic, an event or a ref that a client sends may
	// have. A message over it is answered with the reason "name too long".
	// Default: 4,096.
	MaxName int

	// Mailbox is how many messages may wait for one channel. A client's
	// message over it is answered with the reason "mailbox full"; a client for
	// which as many broadcasts wait while its join is answered is closed with
	// 1011 and comes back. Default: 1,000.
	Mailbox int

	// MailboxBytes is how many bytes of a client's messages may wait for all
	// channels of its connection together, those that are being handled included, and
	// with them of broadcasts that wait for HandleOut, which are dropped over it;
	// each counts as 128 more than it has. A message over it is answered with the
	// reason "too many bytes waiting", unless nothing waits.
	// Default: 4 MiB; negative: no bound.
	MailboxBytes int

	// Workers is how many callbacks may run, or block, at once.
	// Default: 10,000.
	Workers int

	// Limits bound what single clients may do.
	Limits Limits

	// Overload says when new clients and joins are turned away.
	Overload Overload

	// DrainTimeout is how long Run waits for connections and channels to end
	// before it cuts them. Default: 30 s.
	DrainTimeout time.Duration

	// Drain is asked when the end has come, how connections are to be closed:
	// func() roost.Drain { return roost.Drain{Spread: time.Minute} }.
	// Default: in waves over up to 15 s; see Drain.
	Drain func() Drain

	// WebSocket configures that transport. Its Origin, Proxies and Telemetry are
	// set from this Config.
	WebSocket websocket.Config

	// PubSub carries broadcasts. Endpoints that share one reach each other's
	// clients. Default: one of the endpoint's own, on this node only.
	PubSub *pubsub.PubSub

	// Logger gets what happens, one line for each event. Default:
	// slog.Default().
	Logger *slog.Logger

	// Filter keeps secrets out of what the log shows of clients' parameters
	// [§14.2]. Default: what is called, or says, password or token is left out.
	Filter telemetry.Filter

	// Telemetry are handlers of events besides the log.
	Telemetry []telemetry.Handler

	// Reports is how many events may wait for the log and the other handlers.
	// What is over it is dropped and counted. Default: 1,024.
	Reports int
}

func (c Config) withDefaults() Config {
	c.Path = cmp.Or(c.Path, "/socket")
	c.WebSocketPath = cmp.Or(c.WebSocketPath, websocket.Name)
	c.Host = cmp.Or(c.Host, "localhost")
	c.MaxChannels = cmp.Or(c.MaxChannels, 100)
	c.MaxName = cmp.Or(c.MaxName, 4<<10)
	c.Mailbox = cmp.Or(c.Mailbox, 1000)
	c.MailboxBytes = cmp.Or(c.MailboxBytes, 4<<20)
	c.Reports = cmp.Or(c.Reports, 1024)
	c.Overload = c.Overload.withDefaults()
	c.DrainTimeout = cmp.Or(c.DrainTimeout, 30*time.Second)
	if c.Connect == nil {
		c.Connect = func(context.Context, *Connect) error { return nil }
	}
	if c.ErrorHandler == nil {
		c.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusForbidden) }
	}
	if c.Drain == nil {
		c.Drain = func() Drain { return Drain{} }
	}
	if c.Versions == nil {
		c.Versions = wire.DefaultVersions()
	}
	if c.PubSub == nil {
		c.PubSub = pubsub.New(pubsub.Config{})
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// validate reports all contradictions at once.
func (c Config) validate() error {
	var errs []error
	for _, n := range []struct {
		name  string
		value int
	}{{"MaxChannels", c.MaxChannels}, {"MaxName", c.MaxName}, {"Mailbox", c.Mailbox}, {"Workers", c.Workers}, {"Reports", c.Reports}} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("%s is %d: it cannot be negative; leave it 0 for the default", n.name, n.value))
		}
	}
	if c.MailboxBytes > maxMailboxBytes {
		errs = append(errs, fmt.Errorf("MailboxBytes is %d: a bound is 1 GiB at most; make it negative for none", c.MailboxBytes))
	}
	if c.DrainTimeout < 0 {
		errs = append(errs, fmt.Errorf("DrainTimeout is %v: it cannot be negative; leave it 0 for the default", c.DrainTimeout))
	}
	if strings.ContainsAny(c.Host, ":/ ") && net.ParseIP(c.Host) == nil {
		errs = append(errs, fmt.Errorf("the Host %q cannot match: it is compared with the host of an Origin alone; leave scheme, port and path out, as in example.com", c.Host))
	}
	if !c.WebSocket.Origin.IsZero() {
		errs = append(errs, errors.New("WebSocket.Origin is set: use Config.CheckOrigin"))
	}
	errs = append(errs, c.Limits.validate(), c.Overload.validate())
	if c.WebSocket.Proxies != nil {
		errs = append(errs, errors.New("WebSocket.Proxies is set: use Config.Proxies"))
	}
	if c.WebSocket.Telemetry != nil {
		errs = append(errs, errors.New("WebSocket.Telemetry is set: use Config.Telemetry and Config.Logger"))
	}
	return errors.Join(errs...)
}
