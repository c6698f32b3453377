//go:build linux

package bench

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// outcome runs the tool without a file of figures.
func outcome(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := Run(t.Context(), args, &out, &out)
	return out.String(), err
}

func TestWrongFlagsAreExplained(t *testing.T) {
	for args, hint := range map[string]string{
		"dance":                    "there is no scenario",
		"idle -conns 5":            "roost bench idle -h",
		"idle 15000":               "flags begin with a dash",
		"idle -n x":                "invalid value",
		"idle -n 0":                "at least one connection",
		"idle -n 5 -topics 6":      "no more topics",
		"idle -hold 5s -settle 5s": "-settle",
		"idle -n 50000 -workers 2": "at least 3 processes",
		"idle -per-worker 30000":   "20000 descriptors",
		"idle -pid 1,x":            "no process id",
		"idle -pid 1":              "-addr",
		"idle -timeout 0s":         "positive",
		"idle -floor-n 0":          "-floor-n",
		"storm -canaries 0":        "-canaries",
		"fanout -size 10":          "-size 10",
		"fanout -rate 0 -window 0": "-window",
		"fanout -rate 0 -topics 1000 -window 100": "in flight",
		"pingpong -duration 0s":                   "-duration",
		"floor -n 0":                              "-n has to be",
		"table -repeat 0":                         "-repeat",
		"target x":                                "no flag",
	} {
		_, err := outcome(t, strings.Fields(args)...)
		if err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("bench %s: %v, want it to say %q", args, err, hint)
		}
	}
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := outcome(t, "fanout", "-n", "0", "-size", "1", "-rate", "-1")
	for _, hint := range []string{"-n 0", "-size 1", "-rate"} {
		if err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%v does not mention %s", err, hint)
		}
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range []string{"", "-h", "help", "idle -h", "storm -h", "flood -h", "fanout --help", "pingpong -h", "floor -h", "table -h", "target -h"} {
		out, err := outcome(t, strings.Fields(args)...)
		if err != nil || !strings.Contains(out, "Usage") {
			t.Errorf("bench %s: %v\n%s", args, err, out)
		}
	}
}

func TestNoServerIsSaidSo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	if _, err := outcome(t, "idle", "-addr", addr, "-n", "1", "-topics", "1", "-w", "8"); err == nil || !strings.Contains(err.Error(), "nothing listens") {
		t.Errorf("error is %v", err)
	}
}

func TestARunEndsWithItsContext(t *testing.T) {
	p := newPhoenix(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, []string{"idle", "-addr", p.addr(), "-n", "5", "-topics", "1", "-hold", "1h", "-w", "8"}, io.Discard, io.Discard)
	}()
	<-p.joined
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the run goes on")
	}
}

func TestAScenarioStartsItsOwnServer(t *testing.T) {
	got, out, err := figuresOf(t, "pingpong", "-n", "5", "-topics", "5", "-duration", "50ms", "-warmup", "0s", "-w", "8")
	if err != nil {
		t.Fatal(err, out)
	}
	want(t, got, map[string]float64{"unanswered": 0, "error_replies": 0}, "requests", "server_cpu_per_request_us")
}

// Every row of the table has to be a figure that its scenario reports: here
// the scenarios run as they stand in the table, but for their size.
func TestEveryRowOfTheTableIsMeasured(t *testing.T) {
	entries, err := (&table{floor: 20 * time.Millisecond, small: true}).lineup()
	if err != nil {
		t.Fatal(err)
	}
	d := newDocument([]string{"table"})
	d.Rows = rows()
	for _, e := range entries {
		shrink(e.registrar)
		if err := e.check(); err != nil {
			t.Fatal(e.name, err)
		}
		r, err := conduct(t.Context(), e.name, e.registrar, newMeter(os.Stderr, true))
		if err != nil {
			t.Fatal(e.name, err)
		}
		d.Runs = append(d.Runs, r)
		for i := range d.Rows {
			d.Rows[i].take(r)
		}
	}
	for _, r := range d.Rows {
		if len(r.Got) != 1 || r.Limit > 0 && strings.HasSuffix(r.Value, "_us") && len(r.InW) != 1 {
			t.Errorf("%s: got %v, %v in w", r.Figure, r.Got, r.InW)
		}
	}
	var out bytes.Buffer
	if err := printTable(&out, d, false); err != nil || strings.Count(out.String(), "\n| ") != len(d.Rows)+1 {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// shrink makes a scenario a matter of some hundred milliseconds.
func shrink(sc scenario) {
	o := sc.shared()
	o.n, o.topics, o.floorConns, o.quiet = 30, min(o.topics, 30), 30, true
	switch sc := sc.(type) {
	case *idle:
		sc.hold, sc.settle, sc.heartbeat = 300*time.Millisecond, 50*time.Millisecond, 100*time.Millisecond
	case *storm:
		sc.before, sc.after = 200*time.Millisecond, 0
		// Enough to fall into so short a storm.
		o.n, sc.canaryRate = 200, 300
	case *fanout:
		sc.duration, sc.warmup = 300*time.Millisecond, 0
	case *pingpong:
		sc.duration, sc.warmup = 50*time.Millisecond, 0
	}
}

func TestTheTablesTargetsAreTheDocumentedOnes(t *testing.T) {
	entries, err := (&table{floor: time.Second}).lineup()
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, e := range entries {
		if err := e.check(); err != nil {
			t.Error(e.name, err)
		}
		sizes = append(sizes, e.shared().n)
	}
	if wanted := []int{15000, 15000, 15000, 10000, 5000, 5000, 200, 5000, 5000}; !slices.Equal(sizes, wanted) {
		t.Errorf("connections %v, want %v", sizes, wanted)
	}
}

func TestARowIsJudgedByItsMedian(t *testing.T) {
	cost := row{Figure: "f", Value: "x_us", Limit: 2.5, Unit: "µs", Got: []float64{20, 30, 10}, InW: []float64{2, 9, 2.5}}
	plain := row{Figure: "g", Value: "y", Limit: 512, Unit: "B", Got: []float64{513}}
	free := row{Figure: "h", Value: "z_ms", Unit: "ms", Got: []float64{1}}
	for _, tt := range []struct {
		row  row
		want [5]string
	}{
		{cost, [5]string{"f", "20 µs (10–30)", "2.50 w (2–9)", "≤ 2.5 w", "ok"}},
		{plain, [5]string{"g", "513 B", "–", "≤ 512 B", "short"}},
		{free, [5]string{"h", "1 ms", "–", "–", "–"}},
		{row{Figure: "i", Limit: 1}, [5]string{"i", "–", "–", "≤ 1", "–"}},
	} {
		if got := tt.row.cells(true); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if got := plain.cells(false)[4]; got != "–" {
		t.Errorf("a row that is not judged is %q", got)
	}
}
