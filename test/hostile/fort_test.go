package hostile

import (
	"context"
	"crypto"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/internal/testcert"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/secure"
	"github.com/roostgo/roost/transport/websocket"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// fort is an endpoint under attack, and the honest client that it serves
// meanwhile.
type fort struct {
	*roost.Endpoint
	address string
	query   string      // that every url has besides
	tls     *tls.Config // of its clients; nil is without

	handshakes func() secure.Stats // in TLS
	close      func()              // lets nobody in any more
	honest     *client.Conn
}

// seat is a channel that answers.
type seat struct{}

func (*seat) Join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(nil), nil
}

func (*seat) Echo(_ context.Context, _ *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(p), nil
}

func (*seat) Shout(ctx context.Context, s *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.NoReply(), s.Broadcast(ctx, "shout", p)
}

func engines() []websocket.Engine {
	if runtime.GOOS == "linux" {
		return []websocket.Engine{websocket.EventLoops, websocket.Goroutines}
	}
	return []websocket.Engine{websocket.Goroutines}
}

// onEachEngine runs a test against a fort on each engine.
func onEachEngine(t *testing.T, ws websocket.Config, test func(t *testing.T, f *fort)) {
	t.Helper()
	for _, e := range engines() {
		t.Run("engine="+string(e), func(t *testing.T) {
			ws := ws
			ws.Engine = e
			f := build(t, ws)
			test(t, f)
			f.stands(t)
		})
	}
}

func build(t testing.TB, ws websocket.Config) *fort {
	t.Helper()
	f := plan(ws)
	server := httptest.NewServer(f)
	f.address, f.close = server.Listener.Addr().String(), server.Close
	f.settle(t)
	return f
}

// buildSecure is build in TLS, with a key that may be put in the place of its own.
func buildSecure(t testing.TB, ws websocket.Config, key func(crypto.Signer) crypto.Signer) *fort {
	t.Helper()
	f, pair := plan(ws), testcert.New(t, "fort.example")
	own := pair.TLS
	if key != nil {
		own.PrivateKey = key(pair.Key)
	}
	server := httptest.NewUnstartedServer(f)
	listener := secure.Listen(server.Listener, secure.Config{TLS: &tls.Config{
		Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13,
	}})
	f.handshakes, server.Listener = listener.Stats, listener
	server.Start()
	f.address, f.close = server.Listener.Addr().String(), server.Close
	f.tls = &tls.Config{RootCAs: testcert.Pool(pair), ServerName: "fort.example", MinVersion: tls.VersionTLS13}
	f.settle(t)
	return f
}

func plan(ws websocket.Config) *fort {
	log := slog.New(slog.NewTextHandler(io.Discard, nil)) //nolint:sloglint // what attackers make us log is to be formatted, too
	f := &fort{Endpoint: roost.NewEndpoint(roost.Config{WebSocket: ws, Logger: log, Overload: roost.Overload{Delay: -1}})}
	f.Channel("room:*", roost.ChannelOf((*seat).Join, roost.On("echo", (*seat).Echo), roost.On("shout", (*seat).Shout)))
	return f
}

// settle lets the honest client in; with the test the fort falls.
func (f *fort) settle(t testing.TB) {
	t.Helper()
	var err error
	if f.honest, _, err = client.Dial(context.Background(), f.url("2.0.0"), client.Options{Timeout: patience, TLS: f.tls}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.fall(t) })
}

// fall shuts the endpoint down.
func (f *fort) fall(t testing.TB) {
	f.honest.Drop()
	f.close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := f.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if s := f.Stats(); s.WebSocket.Connections != 0 || s.Channels != 0 || s.Topics != 0 {
		t.Errorf("something is left: %+v", s)
	}
}

func (f *fort) url(vsn string) string {
	scheme := "ws://"
	if f.tls != nil {
		scheme = "wss://"
	}
	return scheme + f.address + "/socket/websocket?vsn=" + vsn + f.query
}

// attacker connects.
func (f *fort) attacker(t testing.TB, vsn string, o client.Options) *client.Conn {
	t.Helper()
	o.Timeout = patience
	return client.Open(t, f.url(vsn), o)
}

// stands checks that the honest client is served and nothing of the attackers
// is left.
func (f *fort) stands(t testing.TB) {
	t.Helper()
	f.honest.ExpectQuiet(t)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		s := f.Stats()
		if s.WebSocket.Connections == 1 && s.Channels == 0 && s.Topics == 0 && s.Workers == 0 && s.WorkersWaiting == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("something is left of the attackers: %+v", s)
		}
	}
}

// strikes sends bytes on a connection of its own: the server answers with a
// close code and hangs up, and serves the honest client meanwhile.
func (f *fort) strikes(t *testing.T, o client.Options, sent []byte, code uint16) {
	t.Helper()
	c := f.attacker(t, "2.0.0", o)
	done := make(chan struct{})
	go func() { // ends when the server has read all, or hangs up
		defer close(done)
		_ = c.SendRaw(sent)
	}()
	f.honest.ExpectQuiet(t)
	c.ExpectClose(t, code)
	c.ExpectEOF(t)
	<-done
	c.Drop()
	f.stands(t)
}

// goesOn is the outcome of an attack on a connection that is open afterwards.
const goesOn = 0

// outcome sends a heartbeat and reads until it is answered, or the connection
// is closed; then it is the close code.
func outcome(t testing.TB, c *client.Conn, beat string) uint16 {
	t.Helper()
	_ = c.SendText(beat)
	for {
		m, err := c.Read(patience)
		switch {
		case err != nil:
			t.Fatalf("neither an answer nor a close frame: %v", err)
		case m.Opcode == frame.Close:
			return m.CloseCode
		case strings.Contains(string(m.Payload), `"the beat"`):
			return goesOn
		}
	}
}

const beatV2 = `[null,"the beat","phoenix","heartbeat",{}]`

const beatV1 = `{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"the beat"}`

func v2(joinRef, ref, topic, event, payload string) string {
	return fmt.Sprintf("[%s,%s,%s,%s,%s]", joinRef, ref, topic, event, payload)
}
