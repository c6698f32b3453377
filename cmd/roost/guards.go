package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/reload"
)

// guards are who ask for tokens and keys.
type guards struct {
	visitors  *visitors
	api       gate
	followers []roost.Service // of their files
}

// guards reads the files with secrets: before the process becomes another user.
func (f serveFlags) guards(stderr io.Writer, log *slog.Logger) (g guards, err error) {
	var exposed string
	if g.visitors, exposed, err = f.tokens.visitors(); err != nil {
		return g, err
	}
	keys, exposedKeys, err := readKeys(f.keys)
	fmt.Fprint(stderr, exposed, exposedKeys)
	if err != nil {
		return g, err
	}
	g.api.insecure = f.insecure
	if g.visitors != nil {
		if err := g.follow(f.tokens.file, f.reload, log, func() (string, error) {
			next, exposed, err := f.tokens.keyring(0)
			return exposed, replace(&g.visitors.keys, next, err)
		}); err != nil {
			return g, err
		}
	}
	if f.keys == "" {
		return g, nil
	}
	g.api.keys = new(atomic.Pointer[apiKeys])
	g.api.keys.Store(&keys)
	return g, g.follow(f.keys, f.reload, log, func() (string, error) {
		next, exposed, err := readKeys(f.keys)
		return exposed, replace(g.api.keys, &next, err)
	})
}

// replace puts what was read to use, unless it is bad.
func replace[T any](used *atomic.Pointer[T], next *T, err error) error {
	if err == nil {
		used.Store(next)
	}
	return err
}

// follow has a file read again when it changes, and on SIGHUP. read returns a
// warning, as for the first time.
func (g *guards) follow(file string, every time.Duration, log *slog.Logger, read func() (string, error)) error {
	var w *reload.Watcher
	w, err := reload.New(reload.Config{
		Files: []string{file}, Every: every, Now: hangups(),
		Load: func() error {
			exposed, err := read()
			if exposed != "" && w != nil { // at the start the user was told
				log.Warn("file of secrets: " + exposed)
			}
			return err
		},
		Report: func(err error) { reread(log, file, w.Stats(), err) },
	})
	g.followers = append(g.followers, w)
	return err
}

// reread logs that a file was read again.
func reread(log *slog.Logger, file string, s reload.Stats, err error) {
	how := []slog.Attr{slog.String("file", file), slog.Uint64("done", s.Done), slog.Uint64("failed", s.Failed)}
	if err != nil {
		log.LogAttrs(context.Background(), slog.LevelError, "file of secrets has changed, but cannot be used; what it had before stays in use. "+
			"Mend it, and it is read again", append(how, slog.Any("error", err))...)
		return
	}
	log.LogAttrs(context.Background(), slog.LevelInfo, "file of secrets was read again and is in use", how...)
}

// hangups are the SIGHUPs from now on: one that comes while a file is read has
// it read once more.
func hangups() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c
}
