//go:build linux

package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// table measures everything that Roost has a target for, each time with a
// fresh server, one scenario after the other and then again.
type table struct {
	repeat int
	small  bool
	floor  time.Duration
	json   string
	quiet  bool
}

func (t *table) register(fs *flag.FlagSet) {
	fs.IntVar(&t.repeat, "repeat", 2, "how often to measure everything; the table shows medians")
	fs.BoolVar(&t.small, "small", false, "a few hundred connections for a few seconds: does it work? The figures mean little")
	fs.DurationVar(&t.floor, "floor", 2*time.Second, "how long to measure w before and after each scenario")
	fs.StringVar(&t.json, "json", "", "write all figures of all runs to this `file` too")
	fs.BoolVar(&t.quiet, "quiet", false, "no progress line")
}

// entry is one scenario of the table under a name of its own.
type entry struct {
	name string
	registrar
}

// lineup is the scenarios with the flags that the targets were set with.
func (t *table) lineup() ([]entry, error) {
	full := [][]string{
		{"idle"},
		{"storm", "-n", "15000"},
		{"storm", "-n", "15000", "-reconnect"},
		{"storm", "-accept-rate", "-1"},
		{"fanout", "-rate", "10"},
		{"fanout", "-rate", "0", "-window", "4", "-coalesce", "500us"},
		{"pingpong"},
		{"slow"},
		{"slow", "-policy", "drop_oldest"},
	}
	small := [][]string{
		{"-n", "500", "-rate", "0", "-topics", "20", "-hold", "4s", "-settle", "1s"},
		{"-n", "500", "-before", "1s", "-after", "500ms"},
		{"-n", "500", "-before", "1s", "-after", "500ms"},
		{"-n", "500", "-before", "1s", "-after", "500ms"},
		{"-n", "500", "-duration", "2s", "-warmup", "300ms"},
		{"-n", "500", "-duration", "2s", "-warmup", "300ms"},
		{"-n", "50", "-topics", "50", "-duration", "2s", "-warmup", "300ms"},
		{"-n", "100", "-duration", "1s", "-warmup", "300ms", "-calm", "300ms", "-size", "30000", "-rate", "50"},
		{"-n", "100", "-duration", "1s", "-warmup", "300ms", "-calm", "300ms", "-size", "30000", "-rate", "50"},
	}
	names := []string{"idle", "storm", "storm_again", "storm_unpaced", "fanout_10", "fanout_window", "pingpong", "slow_close", "slow_drop"}
	entries := make([]entry, len(full))
	for i, args := range full {
		args = append(args, "-floor", t.floor.String())
		if t.small {
			args = append(args, small[i]...)
			args = append(args, "-floor", min(t.floor, 300*time.Millisecond).String(), "-floor-n", "500")
		}
		sc := scenarios[args[0]]()
		fs := flag.NewFlagSet(names[i], flag.ContinueOnError)
		sc.register(fs)
		if err := parse(fs, args[1:], io.Discard); err != nil {
			return nil, err
		}
		if err := sc.check(); err != nil { // which also says what the server is started with
			return nil, err
		}
		entries[i] = entry{names[i], sc}
	}
	return entries, nil
}

// row is one figure with its target.
type row struct {
	Figure string `json:"figure"`
	Run    string `json:"run"`
	// Value is the figure's name in that run; those that are costs end with
	// _us and have a sibling in w.
	Value string `json:"value"`
	// Limit is in w if the figure is a cost, 0 if there is no target.
	Limit float64   `json:"limit"`
	Got   []float64 `json:"got"`
	InW   []float64 `json:"in_w,omitempty"`
	Unit  string    `json:"unit"`
}

