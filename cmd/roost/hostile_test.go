package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/token"
)

// besieged is a server that asks for tokens and keys, what it keeps secret, and
// the honest client that it serves meanwhile.
type besieged struct {
	*served
	secret, key string
	tokens      *token.Keyring
	honest      *client.Conn
}

func besiege(t *testing.T, flags ...string) *besieged {
	t.Helper()
	b := &besieged{secret: newSecret(t), key: newSecret(t)}
	b.served = serveFor(t, append([]string{"-log", "debug", "-secret-file", secretsIn(t, b.secret), "-api-keys", secretsIn(t, newSecret(t), b.key)}, flags...)...)
	b.tokens = ring(t, b.secret, defaultSalt)
	b.honest = b.as(t, signed(t, b.tokens, "honest"))
	b.honest.Join(t, "room:1", "1", "")
	return b
}

func ring(t *testing.T, secret, salt string) *token.Keyring {
	t.Helper()
	k, err := token.New([]byte(secret), salt, token.Config{})
	must(t, err)
	return k
}

func signed(t *testing.T, k *token.Keyring, data any) string {
	t.Helper()
	made, err := k.Sign(data)
	must(t, err)
	return made
}

func encrypted(t *testing.T, k *token.Keyring, data any) string {
	t.Helper()
	made, err := k.Encrypt(data)
	must(t, err)
	return made
}

// swapped is a token whose first part names another algorithm than that of its
// signature, which an attacker may have made with what is known: nothing.
func swapped(good, algorithm string, sign func(input string) []byte) string {
	data := strings.Split(good, ".")[1]
	input := base64.RawURLEncoding.EncodeToString([]byte(algorithm)) + "." + data
	return input + "." + base64.RawURLEncoding.EncodeToString(sign(input))
}

