package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
)

// with is a handshake whose header differs; nil leaves the line out.
func with(name string, values ...string) client.Options {
	return client.Options{Header: http.Header{name: values}}
}

// plain is a GET that asks for no upgrade.
func plain() client.Options {
	return client.Options{Header: http.Header{
		"Connection": nil, "Upgrade": nil, "Sec-Websocket-Key": nil, "Sec-Websocket-Version": nil,
	}}
}

// errBanned refuses with a reason.
var errBanned = errors.New("conformance: banned")

// deciding makes configurations whose Connect returns an error.
func deciding(err error) func(*roost.Config) {
	return func(c *roost.Config) { c.Connect = func(context.Context, *roost.Connect) error { return err } }
}

// explaining adds an error handler that is easily recognised.
func explaining(next func(*roost.Config)) func(*roost.Config) {
	return func(c *roost.Config) {
		next(c)
		c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err error) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = fmt.Fprint(w, r.URL.Query().Get("who"), ": ", err) // to a test
		}
	}
}

// expectEmpty fails the test unless the handshake is refused with a status and without a body.
func (s *server) expectEmpty(t *testing.T, query string, o client.Options, status int) {
	t.Helper()
	if body := s.refused(t, query, o, status); body != "" {
		t.Fatalf("got the body %q, want none", body)
	}
}

// expectNamed fails the test unless the answer is 400 with a text that names a header.
func (s *server) expectNamed(t *testing.T, o client.Options, header string) {
	t.Helper()
	if body := s.refused(t, "vsn=2.0.0", o, http.StatusBadRequest); !strings.Contains(body, "'"+header+"' header") {
		t.Fatalf("got the body %q, want one that names %s", body, header)
	}
}

func TestMethod(t *testing.T) {
	clause(t, 67, "only GET", func(t *testing.T, s *server) {
		for _, method := range []string{"POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "get"} {
			s.expectEmpty(t, "vsn=2.0.0", client.Options{Method: method}, http.StatusBadRequest)
		}
		s.connects.none(t)
	})
}

func TestUpgradeRequest(t *testing.T) {
	clause(t, 68, "a plain GET is told what is missing", func(t *testing.T, s *server) {
		s.expectNamed(t, plain(), "connection")
		s.expectNamed(t, with("Connection", "keep-alive"), "connection")
		s.expectNamed(t, with("Upgrade", "h2c"), "upgrade")
	})
	clause(t, 70, "a key is needed", func(t *testing.T, s *server) {
		s.expectNamed(t, with("Sec-Websocket-Key"), "sec-websocket-key")
		s.expectNamed(t, with("Sec-Websocket-Key", "short"), "sec-websocket-key")
	})
	clause(t, 71, "version 13 is needed", func(t *testing.T, s *server) {
		s.expectNamed(t, with("Sec-Websocket-Version"), "sec-websocket-version")
		s.expectNamed(t, with("Sec-Websocket-Version", "8"), "sec-websocket-version")
		s.expectNamed(t, with("Sec-Websocket-Version", "13", "8"), "sec-websocket-version")
	})
	clause(t, 72, "case and company do not matter", func(t *testing.T, s *server) {
		s.dialWith(t, "", with("Connection", "keep-alive, Upgrade"))
		s.dialWith(t, "", with("Connection", "keep-alive", "UPGRADE"))
		s.dialWith(t, "", with("Upgrade", "WebSocket"))
		s.dialWith(t, "", with("Upgrade", "h2c, websocket"))
	})
	clause(t, 72, "the answer is a handshake", func(t *testing.T, s *server) {
		c := s.open(t) // the client has checked status and key
		h := c.Response.Header
		if !strings.EqualFold(h.Get("Upgrade"), "websocket") || !strings.EqualFold(h.Get("Connection"), "upgrade") {
			t.Fatalf("got the header %v", h)
		}
	})
	clause(t, 72, "what comes with the request is not lost", func(t *testing.T, s *server) {
		heartbeat := []byte(`[null,"1","phoenix","heartbeat",{}]`)
		early := frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{1, 2, 3, 4}, heartbeat)
		c := s.dialWith(t, "vsn=2.0.0", client.Options{Early: early})
		c.Expect(t, `[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]`)
	})
}

func TestOrderOfTheChecks(t *testing.T) {
	clause(t, 69, "a plain GET runs Connect", func(t *testing.T, s *server) {
		s.refused(t, "vsn=2.0.0", plain(), http.StatusBadRequest)
		s.connects.expect(t)
		s.logs.expect(t, "socket_connected", "result", "ok")
		s.expectEmpty(t, "vsn=9.0.0", plain(), http.StatusForbidden)
		s.connects.none(t)
	})
	clauseWith(t, 69, "a refused plain GET is 403", deciding(roost.ErrRefused), func(t *testing.T, s *server) {
		s.expectEmpty(t, "vsn=2.0.0", plain(), http.StatusForbidden)
		s.connects.expect(t)
	})
	// [§5.1]: each request fails at its own step and at all later ones.
	clauseWith(t, 69, "the first failing step answers", func(c *roost.Config) {
		tokens(c)
		explaining(deciding(errBanned))(c)
	}, func(t *testing.T, s *server) {
		o := plain()
		o.Method = "POST"
		o.Header["Origin"] = []string{"http://evil.org"}
		o.Header["Sec-Websocket-Protocol"] = []string{"other, " + bearer("!")}
		s.expectEmpty(t, "vsn=9.0.0&a=%ff", o, http.StatusBadRequest) // the method
		o.Method = ""
		s.refused(t, "vsn=9.0.0&a=%ff", o, http.StatusBadRequest) // the query
		for i, check := range []string{"origin", "auth token", "subprotocol", "version"} {
			s.expectEmpty(t, "vsn=9.0.0", o, http.StatusForbidden)
			s.logs.expect(t, "connect_refused", "check", check)
			if n := s.logs.count("connect_refused"); n != i+1 {
				t.Fatalf("%d refusals are logged after that by %s, want %d", n, check, i+1)
			}
			switch check { // mended, and the next one is to be found
			case "origin":
				delete(o.Header, "Origin")
			case "auth token":
				o.Header["Sec-Websocket-Protocol"] = []string{"other"}
			case "subprotocol":
				delete(o.Header, "Sec-Websocket-Protocol")
			}
		}
		s.connects.none(t)
		s.refused(t, "vsn=2.0.0", o, http.StatusTooManyRequests) // Connect
		s.connects.expect(t)
	})
}

