package websocket_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

func TestTLS13IsCarriedByTheLoopsWhereAListenerTakesItOver(t *testing.T) {
	for version, want := range map[uint16]string{tls.VersionTLS12: onGoroutine, tls.VersionTLS13: onLoop} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			s := newSecureStage(t, websocket.Config{CloseTimeout: time.Minute})
			s.tls.MaxVersion = version
			c, v := s.dial(client.Options{Timeout: patience, Early: text("early")})
			if got := v.carrier(t); got != want {
				t.Errorf("carried by %s", got)
			}
			expectText(t, c, "early")
			converse(t, c, v)
			s.awaitNone()
		})
	}
}

func TestATakenOverConnectionMayBeCarriedByAGoroutine(t *testing.T) {
	s := newSecureStage(t, websocket.Config{Engine: websocket.Goroutines, CloseTimeout: time.Minute})
	c, v := s.dial(client.Options{Timeout: patience, Early: text("early")})
	if got := v.carrier(t); got != onGoroutine {
		t.Errorf("carried by %s", got)
	}
	expectText(t, c, "early")
	converse(t, c, v)
}

// What a client sends after it has let nobody be sure of its records is not
// listened to: it hears an alert, and the session that it broke the rules.
func TestABrokenRecordEndsAConnectionInTLS(t *testing.T) {
	for name, bytes := range map[string]string{
		"forged":             "\x17\x03\x03\x00\x20" + strings.Repeat("x", 32),
		"change_cipher_spec": "\x14\x03\x03\x00\x01\x01",
		"no TLS":             "GET / HTTP/1.1\r\n\r\n",
		"too long":           "\x17\x03\x03\xff\xff",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSecureStage(t, websocket.Config{})
			c, v := s.dial(client.Options{Timeout: patience})
			send(t, c, text("hello"))
			expectText(t, c, "hello")
			secure := c.NetConn().(*tls.Conn)
			if _, err := io.WriteString(secure.NetConn(), bytes); err != nil {
				t.Fatal(err)
			}
			v.awaitClosed(t, transport.ErrBadFrame)
			if _, err := secure.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "remote error: tls") {
				t.Errorf("the client saw %v", err)
			}
			s.awaitNone()
		})
	}
}

// corked keeps what is written until it is let go, in one piece.
type corked struct {
	net.Conn

	cork bool
	held []byte
}

