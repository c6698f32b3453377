package hostile

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/testcert"
	"github.com/roostgo/roost/transport/websocket"
)

// behind builds a fort behind a roost.Server. If that has no endpoint, it gets
// one; if it has TLS, a certificate.
func behind(t *testing.T, s *roost.Server, ws websocket.Config) *fort {
	t.Helper()
	if s.Endpoint == nil {
		s.Endpoint = endpoint(roost.Config{WebSocket: ws})
	}
	f := &fort{Endpoint: s.Endpoint, full: s.MaxHandshakes > 0 || s.TLS != nil && s.TLS.Handshakes > 0}
	if s.TLS != nil {
		pair := testcert.New(t, "roost.example")
		s.TLS.Config = &tls.Config{Certificates: []tls.Certificate{pair.TLS}, MinVersion: tls.VersionTLS13}
		f.tls = &tls.Config{RootCAs: testcert.Pool(pair), ServerName: "roost.example", MinVersion: tls.VersionTLS13}
	}
	ctx, stop := context.WithCancel(context.Background())
	listening, ended := make(chan string, 1), make(chan error, 1)
	s.Addr, s.Logger = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	s.OnListen = func(a net.Addr) { listening <- a.String() }
	go func() { ended <- s.Run(ctx) }() // ends with ctx; the fort's end waits
	f.close = func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server: %v", err)
		}
	}
	select {
	case f.address = <-listening:
	case err := <-ended:
		stop()
		t.Fatal(err)
	}
	f.settle(t)
	return f
}

// dial connects without saying anything, but what TLS has to.
func (f *fort) dial(t *testing.T) net.Conn {
	t.Helper()
	nc, err := f.connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return nc
}

// drip sends a byte now and then until the server hangs up.
func drip(nc net.Conn) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := nc.Write([]byte("a")); err != nil {
			return
		}
	}
}

// onEachDoor runs a test without TLS and with it.
func onEachDoor(t *testing.T, test func(t *testing.T, secure *roost.TLS)) {
	t.Helper()
	t.Run("plain", func(t *testing.T) { test(t, nil) })
	t.Run("tls", func(t *testing.T) { test(t, new(roost.TLS)) })
}

func TestSlowRequestsAndSilentConnectionsAreCut(t *testing.T) {
	reads := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	onEachDoor(t, func(t *testing.T, secure *roost.TLS) {
		f := behind(t, &roost.Server{Handler: reads, ReadHeaderTimeout: 2 * time.Second, ReadTimeout: 2 * time.Second, TLS: secure}, websocket.Config{})
		var attackers sync.WaitGroup
		for range 5 {
			for _, begin := range []string{
				"GET /socket/websocket HTTP/1.1\r\nHost: a\r\nX-Slow: ",      // a slow head
				"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n", // a slow body
				"", // silence
			} {
				nc := f.dial(t)
				_, _ = io.WriteString(nc, begin)
				if begin != "" {
					attackers.Go(func() { drip(nc) }) // ends when the server hangs up
				}
				attackers.Go(func() { awaitCut(t, nc, begin) }) // ends with the server, or with patience
			}
		}
		f.honest.ExpectQuiet(t)
		attackers.Wait()
		f.stands(t)
	})
}

// awaitCut waits until the server hangs up.
func awaitCut(t *testing.T, nc net.Conn, begin string) {
	if _, err := io.Copy(io.Discard, nc); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("%.60q was not cut", begin)
	}
	_ = nc.Close()
}

func TestSilentConnectionsTakeNoMoreThanThePlacesForHandshakes(t *testing.T) {
	onEachDoor(t, func(t *testing.T, secure *roost.TLS) {
		s, most := &roost.Server{MaxHandshakes: 8, TLS: secure}, 8
		if secure != nil { // who comes out of TLS's handshakes while the last place is taken is let in
			secure.Handshakes = 1
			most += 4
		}
		f := behind(t, s, websocket.Config{})
		for range 20 {
			if nc, err := f.connect(); err == nil { // else it was cut at once
				defer nc.Close() //nolint:errcheck // it said nothing
			}
		}
		for late := time.Now().Add(patience); s.Stats().Handshakes.Full < uint64(20-most); {
			f.honest.ExpectQuiet(t)
			if time.Now().After(late) {
				t.Fatalf("%+v", s.Stats())
			}
		}
		if got := s.Stats(); got.Handshakes.HeldHigh > most {
			t.Errorf("%+v", got)
		}
		f.stands(t)
	})
}

