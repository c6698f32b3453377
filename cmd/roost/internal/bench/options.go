//go:build linux

package bench

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// common is what all scenarios are told by their flags.
type common struct {
	addr   string
	pids   pidList
	path   string
	prefix string

	n, topics, size    int
	workers, perWorker int
	coalesce, timeout  time.Duration
	drain              time.Duration

	w          float64
	floor      time.Duration
	floorConns int

	acceptRate int

	json  string
	quiet bool

	target []string // what a server of its own is told
	tls    bool     // the connections are in TLS
}

// mostPerProcess leaves some of the usual 20,000 descriptors for the rest.
const mostPerProcess = 19900

func (o *common) register(fs *flag.FlagSet, n, topics int) {
	fs.StringVar(&o.addr, "addr", "", "server `host:port`; empty starts a server of its own")
	fs.Var(&o.pids, "pid", "server process `ids`, comma-separated; default: who listens at -addr")
	fs.StringVar(&o.path, "path", "/socket/websocket?vsn=2.0.0", "request path of the upgrade")
	fs.StringVar(&o.prefix, "topic-prefix", "room:", "a topic is this and a number")
	fs.IntVar(&o.n, "n", n, "connections")
	fs.IntVar(&o.topics, "topics", topics, "topics that they are spread over")
	fs.IntVar(&o.size, "size", 128, "bytes of a payload")
	fs.IntVar(&o.workers, "workers", 0, "processes that hold the connections; 0: as -per-worker asks")
	fs.IntVar(&o.perWorker, "per-worker", 18000, "most connections in one process")
	fs.IntVar(&o.acceptRate, "accept-rate", 0, "most new connections in a second that a server of its own accepts; 0: the default, negative: no limit")
	fs.DurationVar(&o.coalesce, "coalesce", 0, "receivers read only so often (canaries and probes at once)")
	fs.DurationVar(&o.timeout, "timeout", 30*time.Second, "a connection must be joined by then")
	fs.DurationVar(&o.drain, "drain", 5*time.Second, "how long to wait, without progress, for the last answers")
	fs.Float64Var(&o.w, "w", 0, "the unit w in `µs`; 0 measures it first and last")
	fs.DurationVar(&o.floor, "floor", 2*time.Second, "how long to measure w each time; 0: not at all")
	fs.IntVar(&o.floorConns, "floor-n", 5000, "connections to measure w with")
	fs.StringVar(&o.json, "json", "", "write the figures to this `file` too")
	fs.BoolVar(&o.quiet, "quiet", false, "no progress line")
}

// check says everything that is wrong with the flags.
func (o *common) check() error {
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(o.n < 1, "-n %d: at least one connection", o.n)
	wrong(o.topics < 1, "-topics %d: at least one topic", o.topics)
	wrong(o.topics > o.n, "-topics %d: no more topics than the %d connections of -n, or some have no subscriber", o.topics, o.n)
	wrong(o.size < minPayload, "-size %d: a payload has to hold its time and number, that takes %d bytes", o.size, minPayload)
	wrong(o.perWorker < 1 || o.perWorker > mostPerProcess,
		"-per-worker %d: 1 to %d, as a process may hold 20000 descriptors", o.perWorker, mostPerProcess)
	wrong(o.workers < 0 || o.workers > o.n, "-workers %d: 0 (as many as needed) to one per connection", o.workers)
	wrong(o.workers > 0 && o.n > o.workers*mostPerProcess, "-workers %d: %d connections take at least %d processes",
		o.workers, o.n, (o.n+mostPerProcess-1)/mostPerProcess)
	wrong(o.floorConns < 1 || o.floorConns > mostPerProcess, "-floor-n %d: 1 to %d", o.floorConns, mostPerProcess)
	wrong(o.coalesce < 0 || o.timeout <= 0 || o.drain <= 0 || o.floor < 0 || o.w < 0, "times have to be positive")
	wrong(o.addr == "" && len(o.pids) > 0, "-pid without -addr: a server of its own has a pid that nobody knows yet; say where yours listens")
	return errors.Join(errs...)
}

// pidList is the value of -pid.
type pidList []int

// String is the list as it is given.
func (l *pidList) String() string {
	words := make([]string, len(*l))
	for i, pid := range *l {
		words[i] = strconv.Itoa(pid)
	}
	return strings.Join(words, ",")
}

// Set reads a comma-separated list.
func (l *pidList) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		pid, err := strconv.Atoi(word)
		if err != nil || pid < 1 {
			return fmt.Errorf("%q is no process id", word)
		}
		*l = append(*l, pid)
	}
	return nil
}

// parse reads the flags of one scenario. It has said all there is to say if
// the error is flag.ErrHelp.
func parse(fs *flag.FlagSet, args []string, stdout io.Writer) error {
	fs.SetOutput(io.Discard)
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(stdout)
		fmt.Fprintf(stdout, "Usage of roost %s:\n", fs.Name())
		fs.PrintDefaults()
		return flag.ErrHelp
	case err != nil:
		return fmt.Errorf("%s: %w\n`roost %s -h` lists the flags", fs.Name(), err, fs.Name())
	case fs.NArg() > 0:
		return fmt.Errorf("%s: %q is no flag; flags begin with a dash, and their values follow them (-n 1000)\n`roost %s -h` lists the flags",
			fs.Name(), fs.Arg(0), fs.Name())
	}
	return nil
}

// causes is counts in one line.
func causes(counts map[string]int) string {
	r := report{}
	r.causes("", counts)
	words := make([]string, len(r.figures))
	for i, f := range r.figures {
		words[i] = fmt.Sprintf("%s %d", strings.TrimPrefix(f.name, "."), int(f.value))
	}
	return strings.Join(words, ", ")
}