func (c *corked) Write(p []byte) (int, error) {
	if c.cork {
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// A client may end its half with its close frame, and reads on.
func TestACloseFrameBeforeCloseNotifyIsAnswered(t *testing.T) {
	for _, engine := range engines() {
		t.Run(string(engine), func(t *testing.T) {
			s := newSecureStage(t, websocket.Config{Engine: engine, CloseTimeout: time.Minute})
			var wire *corked
			c, v := s.dial(client.Options{Timeout: patience, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				nc, err := new(net.Dialer).DialContext(ctx, network, address)
				wire = &corked{Conn: nc}
				return wire, err
			}})
			wire.cork = true
			if err := c.SendRaw(closing(code(1000))); err != nil {
				t.Fatal(err)
			}
			if err := c.NetConn().(*tls.Conn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			_ = wire.SetWriteDeadline(time.Time{}) // CloseWrite has let it pass
			if _, err := wire.Conn.Write(wire.held); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(c.NetConn())
			if err != nil || !bytes.HasSuffix(got, code(1000)) {
				t.Errorf("answered %x, %v", got, err)
			}
			v.awaitClosed(t, transport.ErrClientClosed)
			s.awaitNone()
		})
	}
}

func TestAConnectionInTLSEndsWithCloseNotify(t *testing.T) {
	s := newSecureStage(t, websocket.Config{})
	c, _ := s.dial(client.Options{Timeout: patience})
	secure := c.NetConn().(*tls.Conn)
	watched := secure.NetConn()
	if err := c.Close(1000); err != nil {
		t.Fatal(err)
	}
	_ = watched.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(watched)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for len(b) >= 5 {
		n := 5 + int(b[3])<<8 + int(b[4])
		sizes, b = append(sizes, n), b[n:]
	}
	if want := 5 + 2 + 1 + 16; len(b) > 0 || len(sizes) != 2 || sizes[1] != want { // the close frame; an alert of two bytes
		t.Errorf("records of %v bytes, and %d more", sizes, len(b))
	}
}

// Frames that are queued within a turn leave in as few records as hold them.
func TestFramesOfOneTurnShareARecord(t *testing.T) {
	s := newSecureStage(t, websocket.Config{Loops: 1})
	c, v := s.dial(client.Options{Timeout: patience})
	v.onLane(t, func() {
		for range 100 {
			v.conn.Enqueue(frameOf("news"), transport.Bulk)
		}
	})
	header := make([]byte, 5)
	if _, err := io.ReadFull(c.NetConn().(*tls.Conn).NetConn(), header); err != nil {
		t.Fatal(err)
	}
	if n, want := int(header[3])<<8|int(header[4]), 100*(2+4)+1+16; n != want {
		t.Errorf("a record of %d bytes, want %d", n, want)
	}
}

// A client that reads nothing for a while gets everything in the end, in
// order, although the kernel took only part of a record.
func TestASealedRecordThatIsHalfSentIsFinished(t *testing.T) {
	s := newSecureStage(t, websocket.Config{Loops: 1, SendBuffer: 8 << 10, Outbox: 8 << 20})
	s.plays(func() *visit { v := newVisit(); v.quiet = true; return v })
	c, v := s.narrow()
	const frames = 300
	v.onLane(t, func() {
		for i := range frames {
			v.conn.Enqueue(frameOf(strings.Repeat(string(rune('a'+i%26)), 1+i*37)), transport.Direct)
		}
	})
	s.settle()
	for i := range frames {
		expectText(t, c, strings.Repeat(string(rune('a'+i%26)), 1+i*37))
	}
}

func TestCurlIsServedThroughATakenOverConnection(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl")
	}
	s := newSecureStage(t, websocket.Config{})
	s.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || r.TLS.Version != tls.VersionTLS13 || r.TLS.ServerName != "example.com" {
			t.Errorf("the request's TLS is %+v", r.TLS)
		}
		_, _ = io.Copy(w, r.Body)
	})
	address := s.server.Listener.Addr().(*net.TCPAddr)
	large := strings.Repeat("large ", 100_000)
	cmd := exec.CommandContext(t.Context(), curl, "-sk", "--tlsv1.3", "--max-time", "20", "--data-binary", "@-",
		"--resolve", "example.com:"+portOf(address)+":127.0.0.1", "https://example.com:"+portOf(address)+"/")
	cmd.Stdin = strings.NewReader(large)
	out, err := cmd.Output()
	if err != nil || string(out) != large {
		t.Errorf("curl printed %d bytes: %v", len(out), err)
	}
	plain, err := exec.CommandContext(t.Context(), curl, "-s", "--max-time", "20", "http://127.0.0.1:"+portOf(address)+"/").Output()
	if err != nil || !strings.Contains(string(plain), "https://") {
		t.Errorf("without TLS: %q, %v", plain, err)
	}
}

func portOf(a *net.TCPAddr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}

// dribble writes byte by byte.
type dribble struct {
	net.Conn
	slow atomic.Bool // from when on
}

func (d *dribble) Write(b []byte) (n int, err error) {
	if !d.slow.Load() {
		return d.Conn.Write(b)
	}
	for ; n < len(b) && err == nil; n++ {
		_, err = d.Conn.Write(b[n : n+1])
	}
	return n, err
}

// What comes of a record is kept, and not copied with each byte that comes.
func TestARecordThatComesByteByByteCostsItsSizeAFewTimesOver(t *testing.T) {
	s := newSecureStage(t, websocket.Config{})
	s.tls.DynamicRecordSizingDisabled = true // one record of 16 KiB
	var wire *dribble
	c, v := s.dial(client.Options{Timeout: patience, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, address)
		wire = &dribble{Conn: nc}
		return wire, err
	}})
	v.onLane(t, func() {})
	wire.slow.Store(true)
	message := strings.Repeat("x", 16_000)
	before := allocated()
	send(t, c, text(message))
	v.awaitMessages(t, 1)
	if n := allocated() - before; n > 4<<20 { // copying all with each byte is 100 MB
		t.Errorf("%d bytes were allocated for a message of %d", n, len(message))
	}
	wire.slow.Store(false)
	expectText(t, c, message)
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestARecordThatIsNeverWholeEndsItsConnection(t *testing.T) {
	s := newSecureStage(t, websocket.Config{MessageTimeout: short})
	c, v := s.dial(client.Options{Timeout: patience})
	v.onLane(t, func() {})
	wire := c.NetConn().(*tls.Conn).NetConn()
	_, err := io.WriteString(wire, "\x17\x03\x03\x40\x00")
	for err == nil && len(v.entries()) == 1 {
		whileFor(short/3, func() {})
		_, err = io.WriteString(wire, "x")
	}
	v.awaitClosed(t, transport.ErrBadFrame)
	if m := c.Next(t); m.CloseCode != uint16(transport.ClosePolicy) {
		t.Errorf("got %v", m)
	}
	if got := s.handler.Stats(); got.MessageTimeouts != 1 {
		t.Errorf("%+v", got)
	}
}