// by signs with a key that everybody knows.
func by(key string) func(input string) []byte {
	return func(input string) []byte {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
}

func nothing(string) []byte { return nil }

// wrongTokens are what opens no socket, by what is wrong with it, and good's
// copies.
func (b *besieged) wrongTokens(t *testing.T) (good string, wrong map[string]string) {
	t.Helper()
	good = signed(t, b.tokens, "ada")
	hour := time.Hour
	return good, map[string]string{
		"none":             "",
		"no token":         "ada",
		"changed":          "A" + good[1:],
		"cut":              good[:len(good)-1],
		"cut in the data":  good[:len(good)/2],
		"no signature":     good[:strings.LastIndex(good, ".")+1],
		"longer":           good + "A",
		"a part more":      good + "." + good,
		"another secret":   signed(t, ring(t, newSecret(t), defaultSalt), "ada"),
		"another salt":     signed(t, ring(t, b.secret, "password reset"), "ada"),
		"expired":          signed(t, b.tokens.At(time.Now().Add(-25*hour)), "ada"),
		"of the future":    signed(t, b.tokens.At(time.Now().Add(hour)), "ada"),
		"huge":             strings.Repeat("A", 60_000),
		"encrypted":        encrypted(t, b.tokens, "ada"),
		"algorithm none":   swapped(good, "none", nothing),
		"a JWT without":    swapped(good, `{"alg":"none","typ":"JWT"}`, nothing),
		"HS512 as HS256":   swapped(good, "HS512", by("")),
		"an empty key":     swapped(good, "HS256", by("")),
		"the salt as key":  swapped(good, "HS256", by(defaultSalt)),
		"a digest only":    swapped(good, "HS512", func(in string) []byte { sum := sha512.Sum512([]byte(in)); return sum[:] }),
		"no user":          signed(t, b.tokens, ""),
		"a map of Elixir":  signed(t, b.tokens, map[string]any{"id": 1}),
		"an atom":          signed(t, b.tokens, token.Atom("admin")),
		"nothing, as data": signed(t, b.tokens, nil),
	}
}

const forbidden = `{"code":"unauthorized","reason":"unauthorized"}` + "\n"

func TestServeOpensNoSocketForForgedTokens(t *testing.T) {
	b := besiege(t)
	good, wrong := b.wrongTokens(t)
	for name, sent := range wrong {
		if body := client.Refused(t, b.socket("2.0.0")+"&token="+sent, client.Options{}, http.StatusForbidden); body != forbidden {
			t.Errorf("%s, as a parameter: the refusal says %q", name, body)
		}
		if len(sent) < 1000 {
			if body := client.Refused(t, b.socket("2.0.0"), offering(sent), http.StatusForbidden); body != forbidden {
				t.Errorf("%s, as a subprotocol: the refusal says %q", name, body)
			}
		}
		b.honest.ExpectQuiet(t)
	}
	for at := range good {
		client.Refused(t, b.socket("2.0.0")+"&token="+good[:at], client.Options{}, http.StatusForbidden)
	}
	for name, query := range map[string]string{
		"twice":     "&token=x&token=y",
		"a list":    "&token[]=" + good,
		"a map":     "&token[a]=" + good,
		"elsewhere": "&auth_token=" + good,
	} {
		if body := client.Refused(t, b.socket("2.0.0")+query, client.Options{}, http.StatusForbidden); body != forbidden {
			t.Errorf("%s: the refusal says %q", name, body)
		}
	}
	b.as(t, good).ExpectQuiet(t)
	b.honest.ExpectQuiet(t)
}

func TestTheLogSaysWhyATokenWasRefused(t *testing.T) {
	b := besiege(t)
	_, wrong := b.wrongTokens(t)
	for _, name := range []string{"none", "expired", "another salt", "an atom"} {
		client.Refused(t, b.socket("2.0.0")+"&token="+wrong[name], client.Options{}, http.StatusForbidden)
	}
	b.end(t)
	for _, why := range []string{"token: missing", "token: expired", "token: invalid", "holds a term.Atom"} {
		if !strings.Contains(b.problems.String(), why) {
			t.Errorf("it does not say %q:\n%s", why, b.problems)
		}
	}
}

// end stops the server, whose log is whole then.
func (b *besieged) end(t *testing.T) {
	t.Helper()
	b.stop()
	b.honest.ExpectClose(t, 1012)
	must(t, receive(t, b.ended, "end"))
}

func TestAPageOfAnotherOriginOpensNoSocketWithAToken(t *testing.T) { // cross-site WebSocket hijacking
	b := besiege(t)
	good := signed(t, b.tokens, "ada")
	for _, origin := range []string{"https://evil.example", "null", "http://localhost.evil.example"} {
		o := offering(good)
		o.Header = http.Header{"Origin": {origin}, "Cookie": {"token=" + good}}
		client.Refused(t, b.socket("2.0.0"), o, http.StatusForbidden)
		client.Refused(t, b.socket("2.0.0")+"&token="+good, client.Options{Header: o.Header}, http.StatusForbidden)
	}
	own := offering(good)
	own.Header = http.Header{"Origin": {"http://" + b.addr}}
	client.Open(t, b.socket("2.0.0"), own).ExpectQuiet(t)
	b.honest.ExpectQuiet(t)
}

func TestNobodyEndsTheConnectionsOfOthersByTheirID(t *testing.T) {
	b := besiege(t)
	attacker := b.as(t, signed(t, b.tokens, "mallory"))
	must(t, attacker.Push("1", "1", "user_socket:honest", "phx_join", ""))
	if got := string(attacker.ExpectReply(t, "1", "1", "user_socket:honest", "error")); !strings.Contains(got, "reserved") {
		t.Errorf("got %s", got)
	}
	must(t, attacker.Push("1", "2", "user_socket:honest", "disconnect", ""))
	attacker.ExpectReply(t, "", "2", "user_socket:honest", "error")
	attacker.Join(t, "room:1", "3", "")
	must(t, attacker.Push("3", "4", "room:1", "disconnect", ""))
	b.honest.Expect(t, `[null,null,"room:1","disconnect",{}]`)
	b.honest.ExpectQuiet(t)
}

// requests are what opens no API, by what is wrong with it.
func (b *besieged) requests() map[string]http.Header {
	return map[string]http.Header{
		"no key":             {},
		"an empty key":       {"Authorization": {"Bearer "}},
		"an empty header":    {"Authorization": {""}},
		"another key":        {"Authorization": {"Bearer " + strings.Repeat("k", len(b.key))}},
		"the key, cut":       {"Authorization": {"Bearer " + b.key[:len(b.key)-1]}},
		"the key, and more":  {"Authorization": {"Bearer " + b.key + "A"}},
		"the key, twice":     {"Authorization": {"Bearer " + b.key + "," + b.key}},
		"in other letters":   {"Authorization": {"Bearer " + strings.ToUpper(b.key)}},
		"two headers":        {"Authorization": {"Bearer " + b.key, "Bearer " + b.key}},
		"another scheme":     {"Authorization": {"Basic " + b.key}},
		"no scheme":          {"Authorization": {b.key}},
		"huge":               {"Authorization": {"Bearer " + strings.Repeat(b.key, 500)}},
		"the sockets' token": {"Authorization": {"Bearer " + b.secret}},
		"another header":     {"X-Api-Key": {b.key}},
	}
}

func TestTheAPIOpensToItsKeysOnly(t *testing.T) {
	b := besiege(t)
	for path, body := range map[string]string{"broadcast": `{"topic":"room:1","event":"shout"}`, "disconnect": `{"id":"honest"}`, "nothing": ""} {
		for name, header := range b.requests() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+b.addr+"/api/"+path, strings.NewReader(body))
			must(t, err)
			req.Header, req.Close = header.Clone(), true
			req.Header.Set("Content-Type", "application/json")
			resp, err := http.DefaultClient.Do(req)
			must(t, err)
			must(t, resp.Body.Close())
			challenge := resp.Header.Get("WWW-Authenticate")
			if resp.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(challenge, `Bearer realm="roost"`) {
				t.Errorf("%s: %s: got %d, challenge %q", path, name, resp.StatusCode, challenge)
			}
		}
	}
	if status, _ := do(t, http.MethodPost, "http://"+b.addr+"/api/broadcast?key="+b.key, asJSON, `{"topic":"room:1","event":"shout"}`); status != http.StatusUnauthorized {
		t.Errorf("a key in the address: got %d", status)
	}
	b.honest.ExpectQuiet(t)
	for _, scheme := range []string{"Bearer ", "bearer  "} {
		if status, body := b.publish(t, with(asJSON, "Authorization", scheme+b.key), `{"topic":"room:1","event":"shout"}`); status != http.StatusOK {
			t.Errorf("%s: got %d %s", scheme, status, body)
		}
		b.honest.Expect(t, `[null,null,"room:1","shout",{}]`)
	}
}

