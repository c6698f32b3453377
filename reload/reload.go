// Package reload reads files again when they change, as certificates and secrets
// do while a server runs.
package reload

import (
	"cmp"
	"context"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// Config configures a Watcher. Load is needed.
type Config struct {
	// Files are what is looked at. Empty names are left out.
	Files []string

	// Load reads them, and puts to use what it read. When they cannot be used it
	// returns an error that says why, and leaves what there is in use.
	Load func() error

	// Every is how often the files are looked at. Default: 10 s.
	Every time.Duration

	// Now has the files read at once, changed or not, for each value:
	// signal.Notify(now, syscall.SIGHUP). Default: never.
	Now <-chan os.Signal

	// Report is told of each time, with the error of Load, or nil when what was
	// read is in use. Default: nobody.
	Report func(error)
}

// Watcher follows files while it runs.
type Watcher struct {
	config       Config
	seen         []stamp // owned by Run
	done, failed atomic.Uint64
}

// New loads the files once; the error is that of Load.
func New(c Config) (*Watcher, error) {
	c.Every = cmp.Or(c.Every, 10*time.Second)
	if c.Report == nil {
		c.Report = func(error) {}
	}
	w := &Watcher{config: c}
	w.seen = w.look()
	return w, c.Load()
}

// Run looks at the files until ctx is done.
func (w *Watcher) Run(ctx context.Context) error {
	tick := time.NewTicker(w.config.Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if now := w.look(); !slices.Equal(now, w.seen) {
				w.load(now)
			}
		case <-w.config.Now:
			w.load(w.look())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// load reads the files. What cannot be used, such as two files of which one is
// still to be written, is tried again with the next change.
func (w *Watcher) load(now []stamp) {
	w.seen = now
	err := w.config.Load()
	if err != nil {
		w.failed.Add(1)
	} else {
		w.done.Add(1)
	}
	w.config.Report(err)
}

// Stats counts what a Watcher did since its start.
type Stats struct {
	Done   uint64 // times that the files were read again and are in use
	Failed uint64 // times that they could not be used
}

// Stats may be called at any time.
func (w *Watcher) Stats() Stats { return Stats{w.done.Load(), w.failed.Load()} }

// stamp tells one state of a file from another.
type stamp struct {
	modified time.Time
	size     int64
}

// look is how the files are now. One that is not there is left out: it may be
// about to come.
func (w *Watcher) look() []stamp {
	s := make([]stamp, len(w.config.Files))
	for i, name := range w.config.Files {
		if info, err := os.Stat(name); name != "" && err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}
