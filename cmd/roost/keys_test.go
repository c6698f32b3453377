package main

import (
	"crypto/subtle"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestEveryKeyIsComparedWhicheverItIs(t *testing.T) {
	texts := []string{newSecret(t), newSecret(t), newSecret(t)}
	keys, _, err := readKeys(secretsIn(t, texts...))
	must(t, err)
	for name, sent := range map[string]string{
		"first": texts[0], "second": texts[1], "last": texts[2], "none": newSecret(t), "empty": "", "a part": texts[0][:40], "long": strings.Repeat(texts[0], 99),
	} {
		compared := 0
		opened := keys.open(sent, func(x, y []byte) int {
			if compared++; len(x) != 32 || len(y) != 32 {
				t.Errorf("%s: %d bytes are compared with %d, which takes no time", name, len(x), len(y))
			}
			return subtle.ConstantTimeCompare(x, y)
		})
		known := name == "first" || name == "second" || name == "last"
		if compared != len(keys) || opened != known {
			t.Errorf("%s: %d comparisons, opened %v", name, compared, opened)
		}
	}
}

func TestKeysThatCanBeGuessedOrNotSentAreRefused(t *testing.T) {
	for want, line := range map[string]string{
		"line 2 of FILE has 31 bytes, fewer than 32": strings.Repeat("k", 31),
		"line 2 of FILE cannot stand in a header":    strings.Repeat("ö", 32),
		"without blanks": strings.Repeat("two words ", 4),
	} {
		file := secretsIn(t, newSecret(t), line)
		_, _, err := readKeys(file)
		if err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(want, "FILE", file)) || strings.Contains(err.Error(), line) {
			t.Errorf("got %v, want %q and not the key", err, want)
		}
	}
}

func TestTheAPIIsClosedToTheNetworkWithoutKeys(t *testing.T) {
	key := newSecret(t)
	keys, _, err := readKeys(secretsIn(t, key))
	must(t, err)
	held := new(atomic.Pointer[apiKeys])
	held.Store(&keys)
	shown, proxied := http.Header{"Authorization": {"Bearer " + key}}, http.Header{"X-Forwarded-For": {"192.0.2.1"}}
	for _, c := range []struct {
		name   string
		gate   gate
		header http.Header
		status int
	}{
		{"this machine", gate{}, nil, http.StatusOK},
		{"a proxy on this machine that nobody told us of", gate{}, proxied, http.StatusForbidden},
		{"the network", gate{network: true}, nil, http.StatusForbidden},
		{"the network, for those who insist", gate{network: true, insecure: true}, proxied, http.StatusOK},
		{"this machine, where there are keys", gate{keys: held}, nil, http.StatusUnauthorized},
		{"those who insist, where there are keys", gate{keys: held, network: true, insecure: true}, nil, http.StatusUnauthorized},
		{"a key", gate{keys: held, network: true}, shown, http.StatusOK},
		{"a key that nobody asked for", gate{}, shown, http.StatusOK},
	} {
		r := httptest.NewRequest(http.MethodPost, "/api/broadcast", nil)
		r.Header = c.header.Clone()
		rec := httptest.NewRecorder()
		c.gate.before(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(rec, r)
		if rec.Code != c.status || c.status == http.StatusForbidden && !strings.Contains(rec.Body.String(), "-api-keys FILE") {
			t.Errorf("%s: got %d %s", c.name, rec.Code, rec.Body)
		}
	}
}

func TestAServerBehindAProxyIsOnTheNetwork(t *testing.T) {
	s := serveFor(t, "-trusted-proxies", "10.0.0.0/8")
	if !strings.Contains(s.greeting, "Nobody can publish") {
		t.Errorf("got %s", s.greeting)
	}
	if status, body := s.publish(t, asJSON, `{"topic":"room:1","event":"e"}`); status != http.StatusForbidden || !strings.Contains(body, "the API is closed") {
		t.Errorf("got %d %s", status, body)
	}
}

func TestThoseWhoInsistOpenTheAPI(t *testing.T) {
	s := serveFor(t, "-trusted-proxies", "10.0.0.0/8", "-insecure")
	if status, body := s.publish(t, asJSON, `{"topic":"room:1","event":"e"}`); status != http.StatusOK {
		t.Errorf("got %d %s", status, body)
	}
}
