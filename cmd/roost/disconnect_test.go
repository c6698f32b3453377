package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/roostgo/roost/test/client"
)

// asking runs a server that asks for tokens, and returns how to make them.
func asking(t *testing.T, flags ...string) (s *served, signed func(args ...string) string) {
	t.Helper()
	file := secretsIn(t, newSecret(t))
	s = serveFor(t, append([]string{"-secret-file", file}, flags...)...)
	return s, func(args ...string) string {
		out, _, err := told(t, append([]string{"token", "-secret-file", file}, args...)...)
		must(t, err)
		return strings.TrimSuffix(out, "\n")
	}
}

// as connects with a token.
func (s *served) as(t *testing.T, token string) *client.Conn {
	t.Helper()
	return client.Open(t, s.socket("2.0.0")+"&token="+token, client.Options{})
}

func TestAUsersConnectionsAreEndedByTheID(t *testing.T) {
	s, signed := asking(t)
	disconnect := func(body string) (int, string) {
		return do(t, http.MethodPost, "http://"+s.addr+"/api/disconnect", asJSON, body)
	}
	bob := s.as(t, signed("bob"))
	for id, body := range map[string]string{"ada": `{"id":"ada"}`, "42": `{"id":42}`, "43": ` { "id" : "43" } `} {
		laptop, phone := s.as(t, signed(id)), s.as(t, signed(id))
		if status, said := disconnect(body); status != http.StatusOK || said != `{"status":"ok"}`+"\n" {
			t.Errorf("%s: got %d %s", body, status, said)
		}
		laptop.ExpectClose(t, 1001)
		phone.ExpectClose(t, 1001)
	}
	for _, body := range []string{`{}`, `{"id":""}`, `{"id":null}`, `{"id":4.5}`, `{"id":4e1}`, `{"id":["bob"]}`, `{"id":true}`} {
		if status, said := disconnect(body); status != http.StatusBadRequest || !strings.Contains(said, "what the user's token holds") {
			t.Errorf("%s: got %d %s", body, status, said)
		}
	}
	if status, said := disconnect("bob"); status != http.StatusBadRequest || !strings.Contains(said, "the body is not") {
		t.Errorf("no JSON: got %d %s", status, said)
	}
	bob.ExpectQuiet(t)
}

func TestWithoutTokensNobodyCanBeEndedByTheID(t *testing.T) {
	s := serveFor(t)
	status, body := do(t, http.MethodPost, "http://"+s.addr+"/api/disconnect", asJSON, `{"id":"ada"}`)
	if status != http.StatusConflict || !strings.Contains(body, "-secret-file") {
		t.Errorf("got %d %s", status, body)
	}
}
