//go:build linux

package bench

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/transport/websocket"
)

// policies are what a target can do with clients that read too slowly.
var policies = map[string]roost.SlowConsumer{
	"close": roost.CloseSlow{}, "drop_oldest": roost.DropOldest{}, "keep_latest": roost.KeepLatest{},
}

// seat is one client's channel in the server that is measured: a small struct,
// as a user's would be.
type seat struct {
	name  string
	asked int
}

type hello struct {
	Name string `json:"name"`
}

// Join lets everybody in.
func (c *seat) Join(_ context.Context, _ *roost.Socket, h hello) (roost.Reply, error) {
	c.name = h.Name
	return roost.ReplyOK(nil), nil
}

// Ping answers with what it was asked with.
func (c *seat) Ping(_ context.Context, _ *roost.Socket, p roost.Payload) (roost.Reply, error) {
	c.asked++
	return roost.ReplyOK(p), nil
}

// Shout tells all of the topic, the client among them.
func (c *seat) Shout(ctx context.Context, s *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), s.Broadcast(ctx, broadcastEvent, p)
}

// runTarget is `roost bench target`: it serves until ctx is done.
func runTarget(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("bench target", flag.ContinueOnError)
	listen := fs.String("listen", "127.0.0.1:0", "serve on this `host:port`; port 0 is any that is free")
	rate := fs.Int("accept-rate", 0, "most new connections in a second; 0: the default, negative: no limit")
	policy := fs.String("policy", "close", "for clients that read too slowly: close, drop_oldest or keep_latest")
	secured := fs.Bool("tls", false, "speak TLS, with a certificate that vouches for itself")
	computing := fs.Int("computing", 0, "with -tls: handshakes that compute at once; 0: the default")
	outbox := fs.Int("outbox", 0, "`bytes` that may wait for one client; 0: the default")
	if err := parse(fs, args, stdout); err != nil {
		return err
	}
	slow, known := policies[*policy]
	if !known {
		return fmt.Errorf("bench target: -policy %q: there are close, drop_oldest and keep_latest", *policy)
	}
	// A line for every join would be most of what is measured.
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	endpoint := roost.NewEndpoint(roost.Config{Logger: log, WebSocket: websocket.Config{Outbox: *outbox}})
	endpoint.Channel("room:*", roost.ChannelOf((*seat).Join,
		roost.On(requestEvent, (*seat).Ping), roost.On(broadcastEvent, (*seat).Shout)), roost.WithSlowConsumer(slow))
	server := &roost.Server{
		Endpoint: endpoint, Addr: *listen, AcceptRate: *rate, Logger: log,
		OnListen: func(at net.Addr) { fmt.Fprintf(stdout, targetLine, at, os.Getpid()) },
	}
	server.Handler = counters(server)
	if *secured {
		config, err := certified()
		if err != nil {
			return err
		}
		server.TLS = &roost.TLS{Config: config, Computing: *computing}
	}
	return server.Run(ctx)
}

// statsPath is where a target tells what it has counted.
const statsPath = "/stats"

func counters(server *roost.Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+statsPath, func(w http.ResponseWriter, _ *http.Request) {
		s := server.Stats()
		_ = json.NewEncoder(w).Encode(map[string]any{
			"paced": s.Paced, "refused": s.Handshakes.Full, "tls_high": s.TLS.High, "tls_done": s.TLS.Done, "tls_failed": s.TLS.Failed,
			"tls_waited": s.TLS.Waited, "tls_resumed": s.TLS.Resumed, "tls_displaced": s.TLS.Displaced,
		}) // a bench that has gone needs none
	})
	return mux
}
