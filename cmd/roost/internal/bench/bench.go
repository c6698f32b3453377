//go:build linux

// Package bench is Roost's load tool: `roost bench`.
//
// It measures any server of the Phoenix protocol from outside, by its CPU
// clock, its memory and the time its messages take, and says costs in w, the
// CPU time of one delivery by a bare write(2) loop in the same run. It needs
// Linux 5.11.
//
// The coordinator starts this program again as workers, which hold the
// connections, and gives them orders over pipes. Each is one thread in epoll.
package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"
)

const usage = `Usage: roost bench SCENARIO [flags]

  idle      many connections that only send heartbeats: memory and CPU of each
  storm     all arrive at once: how long it takes, and what others notice
  flood     TLS handshakes as fast as attackers can: what others notice
  fanout    publications to many subscribers: CPU and latency of a delivery
  slow      the same while some subscribers do not read: what the others notice
  pingpong  requests and replies: CPU and latency of a request
  floor     a bare write(2) loop: w, the unit of the other figures
  table     all of them, as a Markdown table with Roost's targets
  target    the server that is measured if -addr names no other

roost bench SCENARIO -h lists the flags. Without -addr a scenario starts a
target of its own. With it, the server has to have a socket at
/socket/websocket, and there a channel for room:* that answers the event ping
with ok and broadcasts the event shout to all subscribers.
`

// Run is `roost bench ARGS`. It ends by itself, or when ctx does, and with it
// all processes that it has started. Results go to stdout, progress to stderr.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(stdout, usage)
		return nil
	}
	switch name, rest := args[0], args[1:]; name {
	case "worker":
		return runWorker()
	case "writer":
		return runWriter()
	case "attacker":
		return runAttacker()
	case "target":
		return helped(runTarget(ctx, rest, stdout, stderr))
	case "table":
		return helped(runTable(ctx, rest, stdout, stderr))
	case "floor":
		return helped(runFloor(ctx, rest, stdout))
	case "-h", "--help", "-help", "help":
		fmt.Fprint(stdout, usage)
		return nil
	default:
		made, known := scenarios[name]
		if !known {
			return fmt.Errorf("bench: there is no scenario %q\n\n%s", name, usage)
		}
		return helped(runScenario(ctx, name, made(), rest, stdout, stderr))
	}
}

// helped makes no error of -h.
func helped(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	return err
}

// registrar is a scenario that has flags.
type registrar interface {
	scenario
	register(fs *flag.FlagSet)
}

// scenarios are those that have connections in worker processes.
var scenarios = map[string]func() registrar{
	"idle":     func() registrar { return &idle{} },
	"storm":    func() registrar { return &storm{} },
	"flood":    func() registrar { return &flood{} },
	"fanout":   func() registrar { return &fanout{} },
	"slow":     func() registrar { return &slow{} },
	"pingpong": func() registrar { return &pingpong{} },
}

func runScenario(ctx context.Context, name string, sc registrar, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("bench "+name, flag.ContinueOnError)
	sc.register(fs)
	if err := parse(fs, args, stdout); err != nil {
		return err
	}
	if err := sc.check(); err != nil {
		return fmt.Errorf("bench %s: %w", name, err)
	}
	r, err := conduct(ctx, name, sc, newMeter(stderr, sc.shared().quiet))
	return errors.Join(err, publish(r, sc.shared().json, append([]string{name}, args...), stdout))
}

func runFloor(ctx context.Context, args []string, stdout io.Writer) error {
	f := &floorScenario{}
	fs := flag.NewFlagSet("bench floor", flag.ContinueOnError)
	f.register(fs)
	if err := parse(fs, args, stdout); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return fmt.Errorf("bench floor: %w", err)
	}
	r, err := f.conduct(ctx)
	return errors.Join(err, publish(r, f.json, append([]string{"floor"}, args...), stdout))
}

// publish prints a report, if there is one, and writes the file.
func publish(r *report, file string, args []string, stdout io.Writer) error {
	if r == nil {
		return nil
	}
	if err := r.print(stdout); err != nil {
		return err
	}
	if file == "" {
		return nil
	}
	d := newDocument(args)
	d.Runs = []*report{r}
	return d.writeFile(file)
}

func newDocument(args []string) document {
	return document{
		Command: strings.Join(append([]string{"roost bench"}, args...), " "),
		Time:    time.Now().UTC(), Build: build(), Machine: machineNow(),
	}
}

// build is the commit that this program was built from, and with which Go.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit := "unknown commit"
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				commit += "+"
			}
		}
	}
	return commit + ", " + info.GoVersion
}
