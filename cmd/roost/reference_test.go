package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/reference"
)

var update = flag.Bool("update", false, "write docs/reference/config.md")

const configIntro = `# Configuration

` + "`make reference`" + ` writes this page from the doc comments of the structs, and a test says when it is out of date.
Sections in brackets are those of the Phoenix protocol description.

A zero value works everywhere: set what is to be different. What contradicts itself is reported at the start, all of it
at once. What is bounded has a default; a bound that is hit names itself in the log.`

func TestTheConfigReferenceIsUpToDate(t *testing.T) {
	root := filepath.Join("..", "..")
	file := filepath.Join(root, "docs", "reference", "config.md")
	want := configReference(t, root)
	if *update {
		must(t, os.WriteFile(file, []byte(want), 0o644))
		return
	}
	got, err := os.ReadFile(file)
	must(t, err)
	if string(got) != want {
		t.Errorf("%s is out of date: run make reference", file)
	}
}

func configReference(t *testing.T, root string) string {
	t.Helper()
	var p reference.Page
	p.Add("%s", configIntro)
	for _, s := range []struct{ title, dir, name string }{
		{"roost.Config", ".", "Config"},
		{"roost.Limits", ".", "Limits"},
		{"roost.RouteLimits", ".", "RouteLimits"},
		{"roost.EventLimit", ".", "EventLimit"},
		{"roost.Overload", ".", "Overload"},
		{"roost.Drain", ".", "Drain"},
		{"websocket.Config", "transport/websocket", "Config"},
		{"roost.Server", ".", "Server"},
		{"roost.TLS", ".", "TLS"},
	} {
		found, err := reference.Read(filepath.Join(root, filepath.FromSlash(s.dir)), s.name)
		must(t, err)
		p.Struct(s.title, found)
	}
	var help strings.Builder
	if err := run(t.Context(), []string{"serve", "-h"}, io.Discard, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	p.Output("roost serve", help.String())
	return p.String()
}
