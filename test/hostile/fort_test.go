package hostile

import (
	"bufio"
	"context"
	"crypto"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
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
const patience = 30 * time.Second

// fort is an endpoint under attack, and the honest client that it serves
// meanwhile.
type fort struct {
	*roost.Endpoint
	address string
	tls     *tls.Config // of clients; nil without TLS
	query   string      // that every url has besides
	full    bool        // newcomers find no place, as is right
	close   func()      // lets nobody in any more
	honest  *client.Conn
	watch   *watcher

	handshakes func() secure.Stats // of buildSecure
}

// Who and what is there without an attacker: the honest client, the watcher,
// and where that is.
const (
	residents = 2
	rooms     = 1
)

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

// onEachEngine runs a test against a fort on each engine, and over TLS.
func onEachEngine(t *testing.T, ws websocket.Config, test func(t *testing.T, f *fort)) {
	t.Helper()
	forts := map[string]func(*testing.T, websocket.Config) *fort{}
	for _, e := range engines() {
		forts["engine="+string(e)] = func(t *testing.T, ws websocket.Config) *fort {
			ws.Engine = e
			return build(t, ws)
		}
	}
	forts["tls"] = func(t *testing.T, ws websocket.Config) *fort {
		return behind(t, &roost.Server{TLS: new(roost.TLS)}, ws)
	}
	for name, fortify := range forts {
		t.Run(name, func(t *testing.T) {
			f := fortify(t, ws)
			test(t, f)
			f.stands(t)
		})
	}
}

// endpoint makes what is attacked. Everybody is on one loop, so that a client
// which holds it up holds up all.
func endpoint(c roost.Config) *roost.Endpoint {
	c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil)) //nolint:sloglint // what attackers make us log is to be formatted, too
	c.Overload, c.WebSocket.Loops = roost.Overload{Delay: -1}, 1
	e := roost.NewEndpoint(c)
	e.Channel("room:*", roost.ChannelOf((*seat).Join, roost.On("echo", (*seat).Echo), roost.On("shout", (*seat).Shout)))
	return e
}

func build(t testing.TB, ws websocket.Config) *fort {
	t.Helper()
	f := &fort{Endpoint: endpoint(roost.Config{WebSocket: ws})}
	server := httptest.NewServer(f)
	f.address, f.close = server.Listener.Addr().String(), server.Close
	f.settle(t)
	return f
}

// buildSecure is build in TLS, with a key that may be put in the place of its own.
func buildSecure(t testing.TB, ws websocket.Config, key func(crypto.Signer) crypto.Signer) *fort {
	t.Helper()
	f, pair := &fort{Endpoint: endpoint(roost.Config{WebSocket: ws})}, testcert.New(t, "fort.example")
	own := pair.TLS
	if key != nil {
		own.PrivateKey, f.full = key(pair.Key), true // nobody comes in while it takes its time
	}
	server := httptest.NewUnstartedServer(f)
	listener := secure.Listen(server.Listener, secure.Config{TLS: &tls.Config{
		Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13,
	}, Timeout: patience})
	f.handshakes, server.Listener = listener.Stats, listener
	server.Start()
	f.address, f.close = server.Listener.Addr().String(), server.Close
	f.tls = &tls.Config{RootCAs: testcert.Pool(pair), ServerName: "fort.example", MinVersion: tls.VersionTLS13}
	f.settle(t)
	return f
}

// settle lets the honest client and the watcher in; with the test the fort
// falls.
func (f *fort) settle(t testing.TB) {
	t.Helper()
	knock := f.knock
	if f.full {
		knock = nil
	}
	f.watch = watch(t, f.enter(t), knock)
	f.honest = f.enter(t)
	t.Cleanup(func() { f.fall(t) })
}

// enter connects somebody who stays for longer than a test of a fuzzer.
func (f *fort) enter(t testing.TB) *client.Conn {
	t.Helper()
	c, _, err := client.Dial(context.Background(), f.url("2.0.0"), client.Options{Timeout: patience, TLS: f.tls})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// connect opens a connection, which patience bounds.
func (f *fort) connect() (net.Conn, error) {
	nc, err := net.Dial("tcp", f.address)
	if err != nil {
		return nil, err
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	if f.tls == nil {
		return nc, nil
	}
	c := tls.Client(nc, f.tls)
	if err := c.Handshake(); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return c, nil
}

// knock connects, asks for the socket without an upgrade, and is answered.
func (f *fort) knock() error {
	nc, err := f.connect()
	if err != nil {
		return err
	}
	defer vanish(nc)
	if _, err := io.WriteString(nc, "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest && resp.StatusCode != http.StatusForbidden {
		return fmt.Errorf("the answer is %s", resp.Status)
	}
	return nil
}

// vanish closes with a reset: there are only so many ports, and who knocks does
// it again and again.
func vanish(nc net.Conn) {
	if c, ok := nc.(*tls.Conn); ok {
		nc = c.NetConn()
	}
	_ = nc.(*net.TCPConn).SetLinger(0)
	_ = nc.Close()
}

// fall shuts the endpoint down.
func (f *fort) fall(t testing.TB) {
	f.watch.end()
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
	scheme := "ws"
	if f.tls != nil {
		scheme = "wss"
	}
	return scheme + "://" + f.address + "/socket/websocket?vsn=" + vsn + f.query
}

// attacker connects.
func (f *fort) attacker(t testing.TB, vsn string, o client.Options) *client.Conn {
	t.Helper()
	o.Timeout, o.TLS = patience, f.tls
	return client.Open(t, f.url(vsn), o)
}

// stands checks that the honest client is served, that nothing of the attackers
// is left, and that nobody felt anything of them.
func (f *fort) stands(t testing.TB) {
	t.Helper()
	f.honest.ExpectQuiet(t)
	f.empties(t)
	f.watch.felt(t)
}

// empties waits until nothing is left of the attackers.
func (f *fort) empties(t testing.TB) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		s := f.Stats()
		if s.WebSocket.Connections == residents && s.Channels == rooms && s.Topics == rooms && s.Workers == 0 && s.WorkersWaiting == 0 {
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
