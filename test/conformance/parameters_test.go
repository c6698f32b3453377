package conformance

import (
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/wire"
)

// expectParams fails the test unless the next Connect saw exactly these.
func expectParams(t *testing.T, s *server, want roost.Params) {
	t.Helper()
	if got := s.connects.expect(t).Params; !reflect.DeepEqual(got, want) {
		t.Fatalf("Connect saw %v, want %v", got, want)
	}
}

// expectV1 and expectV2 fail the test unless the server speaks that version.
func expectV1(t *testing.T, c *client.Conn) {
	t.Helper()
	must(t, c.SendText(`{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}`))
	c.Expect(t, `{"topic":"phoenix","event":"phx_reply","ref":"1","payload":{"status":"ok","response":{}}}`)
}

func expectV2(t *testing.T, c *client.Conn) {
	t.Helper()
	c.ExpectQuiet(t)
}

// expectRefusedVersions fails the test unless each of these queries is answered 403 without a body.
func (s *server) expectRefusedVersions(t *testing.T, queries ...string) {
	t.Helper()
	for _, q := range queries {
		if body := s.refused(t, q, client.Options{}, http.StatusForbidden); body != "" {
			t.Errorf("%s: got the body %q, want none", q, body)
		}
	}
}

func TestVersionNegotiation(t *testing.T) {
	clause(t, 17, "without vsn it is V1", func(t *testing.T, s *server) {
		expectV1(t, s.dial(t, ""))
		expectV1(t, s.dial(t, "a=1"))
	})
	clause(t, 18, "patch versions do not matter", func(t *testing.T, s *server) {
		expectV1(t, s.dial(t, "vsn=1.0.0"))
		expectV1(t, s.dial(t, "vsn=1.0.5"))
		for _, vsn := range []string{"2.0.0", "2.0.1", "2.0.9", "2.0.0%2Bbuild", "2.0.1-rc.1"} {
			expectV2(t, s.dial(t, "vsn="+vsn))
		}
	})
	clause(t, 19, "other versions are refused", func(t *testing.T, s *server) {
		s.expectRefusedVersions(t, "vsn=2.1.0", "vsn=1.1.0", "vsn=3.0.0", "vsn=2.0.0-rc.1", "vsn=123.1.1")
	})
	clause(t, 20, "what is no version is refused", func(t *testing.T, s *server) {
		s.expectRefusedVersions(t, "vsn=2.0", "vsn=2", "vsn=abc", "vsn=", "vsn", "vsn=%202.0.0", "vsn=+2.0.0", "vsn=02.0.0",
			"vsn=2.0.0%20", "vsn=v2.0.0", "vsn="+strings.Repeat("2", 1000))
	})
	clause(t, 21, "a vsn that is no string is refused", func(t *testing.T, s *server) {
		s.expectRefusedVersions(t, "vsn[]=2.0.0", "vsn[a]=2.0.0", "vsn%5B%5D=2.0.0")
	})
}

func TestRefusedVersion(t *testing.T) {
	clauseWith(t, 22, "nobody is asked about a refused version", func(c *roost.Config) {
		c.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusTeapot) }
	}, func(t *testing.T, s *server) {
		s.expectRefusedVersions(t, "vsn=3.0.0", "vsn=abc", "vsn[]=2.0.0")
		s.connects.none(t)
		s.expectLogged(t, 0, "socket_connected")
	})
	clause(t, 23, "a refused version is logged", func(t *testing.T, s *server) {
		for query, vsn := range map[string]string{"vsn=3.0.7": "3.0.7", "vsn=abc": "abc"} {
			s.expectRefusedVersions(t, query)
			s.expectWarning(t, "connect_refused", vsn, "check", "version")
		}
	})
}

// expectWarning waits for a warning with these attributes whose error has a text in it.
func (s *server) expectWarning(t *testing.T, name, text string, attrs ...string) {
	t.Helper()
	r := s.logs.expectError(t, name, text, attrs...)
	if r.Level != slog.LevelWarn {
		t.Fatalf("got %v, want a warning", r)
	}
}

func TestOwnSerializers(t *testing.T) {
	versions, err := wire.ParseVersions(
		wire.Rule{Requirement: "~> 2.0", Serializer: wire.V1()},
		wire.Rule{Requirement: "~> 2.0.0", Serializer: wire.V2()},
		wire.Rule{Requirement: ">= 3.0.0 and < 4.0.0", Serializer: wire.V2()},
	)
	must(t, err)
	clauseWith(t, 24, "the first requirement that matches wins", func(c *roost.Config) { c.Versions = versions }, func(t *testing.T, s *server) {
		expectV1(t, s.dial(t, "vsn=2.0.0"))
		expectV1(t, s.dial(t, "vsn=2.7.1"))
		expectV2(t, s.dial(t, "vsn=3.9.0"))
		s.expectRefusedVersions(t, "vsn=1.0.0", "vsn=4.0.0", "")
	})
}

func TestConnectParameters(t *testing.T) {
	clause(t, 25, "brackets make maps and lists", func(t *testing.T, s *server) {
		for _, query := range []string{"a[b]=1&c[]=1&c[]=2", "a%5Bb%5D=1&c%5B%5D=1&c%5B%5D=2"} {
			s.dial(t, query)
			expectParams(t, s, roost.Params{"a": roost.Params{"b": "1"}, "c": []any{"1", "2"}})
		}
		s.dial(t, "a[b][c][]=1&a[b][d]=2")
		expectParams(t, s, roost.Params{"a": roost.Params{"b": roost.Params{"c": []any{"1"}, "d": "2"}}})
	})
	clause(t, 26, "numbers in brackets make a map", func(t *testing.T, s *server) {
		s.dial(t, "l[0]=x&l[1]=y")
		expectParams(t, s, roost.Params{"l": roost.Params{"0": "x", "1": "y"}})
	})
	clause(t, 27, "a trailing ampersand is accepted", func(t *testing.T, s *server) {
		s.dial(t, "vsn=2.0.0&")
		expectParams(t, s, roost.Params{"vsn": "2.0.0"})
	})
	clause(t, 28, "a query that is not UTF-8 is refused", func(t *testing.T, s *server) {
		for _, query := range []string{"a=%ff", "%ff=a", "a=1&b=%c3%28", "a[%ff]=1", "a=%ed%a0%80"} {
			s.refused(t, query, client.Options{}, http.StatusBadRequest)
		}
		s.connects.none(t)
		s.dial(t, "a=%zz&b=%c3%bc&c=%4")
		expectParams(t, s, roost.Params{"a": "%zz", "b": "ü", "c": "%4"})
	})
	clause(t, 29, "Connect sees all parameters", func(t *testing.T, s *server) {
		s.dial(t, "vsn=2.0.0&token=s3cret&q=a+b%26c&flag&empty=")
		expectParams(t, s, roost.Params{"vsn": "2.0.0", "token": "s3cret", "q": "a b&c", "flag": "", "empty": ""})
	})
}