// Who reads no answers makes the server wait with the next one, for as long as
// an answer may take: then the place is another's.
func TestAnswersThatNobodyReadsAreNotWaitedForLong(t *testing.T) {
	const places = 2
	long := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, repeat("x", 64<<10)) })
	onEachDoor(t, func(t *testing.T, secure *roost.TLS) {
		f := behind(t, &roost.Server{Handler: long, MaxHandshakes: places, WriteTimeout: 500 * time.Millisecond, TLS: secure}, websocket.Config{})
		requests := repeat("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1000)
		var attackers sync.WaitGroup
		for range places {
			nc := f.dial(t)
			attackers.Go(func() { // ends when it is cut, or with patience
				var err error
				for err == nil {
					_, err = io.WriteString(nc, requests)
				}
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("a client that reads nothing was not cut")
				}
				vanish(nc)
			})
		}
		attackers.Wait()
		for late := time.Now().Add(patience); f.knock() != nil; { // until their places are free
			if time.Now().After(late) {
				t.Fatal("nobody gets in any more")
			}
		}
		f.stands(t)
	})
}

const upgrade = "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// status sends a request and returns what it is answered with.
func (f *fort) status(t *testing.T, request string) int {
	t.Helper()
	nc := f.dial(t)
	go func() { _, _ = io.WriteString(nc, request) }() // ends when it is read, or with the connection
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatalf("%.80q: %v", request, err)
	}
	_ = resp.Body.Close()
	_ = nc.Close()
	return resp.StatusCode
}

func TestHeaderFloodsAreBoundedByTheirBytes(t *testing.T) {
	f := behind(t, &roost.Server{}, websocket.Config{})
	var many strings.Builder
	for a := 'a'; a <= 'z'; a++ {
		for b := range 80 {
			many.WriteString("x" + string(a) + repeat("-", b) + ": x\r\n")
		}
	}
	const socket = "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\n"
	for name, row := range map[string]struct {
		headers string
		want    int
	}{
		"2,000 names before the handshake": {many.String()[:50_000] + ": x\r\n", http.StatusSwitchingProtocols},
		"one name 4,000 times":             {repeat("X-A: b\r\n", 4000), http.StatusSwitchingProtocols},
		"one name a million times":         {repeat("X-A: b\r\n", 1_000_000), http.StatusRequestHeaderFieldsTooLarge},
		"one value of a megabyte":          {"X-A: " + repeat("b", 1<<20) + "\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"a list of blanks":                 {"Sec-WebSocket-Protocol: b" + repeat(" ", 60_000) + "x\r\n", http.StatusSwitchingProtocols},
		"a list of commas":                 {"Sec-WebSocket-Extensions: " + repeat(",", 60_000) + "\r\n", http.StatusSwitchingProtocols},
	} {
		if got := f.status(t, socket+row.headers+upgrade+"\r\n"); got != row.want {
			t.Errorf("%s: got %d, want %d", name, got, row.want)
		}
		f.stands(t)
	}
}

// A proxy that takes a request for another than it is, passes on a second one
// in it that it never judged.
func TestNoRequestIsSmuggledInAnother(t *testing.T) {
	var smuggled atomic.Int64
	f := behind(t, &roost.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/inner" {
			smuggled.Add(1)
		}
	})}, websocket.Config{})
	const inner = "GET /inner HTTP/1.1\r\nHost: a\r\n\r\n"
	const post, chunks = "POST / HTTP/1.1\r\nHost: a\r\n", "0\r\n\r\n"
	for name, request := range map[string]string{
		"behind an upgrade that is refused":  "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\n" + strings.Replace(upgrade, "13", "9", 1) + "\r\n",
		"behind an origin that is refused":   "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nOrigin: https://evil.example\r\n" + upgrade + "\r\n",
		"behind an upgrade":                  "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\n" + upgrade + "\r\n",
		"as the body of an upgrade":          "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nContent-Length: 34\r\n" + upgrade + "\r\n",
		"between two lengths":                post + "Content-Length: 0\r\nContent-Length: 34\r\n\r\n",
		"behind a length with a sign":        post + "Content-Length: +0\r\n\r\n",
		"behind a coding that is none":       post + "Transfer-Encoding: xchunked\r\n\r\n" + chunks,
		"behind two codings":                 post + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunks,
		"behind a name with a blank":         post + "Transfer-Encoding : chunked\r\n\r\n" + chunks,
		"behind a control character":         post + "X: a\rTransfer-Encoding: chunked\r\n\r\n" + chunks,
		"behind a chunk with a wrong length": post + "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
	} {
		nc := f.dial(t)
		go func() { _, _ = io.WriteString(nc, request+inner) }() // ends with the connection
		if _, err := io.Copy(io.Discard, nc); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: the connection was left open", name)
		}
		_ = nc.Close()
		if n := smuggled.Swap(0); n > 0 {
			t.Errorf("%s: the inner request was served", name)
		}
		f.stands(t)
	}
}