func TestNeitherTokensNorKeysAreLogged(t *testing.T) {
	b := besiege(t)
	good, wrong := b.wrongTokens(t)
	mine := b.as(t, good)
	mine.Join(t, "room:2", "1", `{"token":"`+good+`"}`)
	mine.Drop()
	mine = client.Open(t, b.socket("2.0.0"), offering(good))
	mine.ExpectQuiet(t)
	mine.Drop()
	hidden := map[string]string{
		"the secret": b.secret, "the key": b.key, "the token": good, "the token, encoded": offered(good), "the signature": good[strings.LastIndex(good, ".")+1:],
	}
	for _, name := range []string{"changed", "another secret", "expired", "algorithm none"} {
		client.Refused(t, b.socket("2.0.0")+"&token="+wrong[name], client.Options{}, http.StatusForbidden)
		client.Refused(t, b.socket("2.0.0"), offering(wrong[name]), http.StatusForbidden)
		hidden["a token: "+name] = strings.Split(wrong[name], ".")[1]
	}
	client.Refused(t, b.socket("2.0.0"), client.Options{Subprotocols: []string{"phoenix", "base64url.bearer.phx.*" + offered(good)}}, http.StatusForbidden)
	for _, header := range []http.Header{{"Authorization": {"Bearer " + b.key}}, {"Authorization": {"Bearer " + b.key[1:]}}} {
		b.publish(t, with(header, "Content-Type", "application/json"), `{"topic":"room:2","event":"shout"}`)
	}
	hidden["a wrong key"] = b.key[1:]
	b.end(t)
	log := b.problems.String()
	if !strings.Contains(log, "socket_connected") || !strings.Contains(log, "channel_joined") {
		t.Fatalf("the log is not whole:\n%s", log)
	}
	for name, text := range hidden {
		if strings.Contains(log, text) || strings.Contains(b.greeting, text) {
			t.Errorf("%s is in what the server says:\n%s%s", name, b.greeting, log)
		}
	}
}
