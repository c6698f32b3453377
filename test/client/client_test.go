package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
)

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// complains reports whether f fails the test that it is given.
func complains(t *testing.T, f func(t testing.TB)) bool {
	t.Helper()
	probe := &probe{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		f(probe)
	}()
	<-done
	return probe.failed
}

// probe is a test that only notes that it failed.
type probe struct {
	testing.TB
	failed bool
}

func (p *probe) Helper() {}

func (p *probe) Fatalf(string, ...any) { p.Fatal() }

func (p *probe) Fatal(...any) {
	p.failed = true
	panic("stop here")
}

func TestMessagesAreEchoed(t *testing.T) {
	c := Open(t, serve(t, echo), Options{})
	for _, n := range []int{0, 5, 125, 126, 65535, 65536, 300000} {
		want := strings.Repeat("x", n)
		must(t, c.SendText(want))
		if m := c.Next(t); m.Opcode != frame.Text || string(m.Payload) != want {
			t.Fatalf("%d bytes: got %d", n, len(m.Payload))
		}
	}
	must(t, c.SendBinary([]byte{0, 0xff}))
	c.ExpectBinary(t, []byte{0, 0xff})
	must(t, c.Ping("p"))
	c.ExpectPong(t, "p")
}

func TestFragmentsAndRawBytesAreSentAsTheyAre(t *testing.T) {
	c := Open(t, serve(t, echo), Options{})
	must(t, c.SendFrame(false, 0, frame.Text, []byte(`{"a":`)))
	must(t, c.SendFrame(true, 0, frame.Ping, nil))
	must(t, c.SendFrame(true, 0, frame.Continuation, []byte("1}")))
	c.ExpectPong(t, "")
	c.Expect(t, ` { "a" : 1 } `)
	must(t, c.SendRaw([]byte("\x81\x05Hello"))) // unmasked
	c.ExpectEOF(t)
}

func TestCompressionIsNegotiatedAndRead(t *testing.T) {
	hello := string(frame.Deflate(nil, []byte("Hello")))
	sends := string(append(frame.AppendHeader(nil, frame.Text, true, len(hello)), hello...))
	c := Open(t, serve(t, says(sends)), Options{Deflate: true})
	if m := c.Next(t); string(m.Payload) != "Hello" || !m.Deflated {
		t.Errorf("got %v", m)
	}
	c = Open(t, serve(t, echo), Options{Deflate: true})
	must(t, c.SendDeflated(frame.Text, []byte(`"squeezed"`)))
	c.Expect(t, `"squeezed"`)
}

func TestBytesBehindTheRequestAndTheResponseAreNotLost(t *testing.T) {
	early := frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{1, 2, 3, 4}, []byte("[1]"))
	c := Open(t, serve(t, echo)+"/eager", Options{Early: early})
	c.Expect(t, "[]")
	c.Expect(t, "[1]")
}

func TestTheHandshakeSaysWhatTheOptionsSay(t *testing.T) {
	seen := make(chan *http.Request, 1)
	url := serve(t, func(s *served) { seen <- s.req })
	Open(t, url+"/socket/websocket?vsn=2.0.0", Options{
		Host:         "example.org",
		Subprotocols: []string{"a", "b"},
		Header:       http.Header{"x-one": {"1"}, "Sec-Websocket-Version": {"8"}, "Upgrade": nil},
	})
	r := <-seen
	for name, want := range map[string]string{
		"X-One": "1", "Sec-Websocket-Version": "8", "Upgrade": "", "Sec-Websocket-Protocol": "a, b", "Connection": "Upgrade",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if r.Host != "example.org" || r.URL.String() != "/socket/websocket?vsn=2.0.0" || r.Method != http.MethodGet {
		t.Errorf("got %s %s at %s", r.Method, r.URL, r.Host)
	}
}

func TestARefusedHandshakeKeepsItsBody(t *testing.T) {
	url := serve(t, echo)
	if body := Refused(t, url+"/refused", Options{Method: http.MethodPost, Host: "h"}, 403); body != "no: POST h\n" {
		t.Errorf("got %q", body)
	}
	Refused(t, url, Options{Header: http.Header{"Sec-WebSocket-Key": nil}}, 403)
	_, resp, err := Dial(t.Context(), url+"/refused", Options{Method: http.MethodHead})
	if !errors.Is(err, ErrRefused) || resp.StatusCode != 403 {
		t.Errorf("HEAD: got %v", err)
	}
	if !complains(t, func(tb testing.TB) { Refused(tb, url+"/refused", Options{}, 400) }) {
		t.Error("another status is taken for the right one")
	}
	if !complains(t, func(tb testing.TB) { Refused(tb, url, Options{}, 403) }) {
		t.Error("an accepted handshake is taken for a refused one")
	}
}

func TestAWrongAcceptIsAnError(t *testing.T) {
	if _, _, err := Dial(t.Context(), serve(t, echo)+"/liar", Options{}); !errors.Is(err, ErrAccept) {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatSaysNothingEndsTheHandshakeAtTheTimeout(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() }) // it never accepts; the kernel completes the connection
	if _, _, err := Dial(t.Context(), "ws://"+l.Addr().String(), Options{Timeout: time.Millisecond}); !timedOut(err) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Dial(ctx, "ws://"+l.Addr().String(), Options{}); err == nil {
		t.Error("a cancelled dial succeeded")
	}
}

func TestTLSConnectionsWork(t *testing.T) {
	s := start(t, echo, (*httptest.Server).StartTLS)
	roots := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c := Open(t, "wss"+strings.TrimPrefix(s.URL, "https"), Options{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}})
	c.ExpectQuiet(t)
	c.Abort()
	if _, err := c.Read(time.Second); err == nil {
		t.Error("read after abort")
	}
}

