package hostile

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/token"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// guarded builds a fort whose clients need a token.
func guarded(t *testing.T, keys *token.Keyring) *fort {
	t.Helper()
	pages, err := transport.OriginList("https://app.example.com", "//*.pages.example")
	if err != nil {
		t.Fatal(err)
	}
	f := &fort{Endpoint: endpoint(roost.Config{
		CheckOrigin: pages,
		Connect: func(_ context.Context, c *roost.Connect) error {
			if c.Params["token"] == "open sesame" { // the honest client's
				return nil
			}
			sent, _ := c.Params["token"].(string)
			return keys.Verify(sent, time.Hour, nil)
		},
	})}
	server := httptest.NewServer(f)
	f.address, f.close, f.query = server.Listener.Addr().String(), server.Close, "&token=open+sesame"
	f.settle(t)
	f.query = ""
	return f
}

func TestForgedAndExpiredTokensOpenNoSocket(t *testing.T) {
	keys, others := keyring(t, "user socket"), keyring(t, "password reset")
	f := guarded(t, keys)
	good := signed(t, keys)
	for name, sent := range map[string]string{
		"none": "", "no token": "ada", "changed": "A" + good[1:], "cut": good[:len(good)-1], "longer": good + "A",
		"made for something else": signed(t, others), "expired": signed(t, keys.At(time.Now().Add(-2*time.Hour))),
		"of the future": signed(t, keys.At(time.Now().Add(2*time.Hour))), "huge": repeat("A", 60_000),
	} {
		if body := client.Refused(t, f.url("2.0.0")+"&token="+sent, client.Options{}, http.StatusForbidden); body != "" {
			t.Errorf("%s: the refusal says %q", name, body)
		}
		f.stands(t)
	}
	client.Open(t, f.url("2.0.0")+"&token="+good, client.Options{}).Abort()
	f.stands(t)
}

func TestPagesOfOtherOriginsOpenNoSocket(t *testing.T) {
	f := guarded(t, keyring(t, "user socket"))
	for _, origin := range []string{
		"https://evil.example", "null", "", "http://app.example.com", "https://app.example.com.evil.example", "https://app.example.com:8443",
		"https://evil-pages.example", "https://evilpages.example", "https://pages.example.evil.example", "https://app.example.com@evil.example",
	} {
		o := client.Options{Header: http.Header{"Origin": {origin}, "Cookie": {"session=the user's"}}}
		if body := client.Refused(t, f.url("2.0.0")+"&token=open+sesame", o, http.StatusForbidden); body != "" {
			t.Errorf("%s: the refusal says %q", origin, body)
		}
	}
	for _, origin := range []string{"https://app.example.com", "https://pages.example", "http://a.pages.example"} {
		client.Open(t, f.url("2.0.0")+"&token=open+sesame", client.Options{Header: http.Header{"Origin": {origin}}}).Abort()
	}
	f.stands(t)
}

// A request may name a scheme in its first line, and in headers of proxies;
// whether there is TLS, the connection says.
func TestTheSchemeIsThatOfTheConnectionWhateverARequestSays(t *testing.T) {
	onEachDoor(t, func(t *testing.T, secure *roost.TLS) {
		seen := make(chan string, 4)
		e := endpoint(roost.Config{CheckOrigin: transport.SameConn(), Connect: func(_ context.Context, c *roost.Connect) error {
			if c.Params["attacker"] != nil {
				seen <- c.Info().URI.Scheme
			}
			return nil
		}})
		f := behind(t, &roost.Server{Endpoint: e, TLS: secure}, websocket.Config{})
		is, claimed := "http", "https"
		if secure != nil {
			is, claimed = claimed, is
		}
		for header, want := range map[string]int{
			"":                                       http.StatusSwitchingProtocols,
			"X-Forwarded-Proto: " + claimed + "\r\n": http.StatusSwitchingProtocols,
			"Origin: " + is + "://bank.example\r\n":  http.StatusSwitchingProtocols,
			"Origin: " + claimed + "://bank.example\r\n": http.StatusForbidden,
		} {
			request := "GET " + claimed + "://bank.example/socket/websocket?vsn=2.0.0&attacker=1 HTTP/1.1\r\n" + header + upgrade + "\r\n"
			got := f.status(t, request)
			if got != want {
				t.Errorf("%q: got %d, want %d", header, got, want)
			}
			if got != http.StatusSwitchingProtocols {
				continue
			}
			if scheme := <-seen; scheme != is {
				t.Errorf("%q: Connect sees %s", header, scheme)
			}
		}
		f.stands(t)
	})
}

func keyring(t *testing.T, salt string) *token.Keyring {
	t.Helper()
	k, err := token.New([]byte("a secret that nobody but this test knows"), salt, token.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signed(t *testing.T, k *token.Keyring) string {
	t.Helper()
	made, err := k.Sign("ada")
	if err != nil {
		t.Fatal(err)
	}
	return made
}
