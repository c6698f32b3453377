//go:build unix

package main

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/roostgo/roost/test/client"
)

// rewrite replaces a file of secrets in one step, as an operator should.
func rewrite(t *testing.T, file string, lines ...string) {
	t.Helper()
	next := file + ".new"
	must(t, errors.Join(os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o600), os.Rename(next, file)))
}

// until waits for what a process does some time.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !done(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not after %v: %s", patience, what)
		}
	}
}

func TestSecretsAndKeysAreReadAgainAndConnectionsStay(t *testing.T) {
	for name, c := range map[string]struct {
		every string
		tell  func(*process)
	}{
		"on change": {"10ms", func(*process) {}},
		"on SIGHUP": {"1h", func(p *process) { p.signal(t, syscall.SIGHUP) }},
	} {
		t.Run(name, func(t *testing.T) {
			older, newer, key, next := newSecret(t), newSecret(t), newSecret(t), newSecret(t)
			secrets, keys := secretsIn(t, older), secretsIn(t, key)
			p := spawn(t, "-secret-file", secrets, "-api-keys", keys, "-reload", c.every)
			url := "ws://" + p.addr + "/socket/websocket?vsn=2.0.0&token="
			signed := func() string {
				out, _, err := told(t, "token", "-secret-file", secrets, "ada")
				must(t, err)
				return strings.TrimSpace(out)
			}
			lets := func(token string) bool {
				c, _, err := client.Dial(t.Context(), url+token, client.Options{})
				if err == nil {
					c.Drop()
				}
				return err == nil
			}
			opens := func(key string) bool {
				status, _ := do(t, http.MethodPost, "http://"+p.addr+"/api/broadcast", with(asJSON, "Authorization", "Bearer "+key), `{"topic":"room:2","event":"e"}`)
				return status == http.StatusOK
			}
			old := signed()
			connected := client.Open(t, url+old, client.Options{})
			connected.Join(t, "room:1", "1", "")

			rewrite(t, secrets, newer, older)
			rewrite(t, keys, next, key)
			c.tell(p)
			fresh := signed()
			until(t, "the new secret and key are accepted", func() bool { return lets(fresh) && opens(next) })
			if !lets(old) || !opens(key) {
				t.Error("the older ones are refused while they are in the files")
			}
			rewrite(t, secrets, newer)
			rewrite(t, keys, next)
			c.tell(p)
			until(t, "the old secret and key are refused", func() bool { return !lets(old) && !opens(key) })
			must(t, connected.Push("1", "2", "room:1", "e", ""))
			connected.Expect(t, `[null,null,"room:1","e",{}]`)
			connected.Drop()
			p.signal(t, syscall.SIGTERM)
			receive(t, p.said, "end of the output")
			must(t, p.cmd.Wait())
		})
	}
}

func TestAFileThatCannotBeUsedLeavesWhatThereWasAndIsLogged(t *testing.T) {
	file := secretsIn(t, newSecret(t))
	s := serveFor(t, "-secret-file", file, "-reload", "10ms")
	out, _, err := told(t, "token", "-secret-file", file, "ada")
	must(t, err)
	rewrite(t, file, "short")
	until(t, "it is logged", func() bool { return strings.Contains(s.problems.String(), "Mend it, and it is read again") })
	if log := s.problems.String(); !strings.Contains(log, "failed=1") || !strings.Contains(log, "fewer than 64") {
		t.Error(log)
	}
	s.as(t, strings.TrimSpace(out)).ExpectQuiet(t)
}
