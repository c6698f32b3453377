// Command server is the Roost that the JavaScript clients are tested against.
//
// It prints "listening ADDR" once it accepts connections, and shuts down gracefully on SIGTERM.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/playground"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "the address to listen on")
	rate := flag.Int("accept-rate", 0, "new connections in a second; 0: the default, negative: no limit")
	cert := flag.String("tls-cert", "", "PEM file with a certificate; clients then connect with TLS")
	key := flag.String("tls-key", "", "PEM file with its key")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := serve(ctx, *listen, *rate, *cert, *key); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1) //nolint:gocritic // stop only restores the signals, which end with the process
	}
}

// serve runs until ctx is done.
func serve(ctx context.Context, listen string, rate int, cert, key string) error {
	endpoint := newEndpoint()
	server := &roost.Server{
		Endpoint: endpoint,
		Addr:     listen,
		OnListen: func(a net.Addr) { fmt.Println("listening", a) },

		AcceptRate: rate,
	}
	if cert != "" {
		server.TLS = &roost.TLS{CertFile: cert, KeyFile: key, Reload: 100 * time.Millisecond}
	}
	bound, err := server.Listen(ctx)
	if err != nil {
		return err
	}
	came := &arrivals{Listener: bound}
	server.Listener, server.Handler = came, routes(server, came)
	return server.Run(ctx)
}

// newEndpoint accepts pages of this host. The connect parameter id names the socket, and refuse=yes
// refuses it.
func newEndpoint() *roost.Endpoint {
	endpoint := roost.NewEndpoint(roost.Config{
		Host: "127.0.0.1",
		Connect: func(_ context.Context, c *roost.Connect) error {
			if c.Params["refuse"] == "yes" {
				return roost.ErrRefused
			}
			c.ID, _ = c.Params["id"].(string)
			return nil
		},
	})
	endpoint.Channel("room:*", room)
	return endpoint
}

// routes are what the server answers besides the socket.
func routes(server *roost.Server, came *arrivals) http.Handler {
	mux := http.NewServeMux()
	control{server.Endpoint}.mount(mux)
	mux.HandleFunc("GET /handshakes", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(server.Stats().TLS) // a test that has gone needs none
	})
	mux.Handle("GET /arrivals", came)
	mux.HandleFunc("GET /blank", blank)
	mux.Handle("/", playground.Handler(playground.Options{}))
	return mux
}

// blank is a page of this origin for a browser that is told what to do from outside. It has to come
// from here: Chromium does not let a page of unknown origin connect to this machine.
func blank(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!doctype html><title>blank</title>") // a browser that has gone needs none
}