// rows are the targets; docs of the project say where they come from.
func rows() []row {
	return []row{
		{Figure: "idle: user-space bytes per joined socket (RSS)", Run: "idle", Value: "server_rss_bytes_per_connection", Limit: 512, Unit: "B"},
		{Figure: "idle: CPU per connect and join, 1,000/s", Run: "idle", Value: "connect.server_cpu_per_join_us", Limit: 12, Unit: "µs"},
		{Figure: "idle: CPU per socket and minute", Run: "idle", Value: "server_cpu_per_connection_minute_us", Limit: 9, Unit: "µs"},
		{Figure: "a bare epoll loop's wake-up, read and write: CPU", Run: "idle", Value: "wake_us", Unit: "µs"},
		{Figure: "idle: CPU per heartbeat, in such wake-ups", Run: "idle", Value: "server_cpu_per_heartbeat_in_wakes"},
		{Figure: "fan-out, 10 messages/s: CPU per delivery", Run: "fanout_10", Value: "server_cpu_per_delivery_us", Limit: 1.1, Unit: "µs"},
		{Figure: "fan-out, 10 messages/s: delivery p99", Run: "fanout_10", Value: "delivery.p99_ms", Unit: "ms"},
		{Figure: "fan-out, 4 in flight: CPU per delivery", Run: "fanout_window", Value: "server_cpu_per_delivery_us", Limit: .5, Unit: "µs"},
		{Figure: "fan-out, 4 in flight: deliveries/s", Run: "fanout_window", Value: "deliveries_per_s", Unit: "/s"},
		{Figure: "ping → reply, closed loop: CPU per request", Run: "pingpong", Value: "server_cpu_per_request_us", Limit: 2.5, Unit: "µs"},
		{Figure: "ping → reply, closed loop: p99", Run: "pingpong", Value: "reply.p99_ms", Unit: "ms"},
		{Figure: "1 % of 5,000 stop reading, close: the others' p99 during ÷ before", Run: "slow_close", Value: "p99_during_to_before"},
		{Figure: "1 % of 5,000 stop reading, close: the others' p99 after ÷ before", Run: "slow_close", Value: "p99_after_to_before"},
		{Figure: "1 % of 5,000 stop reading, close: server memory, its peak ÷ before", Run: "slow_close", Value: "server_rss_peak_during_to_before"},
		{Figure: "1 % of 5,000 stop reading, close: of 50, closed", Run: "slow_close", Value: "stuck.closed"},
		{Figure: "1 % of 5,000 stop reading, drop_oldest: the others' p99 during ÷ before", Run: "slow_drop", Value: "p99_during_to_before"},
		{Figure: "1 % of 5,000 stop reading, drop_oldest: the others' p99 after ÷ before", Run: "slow_drop", Value: "p99_after_to_before"},
		{Figure: "1 % of 5,000 stop reading, drop_oldest: server memory, its peak ÷ before", Run: "slow_drop", Value: "server_rss_peak_during_to_before"},
		{Figure: "1 % of 5,000 stop reading, drop_oldest: of 50, thinned", Run: "slow_drop", Value: "stuck.thinned"},
		{Figure: "15,000 arrive: canary p50 during ÷ before", Run: "storm", Value: "canary.p50_during_to_p50_before", Limit: 4},
		{Figure: "15,000 arrive: canary p99 during ÷ p50 before", Run: "storm", Value: "canary.p99_during_to_p50_before", Limit: 20},
		{Figure: "15,000 arrive: until all are joined, at the default pace", Run: "storm", Value: "until_all_joined_s", Unit: "s"},
		{Figure: "15,000 arrive: not joined in the end", Run: "storm", Value: "not_joined"},
		{Figure: "15,000 arrive: canary requests without an answer", Run: "storm", Value: "canary.unanswered"},
		{Figure: "15,000 are dropped and come back: canary p50 during ÷ before", Run: "storm_again", Value: "canary.p50_during_to_p50_before", Limit: 4},
		{Figure: "15,000 are dropped and come back: canary p99 during ÷ p50 before", Run: "storm_again", Value: "canary.p99_during_to_p50_before", Limit: 20},
		{Figure: "15,000 are dropped and come back: not joined in the end", Run: "storm_again", Value: "not_joined"},
		{Figure: "15,000 are dropped and come back: canary requests without an answer", Run: "storm_again", Value: "canary.unanswered"},
		{Figure: "storm without a pace: until all are joined", Run: "storm_unpaced", Value: "until_all_joined_s", Limit: 1.2, Unit: "s"},
		{Figure: "storm without a pace: CPU per connect and join", Run: "storm_unpaced", Value: "server_cpu_per_join_us", Limit: 12, Unit: "µs"},
	}
}

