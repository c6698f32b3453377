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

// A body in chunks has no length to refuse it by, and fields may follow it.
func TestABodyInChunksIsBoundedAndMayHaveTrailers(t *testing.T) {
	s := serveFor(t)
	c := s.subscriber(t)
	const message = `{"topic":"room:1","event":"shout","payload":{"a":1}}`
	whole := fmt.Sprintf("%x\r\n%s\r\n", len(message), message)
	for name, row := range map[string]struct {
		body string
		want int
	}{
		"with trailers":  {whole + "0\r\nX-A: b\r\nX-C: d\r\n\r\n", http.StatusOK},
		"without":        {whole + "0\r\n\r\n", http.StatusOK},
		"very many":      {strings.Repeat("1\r\n \r\n", 1<<20+1) + whole + "0\r\n\r\n", http.StatusRequestEntityTooLarge},
		"without an end": {strings.Repeat("10000\r\n"+strings.Repeat(" ", 1<<16)+"\r\n", 17), http.StatusRequestEntityTooLarge},
	} {
		if got := s.chunked(t, row.body); got != row.want {
			t.Errorf("%s: got %d, want %d", name, got, row.want)
		}
		if row.want == http.StatusOK {
			c.Expect(t, `[null,null,"room:1","shout",{"a":1}]`)
		}
	}
	c.ExpectQuiet(t)
}

// chunked publishes with a body in chunks.
func (s *served) chunked(t *testing.T, body string) int {
	t.Helper()
	nc, err := net.Dial("tcp", s.addr)
	must(t, err)
	defer nc.Close()
	must(t, nc.SetDeadline(time.Now().Add(3*patience))) // a million chunks take their time
	go func() {                                         // ends when all is sent, or with the connection
		_, _ = io.WriteString(nc, "POST /api/broadcast HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"+body)
	}()
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	must(t, err)
	_ = resp.Body.Close()
	return resp.StatusCode
}
