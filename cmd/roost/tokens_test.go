package main

import (
	"encoding/base64"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/token"
)

// offered is a token as it stands in a subprotocol.
func offered(token string) string { return base64.RawStdEncoding.EncodeToString([]byte(token)) }

// offering is how phoenix.js sends its authToken.
func offering(token string) client.Options {
	return client.Options{Subprotocols: []string{"phoenix", "base64url.bearer.phx." + offered(token)}}
}

func TestATokenLetsItsUserInWhicheverWayItIsSent(t *testing.T) {
	s, signed := asking(t)
	good := signed("ada")
	s.as(t, good).Join(t, "room:1", "1", "")
	client.Open(t, s.socket("2.0.0"), offering(good)).Join(t, "room:1", "1", "")
	client.Open(t, s.socket("2.0.0")+"&token="+good, offering("")).ExpectQuiet(t)
	client.Refused(t, s.socket("2.0.0")+"&token="+good, offering("no token"), http.StatusForbidden)
	client.Refused(t, s.socket("2.0.0"), client.Options{}, http.StatusForbidden)
}

func TestOlderSecretsAreStillAccepted(t *testing.T) {
	before, now := newSecret(t), newSecret(t)
	out, _, err := told(t, "token", "-secret-file", secretsIn(t, before), "ada")
	must(t, err)
	s := serveFor(t, "-secret-file", secretsIn(t, now, "# until all their tokens have expired:", before))
	s.as(t, out[:len(out)-1]).ExpectQuiet(t)
}

func TestTheAgeOfATokenIsItsOwnUnlessTheFlagSaysOtherwise(t *testing.T) {
	secret := newSecret(t)
	file := secretsIn(t, secret)
	keys, err := token.New([]byte(secret), defaultSalt, token.Config{MaxAge: time.Hour})
	must(t, err)
	old, err := keys.At(time.Now().Add(-2 * time.Hour)).Sign(42)
	must(t, err)
	for _, c := range []struct {
		flags   []string
		allowed bool
	}{{nil, false}, {[]string{"-token-max-age", "3h"}, true}, {[]string{"-token-max-age", "90m"}, false}} {
		s := serveFor(t, append([]string{"-secret-file", file}, c.flags...)...)
		if c.allowed {
			s.as(t, old).ExpectQuiet(t)
			continue
		}
		client.Refused(t, s.socket("2.0.0")+"&token="+old, client.Options{}, http.StatusForbidden)
	}
}

func TestUsersAreStringsOrIntegers(t *testing.T) {
	for _, c := range []struct {
		who any
		id  string
		ok  bool
	}{
		{"ada", "ada", true},
		{int64(-7), "-7", true},
		{new(big.Int).Lsh(big.NewInt(1), 64), "18446744073709551616", true},
		{"", "", false},
		{nil, "", false},
		{true, "", false},
		{4.2, "", false},
		{token.Atom("admin"), "", false},
		{map[string]any{"id": 1}, "", false},
	} {
		if id, ok := userID(c.who); id != c.id || ok != c.ok {
			t.Errorf("%#v: got %q, %v", c.who, id, ok)
		}
	}
}

func TestThePlaygroundAsksForWhatIsNeeded(t *testing.T) {
	asked, _ := asking(t, "-api-keys", secretsIn(t, newSecret(t)))
	for s, want := range map[*served]bool{asked: true, serveFor(t): false} {
		_, page := s.get(t, "/")
		if strings.Contains(page, "data-needs-token") != want || strings.Contains(page, "data-needs-key") != want {
			t.Errorf("it asks: want %v", want)
		}
	}
}
