//go:build linux

package bench

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// meter shows how far a run is: one line that is written over on a terminal,
// and now and then a line elsewhere.
type meter struct {
	out      io.Writer
	terminal bool
	quiet    bool
}

func newMeter(out io.Writer, quiet bool) *meter {
	m := &meter{out: out, quiet: quiet}
	if f, ok := out.(*os.File); ok {
		_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		m.terminal = err == nil
	}
	return m
}

// run shows what text says until done is closed, and then a last time.
func (m *meter) run(done <-chan struct{}, text func() string) {
	if m.quiet {
		<-done
		return
	}
	every := 5 * time.Second
	if m.terminal {
		every = 250 * time.Millisecond
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			m.show(text())
		case <-done:
			m.clear()
			return
		}
	}
}

func (m *meter) show(line string) {
	if m.terminal {
		fmt.Fprintf(m.out, "\r%s\x1b[K", line)
		return
	}
	fmt.Fprintln(m.out, line)
}

func (m *meter) clear() {
	if m.terminal {
		fmt.Fprint(m.out, "\r\x1b[K")
	}
}

// say shows a line that stays, such as which part of a table is measured now.
func (m *meter) say(format string, args ...any) {
	if !m.quiet {
		m.clear()
		fmt.Fprintln(m.out, fmt.Sprintf(format, args...))
	}
}

// describe is a progress line: who of n is there, and how fast it goes.
func describe(scenario string, n int, now, before progress, since time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: connected %d/%d, joined %d", scenario, now.Opened, n, now.Joined)
	if now.Failed > 0 {
		fmt.Fprintf(&b, ", failed %d", now.Failed)
	}
	if now.Dropped > 0 {
		fmt.Fprintf(&b, ", lost %d", now.Dropped)
	}
	if d := now.Delivered - before.Delivered; d > 0 {
		fmt.Fprintf(&b, ", %.0f deliveries/s", float64(d)/since.Seconds())
	}
	if d := now.Replies - before.Replies; d > 0 {
		fmt.Fprintf(&b, ", %.0f replies/s", float64(d)/since.Seconds())
	}
	return b.String()
}