func TestChannelsAreJoined(t *testing.T) {
	c := Open(t, serve(t, echo), Options{})
	if got := c.Join(t, "room:1", "3", `{"name":"Ann"}`); string(got) != "{}" {
		t.Errorf("response %s", got)
	}
	must(t, c.Push("3", "4", "room:1", "shout", ""))
	c.ExpectReply(t, "3", "4", "room:1", "ok")
	c.ExpectQuiet(t)
	c.ExpectQuiet(t)
	if !complains(t, func(tb testing.TB) { c.Join(tb, "room:gone", "5", "") }) {
		t.Error("a refused join is taken for a joined one")
	}
}

func TestASilenceThatIsNoneIsNoticed(t *testing.T) {
	url := serve(t, func(s *served) {
		s.raw("\x81\x02[]")
		echo(s)
	})
	c := Open(t, url, Options{})
	if !complains(t, c.ExpectQuiet) {
		t.Error("a message was overlooked")
	}
}

func TestClosesAreReadAndAnswered(t *testing.T) {
	answer := make(chan frame.Event, 1)
	url := serve(t, func(s *served) {
		s.raw(string(frame.AppendClose(nil, 1012, "")))
		answer <- s.next()
	})
	c := Open(t, url, Options{})
	c.ExpectClose(t, 1012)
	if ev := <-answer; ev.Opcode != frame.Close || ev.Code != 1012 {
		t.Errorf("the server got %+v", ev)
	}
	c.ExpectEOF(t)

	for _, code := range []uint16{1000, 4000, frame.NoStatus} {
		c = Open(t, serve(t, echo), Options{})
		must(t, c.Close(code))
		c.ExpectClose(t, code)
		c.ExpectEOF(t)
	}
}

func TestWrongExpectationsFailTheTest(t *testing.T) {
	closing := "\x88\x02\x03\xe8"
	for _, c := range []struct {
		name   string
		sends  string
		expect func(*Conn, testing.TB)
	}{
		{"another value", "\x81\x03[1]", func(c *Conn, t testing.TB) { c.Expect(t, "[2]") }},
		{"another type", "\x81\x03[1]", func(c *Conn, t testing.TB) { c.Expect(t, `["1"]`) }},
		{"more than the value", "\x81\x04[1]2", func(c *Conn, t testing.TB) { c.Expect(t, "[1]") }},
		{"binary for text", "\x82\x03[1]", func(c *Conn, t testing.TB) { c.Expect(t, "[1]") }},
		{"an expectation that is no JSON", "\x81\x03[1]", func(c *Conn, t testing.TB) { c.Expect(t, "[1") }},
		{"text for binary", "\x81\x03[1]", func(c *Conn, t testing.TB) { c.ExpectBinary(t, []byte("[1]")) }},
		{"a ping for a pong", "\x89\x01p", func(c *Conn, t testing.TB) { c.ExpectPong(t, "p") }},
		{"text for a close", "\x81\x03[1]", func(c *Conn, t testing.TB) { c.ExpectClose(t, 1000) }},
		{"another code", closing, func(c *Conn, t testing.TB) { c.ExpectClose(t, 1001) }},
		{"a reason", "\x88\x05\x03\xe8bye", func(c *Conn, t testing.TB) { c.ExpectClose(t, 1000) }},
		{"a frame for the end", closing, func(c *Conn, t testing.TB) { c.ExpectEOF(t) }},
		{"no reply", "\x81\x03[1]", func(c *Conn, t testing.TB) { c.ExpectReply(t, "1", "1", "a", "ok") }},
	} {
		conn := Open(t, serve(t, says(c.sends)), Options{})
		if !complains(t, func(tb testing.TB) { c.expect(conn, tb) }) {
			t.Errorf("%s: accepted", c.name)
		}
	}
	silent := Open(t, serve(t, says("")), Options{})
	silent.timeout = 50 * time.Millisecond // of expectations alone: the handshake may take longer
	for name, expect := range map[string]func(testing.TB){
		"a message": func(tb testing.TB) { silent.Expect(tb, "[]") },
		"a frame":   func(tb testing.TB) { silent.Next(tb) },
		"the end":   silent.ExpectEOF,
	} {
		if !complains(t, expect) {
			t.Errorf("%s is seen in silence", name)
		}
	}
}

