package client

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/frame"
)

// script is what the tests' server does on a connection once it is upgraded.
type script func(s *served)

// served is the server's side of a connection.
type served struct {
	nc   net.Conn
	in   *bufio.Reader
	req  *http.Request
	asm  frame.Assembler
	rest []byte
}

// serve starts a server that runs the script for every connection, and returns its ws URL.
func serve(t *testing.T, run script) string {
	t.Helper()
	return "ws" + strings.TrimPrefix(start(t, run, (*httptest.Server).Start).URL, "http")
}

func start(t *testing.T, run script, begin func(*httptest.Server)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler(run))
	begin(s)
	t.Cleanup(s.Close)
	return s
}

// handler upgrades, or refuses what asks for /refused.
func handler(run script) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Sec-WebSocket-Key")
		if key == "" || r.URL.Path == "/refused" {
			http.Error(w, "no: "+r.Method+" "+r.Host, http.StatusForbidden)
			return
		}
		nc, in, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer func() { _ = nc.Close() }()
		s := &served{nc: nc, in: in.Reader, req: r}
		s.raw(s.response(key))
		run(s)
	}
}

// response is the 101: with a wrong accept for /liar, with a message right behind it for /eager.
func (s *served) response(key string) string {
	if s.req.URL.Path == "/liar" {
		key += "x"
	}
	b := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + frame.AcceptKey(key) + "\r\n"
	if v, window := frame.NegotiateDeflate(s.req.Header.Values("Sec-WebSocket-Extensions")); window > 0 {
		b += "Sec-WebSocket-Extensions: " + v + "\r\n"
	}
	b += "\r\n"
	if s.req.URL.Path == "/eager" {
		b += "\x81\x02[]"
	}
	return b
}

func (s *served) raw(b string) { _, _ = s.nc.Write([]byte(b)) }

// next is the client's next event; None at the end of the connection or an error.
func (s *served) next() frame.Event {
	for {
		ev, n, err := s.asm.Next(s.rest, &frame.Limits{Deflate: true})
		s.rest = s.rest[n:]
		if err != nil || ev.Opcode != frame.None {
			return ev
		}
		b := make([]byte, 512)
		if n, err = s.in.Read(b); err != nil {
			return frame.Event{}
		}
		s.rest = b[:n]
	}
}

// echo returns messages and answers pings, closes and V2 messages; these with an error on room:gone.
func echo(s *served) {
	for {
		ev := s.next()
		switch ev.Opcode {
		case frame.None:
			return
		case frame.Ping:
			s.raw(string(frame.AppendControl(nil, frame.Pong, ev.Payload)))
		case frame.Close:
			s.raw(string(frame.AppendClose(nil, ev.Code, "")))
			return
		default:
			s.answer(ev)
		}
	}
}

func (s *served) answer(ev frame.Event) {
	p := ev.Payload
	var m []any
	if json.Unmarshal(p, &m) == nil && len(m) == 5 {
		reply := map[string]any{"status": "ok", "response": map[string]any{}}
		if m[2] == "room:gone" {
			reply["status"] = "error"
		}
		p, _ = json.Marshal([]any{m[0], m[1], m[2], "phx_reply", reply})
	}
	s.raw(string(append(frame.AppendHeader(nil, ev.Opcode, false, len(p)), p...)))
}

// says is a script that sends bytes and waits for the client to go.
func says(b string) script {
	return func(s *served) {
		s.raw(b)
		for s.next().Opcode != frame.None {
		}
	}
}
