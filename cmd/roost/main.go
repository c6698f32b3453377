// Command roost is the standalone server and the tools around it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/roostgo/roost/cmd/roost/internal/bench"
	"github.com/roostgo/roost/cmd/roost/internal/echo"
)

const usage = `Roost serves Phoenix channels.

Usage: roost COMMAND [flags]

  serve    a server that relays: every topic can be joined, what a client
           pushes goes to all subscribers of its topic
  secret   print a new random secret, for -secret-file and -api-keys
  token    sign a token for a user, to connect with
  bench    measure a server; "roost bench" lists in which ways
  echo     a plain WebSocket server that sends every message back, for test
           suites of the protocol
  help     this text; "roost COMMAND -h" lists a command's flags
`

func main() {
	err := run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "roost:", err)
		os.Exit(1)
	}
}

// untilSignal is done with the first signal. A second one ends the program at
// once: before anybody knows of the first, signals have their usual effect again.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // ends with the first signal, or the program
		<-signals
		signal.Stop(signals)
		cancel()
	}()
	return ctx
}

// run executes one command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		args = []string{"help"}
	}
	switch name, rest := args[0], args[1:]; name {
	case "serve":
		return serve(ctx, rest, stdout, stderr)
	case "secret":
		return printSecret(rest, stdout)
	case "token":
		return signToken(rest, stdout, stderr)
	case "bench":
		return bench.Run(ctx, rest, stdout, stderr)
	case "echo":
		return echo.Run(ctx, rest, stdout, stderr)
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(stdout, usage)
		return err
	default:
		return fmt.Errorf("unknown command %q: use serve, secret, token, bench or echo; \"roost help\" lists them", name)
	}
}