func TestRefusedConnect(t *testing.T) {
	clauseWith(t, 73, "without a reason", explaining(deciding(roost.ErrRefused)), func(t *testing.T, s *server) {
		s.expectEmpty(t, "vsn=2.0.0", client.Options{}, http.StatusForbidden)
	})
	clauseWith(t, 73, "without a reason, wrapped", explaining(deciding(fmt.Errorf("a guest: %w", roost.ErrRefused))), func(t *testing.T, s *server) {
		s.expectEmpty(t, "vsn=2.0.0", client.Options{}, http.StatusForbidden)
	})
	clauseWith(t, 74, "with a reason", explaining(deciding(errBanned)), func(t *testing.T, s *server) {
		c, resp, err := client.Dial(t.Context(), s.URL+"?who=ada", client.Options{})
		if err == nil {
			c.Drop()
			t.Fatal("it was accepted")
		}
		if resp == nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "7" {
			t.Fatalf("got %v, %v, want what the error handler said", resp, err)
		}
		if body := s.refused(t, "who=ada", client.Options{}, http.StatusTooManyRequests); body != "ada: "+errBanned.Error() {
			t.Fatalf("got the body %q", body)
		}
	})
	clauseWith(t, 75, "with a reason and no handler", deciding(errBanned), func(t *testing.T, s *server) {
		s.expectEmpty(t, "vsn=2.0.0", client.Options{}, http.StatusForbidden)
	})
	clauseWith(t, 76, "a Connect that panics", func(c *roost.Config) {
		c.Connect = func(context.Context, *roost.Connect) error { panic("oh no") }
	}, func(t *testing.T, s *server) {
		s.expectEmpty(t, "vsn=2.0.0", client.Options{}, http.StatusInternalServerError)
		s.logs.expect(t, "connect_crashed", "panic", "oh no")
		s.expectLogged(t, 0, "socket_connected")
	})
}

func TestSubprotocols(t *testing.T) {
	speaking := func(protocols ...string) func(*roost.Config) {
		return func(c *roost.Config) { c.WebSocket.Subprotocols = protocols }
	}
	clauseWith(t, 78, "the server's order decides", speaking("best", "good"), func(t *testing.T, s *server) {
		expectSelected(t, s.dialWith(t, "", offering("bad", "good", "best")), "best")
		expectSelected(t, s.dialWith(t, "", offering("good", "bad")), "good")
	})
	clauseWith(t, 79, "nothing in common", speaking("best", "good"), func(t *testing.T, s *server) {
		s.expectEmpty(t, "", offering("bad", "Best"), http.StatusForbidden)
		s.connects.none(t)
	})
	clauseWith(t, 80, "nothing offered", speaking("best"), func(t *testing.T, s *server) {
		expectSelected(t, s.dial(t, ""), "")
	})
	clause(t, 81, "nothing configured", func(t *testing.T, s *server) {
		expectSelected(t, s.dialWith(t, "", offering("phoenix", bearer("dG9r"))), "")
		s.expectToken(t, "", false)
	})
	clause(t, 83, "no header without negotiation", func(t *testing.T, s *server) {
		expectSelected(t, s.open(t), "")
		expectSelected(t, s.another(t, tokens).open(t), "")
		expectSelected(t, s.another(t, speaking("best")).open(t), "")
	})
}

func TestCompression(t *testing.T) {
	compressing := func(c *roost.Config) { c.WebSocket.Compress = true }
	clause(t, 82, "is not acknowledged when it is off", func(t *testing.T, s *server) {
		c := s.dialWith(t, "vsn=2.0.0", client.Options{Deflate: true})
		if got := c.Response.Header.Values("Sec-WebSocket-Extensions"); len(got) > 0 {
			t.Fatalf("got the extensions %q, want none", got)
		}
		c.ExpectQuiet(t)
	})
	clauseWith(t, 82, "is acknowledged when it is on and offered", compressing, func(t *testing.T, s *server) {
		if got := s.open(t).Response.Header.Values("Sec-WebSocket-Extensions"); len(got) > 0 {
			t.Fatalf("got the extensions %q, and offered none", got)
		}
		c := s.dialWith(t, "vsn=2.0.0", client.Options{Deflate: true})
		if got := c.Response.Header.Get("Sec-WebSocket-Extensions"); !strings.HasPrefix(got, "permessage-deflate") {
			t.Fatalf("got the extensions %q, want permessage-deflate", got)
		}
		c.Join(t, "room:1", "1", "")
		text := strings.Repeat("compressible ", 100)
		must(t, c.SendDeflated(frame.Text, fmt.Appendf(nil, `["1","2","room:1","echo",{"t":%q}]`, text)))
		m := c.Next(t)
		want := fmt.Sprintf(`["1","2","room:1","phx_reply",{"status":"ok","response":{"t":%q}}]`, text)
		if !m.Deflated || !client.SameJSON(t, string(m.Payload), want) {
			t.Fatalf("got %v (compressed: %v)", m, m.Deflated)
		}
	})
}
