package conformance

import (
	"net/http"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

// tokens switches auth tokens on.
func tokens(c *roost.Config) { c.WebSocket.AuthToken = true }

// bearer is how phoenix.js sends a token, encoded already.
func bearer(encoded string) string { return "base64url.bearer.phx." + encoded }

// offering is a handshake with these subprotocols.
func offering(protocols ...string) client.Options { return client.Options{Subprotocols: protocols} }

// expectSelected fails the test unless the server selected this subprotocol; "" is that it sent no such header.
func expectSelected(t *testing.T, c *client.Conn, want string) {
	t.Helper()
	var list []string
	if want != "" {
		list = []string{want}
	}
	got := c.Response.Header.Values("Sec-WebSocket-Protocol")
	if len(got) != len(list) || want != "" && got[0] != want {
		t.Fatalf("selected subprotocols %q, want %q", got, list)
	}
}

// expectToken fails the test unless the next Connect saw this token.
func (s *server) expectToken(t *testing.T, want string, has bool) {
	t.Helper()
	if c := s.connects.expect(t); c.Token != want || c.HasToken != has {
		t.Fatalf("Connect saw the token %q (%v), want %q (%v)", c.Token, c.HasToken, want, has)
	}
}

func TestAuthToken(t *testing.T) {
	clauseWith(t, 58, "a token beside phoenix", tokens, func(t *testing.T, s *server) {
		for _, offer := range [][]string{{"phoenix", bearer("dG9r")}, {bearer("dG9r"), "phoenix"}} {
			expectSelected(t, s.dialWith(t, "", offering(offer...)), "phoenix")
			s.expectToken(t, "tok", true)
		}
	})
	clauseWith(t, 59, "standard Base64 without padding", tokens, func(t *testing.T, s *server) {
		for encoded, token := range map[string]string{
			"dA": "t", "dG8": "to", "dG9r": "tok", "+/+/": "\xfb\xff\xbf", "-_-_": "\xfb\xff\xbf", "dA==": "t", "": "",
		} {
			s.dialWith(t, "", offering("phoenix", bearer(encoded)))
			s.expectToken(t, token, true)
		}
		for _, encoded := range []string{"d", "dG9r!", "dA=", "=", "d\u00fc"} { // Phoenix answers 500, [§4.6]
			s.refused(t, "", offering("phoenix", bearer(encoded)), http.StatusForbidden)
		}
		s.connects.none(t)
	})
	clauseWith(t, 60, "phoenix alone is accepted", tokens, func(t *testing.T, s *server) {
		expectSelected(t, s.dialWith(t, "", offering("phoenix")), "phoenix")
		s.expectToken(t, "", false)
	})
	clauseWith(t, 61, "nothing offered is accepted", tokens, func(t *testing.T, s *server) {
		expectSelected(t, s.dial(t, ""), "")
		s.expectToken(t, "", false)
	})
	clauseWith(t, 62, "a token alone selects nothing", tokens, func(t *testing.T, s *server) {
		expectSelected(t, s.dialWith(t, "", offering(bearer("dG9r"))), "")
		s.expectToken(t, "tok", true)
	})
	clauseWith(t, 63, "two tokens are none", tokens, func(t *testing.T, s *server) {
		expectSelected(t, s.dialWith(t, "", offering(bearer("dG9r"), "phoenix", bearer("dG9s"))), "phoenix")
		s.expectToken(t, "", false)
	})
	clauseWith(t, 64, "an unknown protocol is refused", tokens, func(t *testing.T, s *server) {
		s.refused(t, "", offering("other"), http.StatusForbidden)
		s.refused(t, "", offering("other", bearer("dG9r")), http.StatusForbidden)
		s.connects.none(t)
		expectSelected(t, s.dialWith(t, "", offering("other", "phoenix")), "phoenix")
	})
	clauseWith(t, 64, "phoenix comes before configured protocols", func(c *roost.Config) {
		tokens(c)
		c.WebSocket.Subprotocols = []string{"own"}
	}, func(t *testing.T, s *server) {
		expectSelected(t, s.dialWith(t, "", offering("own", "phoenix")), "phoenix")
		expectSelected(t, s.dialWith(t, "", offering("own", bearer("dG9r"))), "own")
		s.refused(t, "", offering("other"), http.StatusForbidden)
	})
}
