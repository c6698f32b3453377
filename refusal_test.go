package roost

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/transport/websocket"
)

var update = flag.Bool("update", false, "write docs/reference/errors.md")

const errorsIntro = `# What a client is told when it is refused

<!-- Made from the table in refusal.go by make reference; do not edit. -->

Refusals by the server itself; those of your channels say what you have them say. A message is answered with the status
"error" and ` + "`{\"reason\": …}`" + `. A refusal that has a pace also says ` + "`\"code\"`" + ` and ` + "`\"retry_after_ms\"`" + `: when to try again, spread so that
not all come at once. A connect is answered over HTTP, with the same JSON and a Retry-After header; a browser's script sees
none of it, only that the connection failed, and phoenix.js tries again by itself.

A connect that Config.Connect refuses gets 403, and what Config.ErrorHandler says: nothing, by default, as with Phoenix. Of
` + "`roost serve -secret-file`" + ` it is the reason and code "unauthorized", whatever is wrong with the token: -log info says it.
`

// errorsReference is docs/reference/errors.md.
func errorsReference() string {
	var b strings.Builder
	b.WriteString(errorsIntro)
	for _, r := range refusals {
		fmt.Fprintf(&b, "\n## %s\n\nRefuses %s.", r.reason, r.of)
		if r.status != 0 {
			fmt.Fprintf(&b, " A connect gets HTTP %d.", r.status)
		}
		if r.reset {
			b.WriteString(" It is reset, before TLS and HTTP: the reason is in the log (limit_hit) alone.")
		}
		if r.paced {
			b.WriteString(" Says when to come back.")
		}
		fmt.Fprintf(&b, "\n\n- What happened: %s\n- How to mend it: %s\n", r.what, r.mend)
	}
	return b.String()
}

func TestTheErrorReferenceIsUpToDate(t *testing.T) {
	file := filepath.Join("docs", "reference", "errors.md")
	if *update {
		if err := os.WriteFile(file, []byte(errorsReference()), 0o644); err != nil { //nolint:gosec // it is for all to read
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != errorsReference() {
		t.Errorf("%s is out of date: run make reference (%v)", file, err)
	}
}

func TestEveryRefusalIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range refusals {
		if r.reason == "" || r.of == "" || r.what == "" || r.mend == "" || seen[r.reason] {
			t.Errorf("%+v lacks something, or its reason is not its own", r)
		}
		seen[r.reason] = true
	}
}

func TestAConnectThatCannotBeIsToldWhy(t *testing.T) {
	for err, want := range map[error]string{websocket.ErrStopped: "server is stopping", errors.ErrUnsupported: "server cannot take connections"} {
		w := httptest.NewRecorder()
		unavailable(w, fmt.Errorf("start: %w", err))
		var n notice
		if err := json.Unmarshal(w.Body.Bytes(), &n); err != nil || n.Reason != want || n.Code != want || n.RetryAfterMS == 0 {
			t.Errorf("%s (%v): got %+v", w.Body, err, n)
		}
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("got %d, %v", w.Code, w.Header())
		}
	}
}

func TestAnEndpointThatStopsRefusesWithItsReason(t *testing.T) {
	e := NewEndpoint(Config{})
	if err := e.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/socket/websocket", nil))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"reason":"server is stopping"`) {
		t.Errorf("got %d, %s", w.Code, w.Body)
	}
}

func TestWhoComesBackWhenToldIsNotTooEarly(t *testing.T) {
	for _, wait := range []time.Duration{1, time.Microsecond, time.Millisecond, 10 * time.Second} {
		for range 100 {
			n := refusedMessages.notice(later(wait))
			if d := time.Duration(n.RetryAfterMS) * time.Millisecond; d < wait || d > wait*3/2+time.Millisecond {
				t.Fatalf("after %v: told %v", wait, d)
			}
		}
	}
	if n := refusedMessages.notice(later(0)); n.RetryAfterMS != 0 { // never
		t.Errorf("got %+v", n)
	}
}
