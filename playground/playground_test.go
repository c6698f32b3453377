package playground

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestThePageIsAtTheRootWithItsOptionsWrittenIn(t *testing.T) {
	for _, tt := range []struct {
		name  string
		opts  Options
		wants []string
	}{
		{"defaults", Options{}, []string{`data-socket-path="/socket/websocket"`, `data-broadcast-path="/api/broadcast"`}},
		{"own paths", Options{SocketPath: "/live/ws", BroadcastPath: "/publish"}, []string{`data-socket-path="/live/ws"`, `data-broadcast-path="/publish"`}},
		{"a token and a key", Options{Token: true, Key: true}, []string{` data-needs-token data-needs-key data-state="closed"`, `<details class="more" open>`}},
		{"neither", Options{}, []string{`data-broadcast-path="/api/broadcast" data-state="closed"`}},
		{"paths are escaped", Options{SocketPath: `/"><script>`}, []string{`data-socket-path="/&#34;&gt;&lt;script&gt;"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := text(t, ask(t, tt.opts, http.MethodGet, "/", nil))
			for _, want := range tt.wants {
				if !strings.Contains(body, want) {
					t.Errorf("the page has no %s", want)
				}
			}
		})
	}
}

func TestEveryAnswerCarriesThePolicy(t *testing.T) {
	wants := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; " +
			"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff",
		"Referrer-Policy":        "same-origin",

		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	}
	for _, path := range []string{"/", "/playground.js", "/nothing"} {
		res := ask(t, Options{}, http.MethodGet, path, nil)
		for name, want := range wants {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s of %s is %q, want %q", name, path, got, want)
			}
		}
	}
}

func TestOtherPathsAndMethodsAreRefused(t *testing.T) {
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/", http.StatusOK},
		{http.MethodHead, "/", http.StatusOK},
		{http.MethodPost, "/", http.StatusMethodNotAllowed},
		{http.MethodGet, "/index.html", http.StatusNotFound},
		{http.MethodGet, "/static/playground.js", http.StatusNotFound},
		{http.MethodGet, "/favicon.ico", http.StatusNotFound},
	} {
		if got := ask(t, Options{}, tt.method, tt.path, nil).StatusCode; got != tt.status {
			t.Errorf("%s %s is answered with %d, want %d", tt.method, tt.path, got, tt.status)
		}
	}
}

func TestABrowserThatHasTheFileIsNotSentItAgain(t *testing.T) {
	first := ask(t, Options{}, http.MethodGet, "/playground.css", nil)
	again := ask(t, Options{}, http.MethodGet, "/playground.css", http.Header{"If-None-Match": {first.Header.Get("ETag")}})
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("the second request is answered with %d, want 304", again.StatusCode)
	}
	if got := first.Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("Cache-Control is %q: a browser would mix files of two versions", got)
	}
	other := ask(t, Options{SocketPath: "/other"}, http.MethodGet, "/", nil)
	if other.Header.Get("ETag") == ask(t, Options{}, http.MethodGet, "/", nil).Header.Get("ETag") {
		t.Error("pages with different options have the same ETag")
	}
}

var (
	loaded  = regexp.MustCompile(`(?:src|href)="([^"#]+)"|from "([^"]+)"|import "([^"]+)"`)
	inlined = regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=|"javascript:`)
	markup  = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function`)
	outside = regexp.MustCompile(`(?i)https?://[^\s"']+`)
)

func TestWhatTheFilesLoadIsServedWithItsType(t *testing.T) {
	for name, body := range files(Options{}) {
		for _, match := range loaded.FindAllSubmatch(body, -1) {
			path := "/" + strings.TrimPrefix(string(match[1])+string(match[2])+string(match[3]), "./")
			res := ask(t, Options{}, http.MethodGet, path, nil)
			if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") == "" {
				t.Errorf("%s loads %s: status %d, type %q", name, path, res.StatusCode, res.Header.Get("Content-Type"))
			}
		}
	}
}

func TestTheFilesKeepToThePolicy(t *testing.T) {
	for name, body := range files(Options{}) {
		for what, pattern := range map[string]*regexp.Regexp{"something inline": inlined, "a way to make markup of text": markup} {
			if found := pattern.Find(body); found != nil {
				t.Errorf("%s has %s: %q", name, what, found)
			}
		}
		for _, address := range outside.FindAllString(string(body), -1) {
			if address != "http://www.w3.org/2000/svg" { // a namespace, which nothing loads
				t.Errorf("%s names another host: %s", name, address)
			}
		}
	}
}

func TestItWorksBelowAPrefix(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/playground/", http.StripPrefix("/playground", Handler(Options{})))
	for _, path := range []string{"/playground/", "/playground/socket.js"} {
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code != http.StatusOK {
			t.Errorf("%s is answered with %d", path, rec.Code)
		}
	}
}

func ask(t *testing.T, opts Options, method, path string, header http.Header) *http.Response {
	t.Helper()
	req := httptest.NewRequest(method, path, nil)
	maps.Copy(req.Header, header)
	rec := httptest.NewRecorder()
	Handler(opts).ServeHTTP(rec, req)
	return rec.Result()
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