func runTable(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	t := &table{}
	fs := flag.NewFlagSet("bench table", flag.ContinueOnError)
	t.register(fs)
	if err := parse(fs, args, stdout); err != nil {
		return err
	}
	if t.repeat < 1 || t.repeat > 100 {
		return fmt.Errorf("bench table: -repeat %d: 1 to 100", t.repeat)
	}
	d := newDocument(append([]string{"table"}, args...))
	d.Rows = rows()
	err := t.measure(ctx, &d, newMeter(stderr, t.quiet))
	err = errors.Join(err, printTable(stdout, d, t.small))
	if t.json != "" {
		err = errors.Join(err, d.writeFile(t.json))
	}
	return err
}

// measure fills the document, as far as it gets.
func (t *table) measure(ctx context.Context, d *document, m *meter) error {
	for i := range t.repeat {
		entries, err := t.lineup()
		if err != nil {
			return err
		}
		for _, e := range entries {
			m.say("%d of %d: %s", i+1, t.repeat, e.name)
			r, err := conduct(ctx, e.name, e.registrar, m)
			if r != nil {
				d.Runs = append(d.Runs, r)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			for j := range d.Rows {
				d.Rows[j].take(r)
			}
		}
	}
	return nil
}

// take adds the row's figure of a run, if it is of this one.
func (r *row) take(from *report) {
	if from.scenario != r.Run {
		return
	}
	if v, ok := from.value(r.Value); ok {
		r.Got = append(r.Got, v)
	}
	if base, ok := cutSuffix(r.Value, "_us"); ok {
		if v, ok := from.value(base + "_w"); ok {
			r.InW = append(r.InW, v)
		}
	}
}

// cells are the row's columns: figure, measured, in w, target and, if it is to
// be judged, the verdict.
func (r *row) cells(judge bool) [5]string {
	c := [5]string{r.Figure, spread(r.Got, r.Unit), spread(r.InW, "w"), "–", "–"}
	judged, unit := r.Got, r.Unit
	if strings.HasSuffix(r.Value, "_us") {
		judged, unit = r.InW, "w"
	}
	if r.Limit == 0 {
		return c
	}
	c[3] = strings.TrimSpace("≤ " + strconv.FormatFloat(r.Limit, 'f', -1, 64) + " " + unit)
	switch {
	case len(judged) == 0 || !judge:
	case median(judged) <= r.Limit:
		c[4] = "ok"
	default:
		c[4] = "short"
	}
	return c
}

// spread is the median, with the least and the most if there are several.
func spread(values []float64, unit string) string {
	if len(values) == 0 {
		return "–"
	}
	s := strings.TrimSpace(number(median(values)) + " " + unit)
	if least, most := slices.Min(values), slices.Max(values); least != most {
		s += fmt.Sprintf(" (%s–%s)", number(least), number(most))
	}
	return s
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func printTable(out io.Writer, d document, small bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "`%s`, %s, on %s × %d, Linux %s, %s.\n", d.Command, d.Build, d.Machine.CPU, d.Machine.Cores,
		d.Machine.Kernel, d.Time.Format(time.DateOnly))
	fmt.Fprintf(&b, "w = %s. Others used %s, the host took %s.\n\n", spread(d.all("w"), "µs"),
		spread(d.used("other_cpu_cores"), "cores"), spread(d.used("stolen_cpu_cores"), "cores"))
	if small {
		b.WriteString("Small sizes: this shows that it works; the figures mean little and are not judged.\n\n")
	}
	b.WriteString("| figure | measured | in w | target | |\n|---|--:|--:|--:|---|\n")
	for _, r := range d.Rows {
		c := r.cells(!small)
		fmt.Fprintf(&b, "| %s |\n", strings.Join(c[:], " | "))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// all is every run's figure of this name.
func (d document) all(name string) []float64 {
	var values []float64
	for _, r := range d.Runs {
		if v, ok := r.value(name); ok {
			values = append(values, v)
		}
	}
	return values
}

// used is every run's figure of this name in whichever part it was measured.
func (d document) used(name string) []float64 {
	var values []float64
	for _, part := range []string{"run.", "hold."} {
		values = append(values, d.all(part+name)...)
	}
	return values
}
