package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw asks for a path as it stands, which clients would clean, and returns what
// is answered and where to.
func (s *served) raw(t *testing.T, path string) (status int, body, location string) {
	t.Helper()
	nc, err := net.Dial("tcp", s.addr)
	must(t, err)
	defer nc.Close()
	must(t, nc.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path)
	must(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	must(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(b), resp.Header.Get("Location")
}

// What is served is embedded: there is no file that a path could lead to, and no
// redirect leads away from this server.
func TestNoPathLeadsToAFile(t *testing.T) {
	s := serveFor(t)
	for _, path := range []string{
		"/../etc/passwd", "/../../../../../../etc/passwd", "/..%2f..%2fetc/passwd", "/..%2F..%2F..%2Fetc%2Fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/%2e%2e/", "/%2e%2e%2fetc%2fpasswd",
		"//etc/passwd", "///etc/passwd", "//evil.example/etc/passwd", "//evil.example/a/..", `/..\..\`, `/..\\..\\`, `/..\..\etc\passwd`, "/..%5c..%5cetc%5cpasswd", `/\evil.example`,
		"/....//....//etc/passwd", "/%252e%252e%252fetc%252fpasswd", "/..%c0%af..%c0%afetc/passwd", "/playground.js/../../etc/passwd", "/playground.js%00.html",
		"/static/../../etc/passwd", "/static/", "/.git/config", "/etc/passwd", "/api/../../etc/passwd", "/api/..%2f..%2fetc/passwd", "/socket/../../etc/passwd", "/./etc/./passwd",
		"/c:/windows/win.ini", "/healthz/../../etc/passwd", "/readyz%2f..%2f..%2fetc%2fpasswd",
	} {
		if status, body, at := s.follow(t, path); status != http.StatusNotFound || strings.Contains(body, "root:") {
			t.Errorf("%s leads to %s: got %d %.100q", path, at, status, body)
		}
	}
}

// follow asks for a path and goes where it is sent, as long as that is here.
func (s *served) follow(t *testing.T, path string) (status int, body, at string) {
	t.Helper()
	for range 5 {
		status, body, next := s.raw(t, path)
		switch {
		case next == "":
			return status, body, path
		case !strings.HasPrefix(next, "/"), strings.HasPrefix(next, "//"), strings.HasPrefix(next, `/\`):
			t.Errorf("%s leads elsewhere: %s", path, next)
			return status, body, path
		}
		path = next
	}
	t.Errorf("%s leads on and on", path)
	return 0, "", path
}
