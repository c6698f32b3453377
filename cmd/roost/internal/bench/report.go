//go:build linux

package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// figure is one result.
type figure struct {
	name  string
	value float64
	unit  string
}

// report is what one run has found, in the order in which it was found.
type report struct {
	scenario string
	figures  []figure
	notes    []string
	// w is the unit of the costs, 0 while it is not known.
	w time.Duration
}

func (r *report) add(name string, value float64, unit string) {
	r.figures = append(r.figures, figure{name, value, unit})
}

// cost adds CPU time divided by the number of what it was spent on; settle
// adds the same in w.
func (r *report) cost(name string, cpu time.Duration, by float64) {
	if by > 0 {
		r.add(name+"_us", float64(cpu)/1e3/by, "µs")
	}
}

// latency adds the usual percentiles.
func (r *report) latency(name string, h *histogram) {
	if h == nil || h.n == 0 {
		return
	}
	for _, q := range []struct {
		name string
		q    float64
	}{{"p50", .5}, {"p99", .99}, {"p99.9", .999}} {
		r.add(name+"."+q.name+"_ms", float64(h.quantile(q.q))/1e6, "ms")
	}
	r.add(name+".max_ms", float64(h.max)/1e6, "ms")
}

// causes adds counts by cause, in alphabetical order.
func (r *report) causes(name string, counts map[string]int) {
	for _, cause := range slices.Sorted(maps.Keys(counts)) {
		r.add(name+"."+cause, float64(counts[cause]), "")
	}
}

// note adds a line for people: what a figure stands for.
func (r *report) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// settle says what w is; every cost so far gets a figure in w beside it.
func (r *report) settle(w time.Duration) {
	r.w = w
	var with []figure
	for _, f := range r.figures {
		with = append(with, f)
		if base, ok := cutSuffix(f.name, "_us"); ok && w > 0 {
			with = append(with, figure{base + "_w", f.value * 1e3 / float64(w), "w"})
		}
	}
	r.figures = with
}

func cutSuffix(s, suffix string) (string, bool) {
	if n := len(s) - len(suffix); n > 0 && s[n:] == suffix {
		return s[:n], true
	}
	return s, false
}

// value is the figure of this name.
func (r *report) value(name string) (float64, bool) {
	for _, f := range r.figures {
		if f.name == name {
			return f.value, true
		}
	}
	return 0, false
}

// print writes one line per figure.
func (r *report) print(out io.Writer) error {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, n := range r.notes {
		fmt.Fprintf(tw, "# %s\n", n)
	}
	for _, f := range r.figures {
		fmt.Fprintf(tw, "%s.%s\t%s %s\n", r.scenario, f.name, number(f.value), f.unit)
	}
	return tw.Flush()
}

// number is v with as many digits as mean something.
func number(v float64) string {
	if v == float64(int64(v)) {
		return strconv.FormatInt(int64(v), 10)
	}
	switch a := max(v, -v); {
	case a >= 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

// MarshalJSON writes the figures as one object.
func (r *report) MarshalJSON() ([]byte, error) {
	figures := map[string]float64{}
	for _, f := range r.figures {
		figures[f.name] = f.value
	}
	return json.Marshal(struct {
		Scenario string             `json:"scenario"`
		Notes    []string           `json:"notes,omitempty"`
		Figures  map[string]float64 `json:"figures"`
	}{r.scenario, r.notes, figures})
}

// document is what -json writes.
type document struct {
	Command string    `json:"command"`
	Time    time.Time `json:"time"`
	Build   string    `json:"build"`
	Machine machine   `json:"machine"`
	Rows    []row     `json:"rows,omitempty"`
	Runs    []*report `json:"runs"`
}

func (d document) writeFile(name string) error {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(name, append(b, '\n'), 0o644); err != nil { //nolint:gosec // figures are for all to read
		return fmt.Errorf("bench: -json: %w", err)
	}
	return nil
}
