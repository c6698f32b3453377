// Package echo is `roost echo`: a plain WebSocket server on Roost's own
// engine that sends every message back.
//
// It knows nothing of channels, so what tests it (the Autobahn test suite,
// first of all) sees the frame layer and the engine, and nothing else.
package echo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/roostgo/roost/transport/websocket"
)

const (
	// readHeaderTimeout is how long a request's head may take.
	readHeaderTimeout = 10 * time.Second
	// grace is how long clients may take to answer the close frame at the end.
	grace = 5 * time.Second
)

// flags are what `roost echo` can be told.
type flags struct {
	listen   string
	compress bool
	engine   string
}

func parse(args []string, stderr io.Writer) (f flags, err error) {
	fs := flag.NewFlagSet("roost echo", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&f.listen, "listen", "127.0.0.1:9001", "`address` to listen on; \":9001\" is every interface")
	fs.BoolVar(&f.compress, "compress", false, "accept permessage-deflate from clients that offer it")
	fs.StringVar(&f.engine, "engine", "", "what carries the connections: `loops` (Linux) or goroutines; default: the best there is")
	fs.Usage = func() {
		fmt.Fprint(stderr, "Usage: roost echo [flags]\n\nSends every WebSocket message back, text as text and binary as binary, at any path.\n\n")
		fs.PrintDefaults()
	}
	if err = fs.Parse(args); err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("echo takes no argument %q: flags come with a dash, as in -listen 127.0.0.1:9001", fs.Arg(0))
	}
	return f, err
}

// Run is `roost echo ARGS`. It echoes until ctx is done; then it closes all
// connections with 1012.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	handler, err := newHandler(websocket.Engine(f.engine), f.compress)
	if err != nil {
		return fmt.Errorf("flag -engine: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w\nAn address is a host and a port. Is another server running there? Choose another address: roost echo -listen 127.0.0.1:9002", f.listen, err)
	}
	fmt.Fprintf(stdout, "Roost echoes on ws://%s/ (compression: %v)\n", listener.Addr(), f.compress)
	err = serve(ctx, listener, handler)
	if err == nil {
		fmt.Fprintln(stdout, "Roost has stopped.")
	}
	return err
}

// serve accepts until ctx is done, and then waits for what it has accepted.
func serve(ctx context.Context, l net.Listener, h *websocket.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: readHeaderTimeout}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }() // ends with Close
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return errors.Join(err, server.Close(), h.Shutdown(last))
}
