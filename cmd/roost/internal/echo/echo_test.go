package echo

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
)

// heard gets what the command writes to its standard output.
type heard chan string

func (h heard) Write(p []byte) (int, error) {
	h <- string(p)
	return len(p), nil
}

// next is the next line.
func (h heard) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-h:
		return line
	case <-time.After(patience):
		t.Fatal("it says nothing")
		return ""
	}
}

var address = regexp.MustCompile(`ws://\S+`)

func TestTheCommandEchoesUntilItIsStopped(t *testing.T) {
	for _, c := range []struct {
		args      []string
		extension string
	}{
		{[]string{"--listen", "127.0.0.1:0"}, ""},
		{[]string{"--listen", "127.0.0.1:0", "--compress", "-engine", "goroutines"}, "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
	} {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		out, ended := make(heard, 4), make(chan error, 1)
		go func() { ended <- Run(ctx, c.args, out, io.Discard) }() // ends with ctx
		url := address.FindString(out.next(t))
		s := enter(t, url+"any/path", client.Options{Deflate: true})
		if got := s.Response.Header.Get("Sec-WebSocket-Extensions"); got != c.extension {
			t.Errorf("%q: negotiated %q, want %q", c.args, got, c.extension)
		}
		frameByFrame(s, text("hello"), bits(true, 0, frame.Binary, "\x00\xff"))
		s.hears(frame.Text, "hello")
		s.hears(frame.Binary, "\x00\xff")
		stop()
		s.ends(1012)
		if line := out.next(t); line != "Roost has stopped.\n" {
			t.Errorf("%q: it said %q at the end", c.args, line)
		}
		if err := <-ended; err != nil {
			t.Errorf("%q: %v", c.args, err)
		}
	}
}

func TestMistakesOnTheCommandLineAreExplained(t *testing.T) {
	url := start(t, variant{engine: engines()[0]})
	taken := strings.TrimPrefix(url, "ws://")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"9001"}, `no argument "9001": flags come with a dash`},
		{[]string{"-port", "1"}, "flag provided but not defined: -port"},
		{[]string{"-engine", "steam"}, `flag -engine: websocket: unknown engine "steam"`},
		{[]string{"-listen", taken}, "Choose another address: roost echo -listen"},
	} {
		err := Run(t.Context(), c.args, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.args, err, c.want)
		}
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	var help bytes.Buffer
	if err := Run(t.Context(), []string{"-h"}, io.Discard, &help); err != nil || !strings.Contains(help.String(), "-compress") {
		t.Errorf("got %v, %q", err, help.String())
	}
}
