package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

var asJSON = http.Header{"Content-Type": {"application/json"}}

// publish posts a body to the API.
func (s *served) publish(t *testing.T, header http.Header, body string) (int, string) {
	t.Helper()
	return do(t, http.MethodPost, "http://"+s.addr+"/api/broadcast", header, body)
}

// subscriber is a client that has joined room:1.
func (s *served) subscriber(t *testing.T) *client.Conn {
	t.Helper()
	c := s.open(t, "2.0.0", nil)
	c.Join(t, "room:1", "1", "")
	return c
}

func TestAPublicationReachesTheTopicsSubscribers(t *testing.T) {
	s := serveFor(t)
	c := s.subscriber(t)
	for _, ok := range []struct{ body, payload string }{
		{`{"topic":"room:1","event":"shout","payload":{"body":"hello"}}`, `{"body":"hello"}`},
		{`{"topic":"room:1","event":"shout","payload":{}}`, `{}`},
		{`{"topic":"room:1","event":"shout","payload":null}`, `{}`},
		{`{"topic":"room:1","event":"shout"}`, `{}`},
		{` {"event":"shout" , "topic":"room:1","payload":{"ü":"\u00fc\ud83d\udc26","n":1.50}} `, `{"ü":"ü🐦","n":1.50}`},
	} {
		if status, body := s.publish(t, asJSON, ok.body); status != http.StatusOK || body != `{"status":"ok"}`+"\n" {
			t.Errorf("%s: got %d %s", ok.body, status, body)
		}
		c.Expect(t, `[null,null,"room:1","shout",`+ok.payload+`]`)
	}
	if status, _ := s.publish(t, http.Header{"Content-Type": {"Application/JSON; charset=utf-8"}}, `{"topic":"room:2","event":"e"}`); status != http.StatusOK {
		t.Errorf("a topic without subscribers: got %d", status)
	}
	c.ExpectQuiet(t)
}

func TestABadPublicationIsRefusedWithAReasonAndReachesNobody(t *testing.T) {
	s := serveFor(t)
	c := s.subscriber(t)
	long := `{"topic":"room:1","event":"shout","payload":{"body":"` + strings.Repeat("x", maxBody) + `"}}`
	good := `{"topic":"room:1","event":"shout","payload":{}}`
	for _, bad := range []struct {
		name   string
		header http.Header
		body   string
		status int
		reason string
	}{
		{"no content type", nil, good, http.StatusUnsupportedMediaType, "content-type: application/json"},
		{"a form", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, good, http.StatusUnsupportedMediaType, "content-type: application/json"},
		{"what a foreign page may send unasked", http.Header{"Content-Type": {"text/plain"}}, good, http.StatusUnsupportedMediaType, "content-type: application/json"},
		{"a foreign page, by its fetch metadata", with(asJSON, "Sec-Fetch-Site", "cross-site"), good, http.StatusForbidden, ""},
		{"a foreign page, by its origin", with(asJSON, "Origin", "https://evil.example"), good, http.StatusForbidden, ""},
		{"too large", asJSON, long, http.StatusRequestEntityTooLarge, "over 1048576 bytes"},
		{"nothing", asJSON, "", http.StatusBadRequest, `the body is not {"topic"`},
		{"no JSON", asJSON, `{"topic":`, http.StatusBadRequest, `the body is not {"topic"`},
		{"JSON and more", asJSON, good + good, http.StatusBadRequest, `the body is not {"topic"`},
		{"an array", asJSON, `["room:1","shout",{}]`, http.StatusBadRequest, `the body is not {"topic"`},
		{"a topic that is none", asJSON, `{"topic":1,"event":"shout"}`, http.StatusBadRequest, `the body is not {"topic"`},
		{"no topic", asJSON, `{"event":"shout"}`, http.StatusBadRequest, `"topic" is missing`},
		{"an empty topic", asJSON, `{"topic":"","event":"shout"}`, http.StatusBadRequest, `"topic" is missing`},
		{"no event", asJSON, `{"topic":"room:1"}`, http.StatusBadRequest, `"event" is missing`},
		{"the protocol's own event", asJSON, `{"topic":"room:1","event":"phx_close"}`, http.StatusBadRequest, "reserved"},
		{"what phoenix.js takes for a reply", asJSON, `{"topic":"room:1","event":"chan_reply_3"}`, http.StatusBadRequest, "reserved"},
		{"a payload that is an array", asJSON, `{"topic":"room:1","event":"e","payload":[{}]}`, http.StatusBadRequest, `"payload" must be a JSON object`},
		{"a payload that is a string", asJSON, `{"topic":"room:1","event":"e","payload":"{}"}`, http.StatusBadRequest, `"payload" must be a JSON object`},
		{"a payload that is a number", asJSON, `{"topic":"room:1","event":"e","payload":7}`, http.StatusBadRequest, `"payload" must be a JSON object`},
		{"a payload that is not UTF-8", asJSON, "{\"topic\":\"room:1\",\"event\":\"e\",\"payload\":{\"a\":\"\xff\"}}", http.StatusBadRequest, "UTF-8"},
	} {
		status, body := s.publish(t, bad.header, bad.body)
		if status != bad.status || !strings.Contains(strings.ReplaceAll(body, `\"`, `"`), bad.reason) {
			t.Errorf("%s: got %d %.200s, want %d and %q", bad.name, status, body, bad.status, bad.reason)
		}
	}
	c.ExpectQuiet(t)
}

// with is a header with one more field.
func with(h http.Header, name, value string) http.Header {
	h = h.Clone()
	h.Set(name, value)
	return h
}

func TestAPageOfTheServersOwnMayPublish(t *testing.T) {
	s := serveFor(t)
	if status, body := s.publish(t, with(asJSON, "Origin", "http://"+s.addr), `{"topic":"room:1","event":"e"}`); status != http.StatusOK {
		t.Errorf("got %d %s", status, body)
	}
}

func TestOtherMethodsAndPathsOfTheAPIAreExplained(t *testing.T) {
	s := serveFor(t)
	if status, body := s.get(t, "/api/broadcast"); status != http.StatusMethodNotAllowed || !strings.Contains(body, "use POST") {
		t.Errorf("GET: got %d %s", status, body)
	}
	if status, body := s.get(t, "/api/publish"); status != http.StatusNotFound || !strings.Contains(body, "/api/broadcast") {
		t.Errorf("another path: got %d %s", status, body)
	}
}

func TestAnswersAreNotForCachesNorForGuessing(t *testing.T) {
	w := httptest.NewRecorder()
	problem(w, http.StatusTeapot, "tea")
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if w.Code != http.StatusTeapot || w.Body.String() != `{"error":"tea"}`+"\n" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestAServerThatStopsIsHealthyAndNotReady(t *testing.T) {
	a := &api{endpoint: roost.NewEndpoint(roost.Config{}), accepting: new(atomic.Bool)}
	for _, c := range []struct {
		accepting bool
		path      string
		status    int
	}{{true, "/readyz", 200}, {false, "/readyz", 503}, {false, "/healthz", 200}} {
		a.accepting.Store(c.accepting)
		w := httptest.NewRecorder()
		routes(a, guards{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, nil))
		if w.Code != c.status {
			t.Errorf("%s, accepting %v: got %d", c.path, c.accepting, w.Code)
		}
	}
}

func TestASignalBeforeTheServerListensIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{accepting: new(atomic.Bool)}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		a.acceptUntil(ctx)
		synctest.Wait()
		if a.accepting.Load() {
			t.Error("a server that stops says that it is ready")
		}
	})
}
