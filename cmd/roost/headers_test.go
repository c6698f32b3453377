package main

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/testcert"
)

func TestEveryAnswerAsksBrowsersToDistrustIt(t *testing.T) {
	s := serveFor(t)
	for _, c := range []struct {
		method, path, host string
		status             int
	}{
		{http.MethodGet, "/", "", http.StatusOK},
		{http.MethodGet, "/playground.js", "", http.StatusOK},
		{http.MethodGet, "/playground.css", "", http.StatusOK},
		{http.MethodGet, "/icon.svg", "", http.StatusOK},
		{http.MethodGet, "/nothing", "", http.StatusNotFound},
		{http.MethodPost, "/", "", http.StatusMethodNotAllowed},
		{http.MethodGet, "/healthz", "", http.StatusOK},
		{http.MethodPost, "/healthz", "", http.StatusNotFound},
		{http.MethodGet, "/readyz", "", http.StatusOK},
		{http.MethodGet, "/api/broadcast", "", http.StatusMethodNotAllowed},
		{http.MethodPost, "/api/broadcast", "", http.StatusUnsupportedMediaType},
		{http.MethodGet, "/api/nothing", "", http.StatusNotFound},
		{http.MethodGet, "/socket/websocket", "", http.StatusBadRequest},
		{http.MethodGet, "/socket/websocket?vsn=9.9.9", "", http.StatusForbidden},
		{http.MethodGet, "/", "evil.example", http.StatusMisdirectedRequest},
		{http.MethodGet, "/../etc/passwd", "", http.StatusTemporaryRedirect},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+s.addr+c.path, nil)
		must(t, err)
		req.Host, req.Close = c.host, true
		resp, err := http.DefaultTransport.RoundTrip(req)
		must(t, err)
		must(t, resp.Body.Close())
		if resp.StatusCode != c.status {
			t.Errorf("%s %s: got %d, want %d", c.method, c.path, resp.StatusCode, c.status)
		}
		expectDistrust(t, c.method+" "+c.host+c.path, resp.Header)
	}
}

func TestBrowsersInsistOnTLSWhereTheNetworkReachesIt(t *testing.T) {
	pair := testcert.New(t, "localhost")
	pair.Write(t, t.TempDir())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: testcert.Pool(pair), ServerName: "localhost", MinVersion: tls.VersionTLS13}}
	defer transport.CloseIdleConnections()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-trusted-proxies", "10.0.0.0/8"}, "max-age=15552000"},
		{[]string{"-trusted-proxies", "10.0.0.0/8", "-hsts", "1h"}, "max-age=3600"},
		{[]string{"-trusted-proxies", "10.0.0.0/8", "-hsts", "0"}, ""},
		{nil, ""},
	} {
		s := serveFor(t, append(c.args, "-tls-cert", pair.CertFile, "-tls-key", pair.KeyFile)...)
		for _, path := range []string{"/", "/nothing", "/healthz", "/api/broadcast"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.addr+path, nil)
			must(t, err)
			req.Close = true
			resp, err := transport.RoundTrip(req)
			must(t, err)
			must(t, resp.Body.Close())
			if got := resp.Header.Get("Strict-Transport-Security"); got != c.want {
				t.Errorf("%q: %s: got %q, want %q", c.args, path, got, c.want)
			}
		}
	}
}

func expectDistrust(t *testing.T, what string, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Permissions-Policy": "camera=()",
	} {
		if got := h.Values(name); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %s is %q, want one with %q", what, name, got, want)
		}
	}
}