func TestMistakesOfTheServerAreErrors(t *testing.T) {
	for _, c := range []struct {
		name, sends string
		want        error
	}{
		{"masked", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", ErrMasked},
		{"a fragment", "\x01\x01a", ErrFragmented},
		{"a continuation", "\x80\x01a", ErrFragmented},
		{"compressed without negotiation", "\xc1\x01a", ErrReserved},
		{"RSV2", "\xa1\x01a", ErrReserved},
		{"opcode 3", "\x83\x01a", ErrReserved},
		{"opcode 11", "\x8b\x01a", ErrReserved},
		{"a long ping", "\x89\x7e\x00\x7e", ErrControl},
		{"a close of one byte", "\x88\x01\x03", ErrControl},
		{"invalid text", "\x81\x01\xff", ErrText},
		{"16 bits for 125", "\x82\x7e\x00\x7d", ErrLength},
		{"64 bits for 65535", "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", ErrLength},
		{"a negative length", "\x82\x7f\xff\x00\x00\x00\x00\x00\xff\xff", ErrLength},
	} {
		conn := Open(t, serve(t, says(c.sends)), Options{})
		if m, err := conn.Read(DefaultTimeout); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.name, m, err, c.want)
		}
	}
	broken := Open(t, serve(t, func(s *served) { s.raw("\x81\x05Hel") }), Options{})
	if _, err := broken.Read(DefaultTimeout); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut off: got %v", err)
	}
}

func TestAReadThatTimesOutLosesNothing(t *testing.T) {
	url := serve(t, func(s *served) {
		s.raw("\x81\x05He")
		s.next() // the client has timed out
		s.raw("llo")
		s.next()
	})
	c := Open(t, url, Options{})
	if _, err := c.Read(50 * time.Millisecond); !timedOut(err) {
		t.Fatalf("got %v", err)
	}
	must(t, c.SendText("go on"))
	if m := c.Next(t); !bytes.Equal(m.Payload, []byte("Hello")) {
		t.Errorf("got %v", m)
	}
}

func TestAnAbortIsAReset(t *testing.T) {
	ended := make(chan error, 1)
	url := serve(t, func(s *served) {
		s.raw("\x81\x02[]")
		_, err := s.in.ReadByte()
		ended <- err
	})
	c := Open(t, url, Options{})
	c.Expect(t, "[]")
	c.Abort()
	if err := <-ended; err == nil || errors.Is(err, io.EOF) {
		t.Errorf("the server saw %v, want a reset", err)
	}
	c = Open(t, url, Options{})
	c.Expect(t, "[]")
	c.Drop()
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Errorf("the server saw %v, want the end", err)
	}
}

func TestJSONIsDecoded(t *testing.T) {
	c := Open(t, serve(t, says("\x81\x07[\"a\",1]\x82\x01x")), Options{})
	var v []json.RawMessage
	must(t, c.ReadJSON(DefaultTimeout, &v))
	if len(v) != 2 || string(v[0]) != `"a"` {
		t.Errorf("got %s", v)
	}
	if err := c.ReadJSON(DefaultTimeout, &v); !errors.Is(err, ErrNotText) {
		t.Errorf("got %v", err)
	}
}
