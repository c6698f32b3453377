package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
)

func TestReadinessFailsFirstWhileEverythingIsServed(t *testing.T) {
	s := serveFor(t, "-drain-delay", "3s")
	there := s.open(t, "2.0.0", nil)
	there.Join(t, "room:lobby", "1", "")
	began := time.Now()
	s.stop()
	for status := 0; status != http.StatusServiceUnavailable; {
		if status, _ = s.get(t, "/readyz"); time.Since(began) > patience {
			t.Fatal("it stays ready")
		}
	}
	late := s.open(t, "2.0.0", nil)
	late.Join(t, "room:lobby", "1", "")
	must(t, late.Push("1", "2", "room:lobby", "shout", `{"body":"still here"}`))
	if status, _ := s.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("it lives, and says %d", status)
	}
	for _, c := range []*client.Conn{there, late} {
		for m := c.Next(t); m.CloseCode != 1012; m = c.Next(t) {
			if m.CloseCode != 0 {
				t.Fatalf("got %v", m)
			}
		}
		if took := time.Since(began); took < 3*time.Second {
			t.Errorf("closed after %v, before the delay was over", took)
		}
		_ = c.Close(1012)
	}
	must(t, receive(t, s.ended, "end"))
}

func TestDrainFlagsThatCannotWorkSayWhy(t *testing.T) {
	for arg, want := range map[string]string{
		"-drain-delay=-1s":  "-drain-delay: -1s is negative",
		"-drain-timeout=0s": "-drain-timeout: 0s is no time at all",
		"-drain-spread=25s": "two thirds of -drain-timeout, which is 30s",
	} {
		if _, _, err := told(t, "serve", arg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", arg, err)
		}
	}
}

func TestDrainFlagsSayHowConnectionsAreClosed(t *testing.T) {
	for arg, want := range map[string]struct {
		off    bool
		spread time.Duration
	}{"-drain-spread=0": {}, "-drain-spread=20s": {spread: 20 * time.Second}, "-drain-spread=-1s": {off: true}} {
		f, err := parseServe([]string{arg}, nil)
		must(t, err)
		if d := f.drain.drain(); d.Off != want.off || d.Spread != want.spread {
			t.Errorf("%s: got %+v", arg, d)
		}
	}
}

func TestProgressIsToldAtTheBeginningAndTheEnd(t *testing.T) {
	var out strings.Builder
	p := &progress{out: &out}
	p.Handle(t.Context(), telemetry.SocketClosed{})
	for i := range 3 {
		p.Handle(t.Context(), telemetry.SocketDrain{Count: 2, Total: 6, Index: i + 1, Rounds: 3})
	}
	want := "Draining: 2 of 6 connections told to come back (wave 1 of 3).\nDraining: 6 of 6 connections told to come back (wave 3 of 3).\n"
	if out.String() != want {
		t.Errorf("got %q", out.String())
	}
}
