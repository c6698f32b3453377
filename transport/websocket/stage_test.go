package websocket_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/testcert"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/secure"
	"github.com/roostgo/roost/transport/websocket"
)

// stage is a handler on one engine behind a server, and all sessions that it
// was given.
type stage struct {
	t       testing.TB
	handler *websocket.Handler
	server  *httptest.Server
	tls     *tls.Config // of clients; nil without TLS
	visits  chan *visit // one for each handshake that was let in

	mu   sync.Mutex
	make func() *visit // of the next sessions; nil makes echoes
	all  []*visit
}

// engines are those of this system.
func engines() []websocket.Engine {
	if websocket.HaveLoops {
		return []websocket.Engine{websocket.EventLoops, websocket.Goroutines}
	}
	return []websocket.Engine{websocket.Goroutines}
}

// onEachEngine runs a test of the contract, which is one for all engines.
func onEachEngine(t *testing.T, c websocket.Config, test func(t *testing.T, s *stage)) {
	t.Helper()
	for _, e := range engines() {
		t.Run("engine="+string(e), func(t *testing.T) {
			c := c
			c.Engine = e
			test(t, newStage(t, c))
		})
	}
	if websocket.HaveLoops {
		t.Run("engine="+string(websocket.EventLoops)+",tls", func(t *testing.T) {
			c := c
			c.Engine = websocket.EventLoops
			test(t, newSecureStage(t, c))
		})
	}
}

// newSecureStage starts a server whose connections in TLS the loops carry.
func newSecureStage(t testing.TB, c websocket.Config) *stage {
	t.Helper()
	pair := testcert.New(t, "example.com")
	s := newStageOn(t, c, func(h *httptest.Server) {
		h.Listener = secure.Listen(h.Listener, secure.Config{TLS: &tls.Config{
			Certificates: []tls.Certificate{pair.TLS}, MinVersion: tls.VersionTLS12,
		}})
		h.Start()
	})
	s.server.URL = "https" + strings.TrimPrefix(s.server.URL, "http")
	s.tls = &tls.Config{RootCAs: testcert.Pool(pair), ServerName: "example.com", MinVersion: tls.VersionTLS12}
	return s
}

// newStage starts a server for a test. When the test ends, every session must
// have been closed once and nothing may be left.
func newStage(t testing.TB, c websocket.Config) *stage {
	t.Helper()
	return newStageOn(t, c, (*httptest.Server).Start)
}

func newStageOn(t testing.TB, c websocket.Config, begin func(*httptest.Server)) *stage {
	t.Helper()
	s := &stage{t: t, visits: make(chan *visit, 1<<14)}
	var err error
	if s.handler, err = websocket.New(c, s); err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewUnstartedServer(s.handler)
	begin(s.server)
	t.Cleanup(s.end)
	return s
}

// Connect implements transport.Connector.
func (s *stage) Connect(context.Context, *transport.Handshake) (transport.Session, http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := newVisit()
	if s.make != nil {
		v = s.make()
	}
	s.all = append(s.all, v)
	s.visits <- v
	return v, nil
}

// plays says what sessions do from now on.
func (s *stage) plays(make func() *visit) {
	s.mu.Lock()
	s.make = make
	s.mu.Unlock()
}

// reacts makes sessions that do f with each message.
func (s *stage) reacts(f func(v *visit, data []byte, binary bool) transport.Verdict) {
	s.plays(func() *visit {
		v := newVisit()
		v.onReceive = f
		return v
	})
}

// end cuts what is left and finds fault with it.
func (s *stage) end() {
	s.server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.handler.Shutdown(ctx); err != nil {
		s.t.Errorf("shutdown: %v", err)
	}
	if ctx.Err() != nil {
		s.t.Error("the shutdown took too long")
	}
	if n := s.handler.Stats().Connections; n != 0 {
		s.t.Errorf("%d connections are left", n)
	}
	for _, v := range s.all {
		v.check(s.t)
	}
}

func (s *stage) url() string { return "ws" + strings.TrimPrefix(s.server.URL, "http") }

// dial connects a client and returns its session too.
func (s *stage) dial(o client.Options) (*client.Conn, *visit) {
	s.t.Helper()
	if o.TLS == nil {
		o.TLS = s.tls
	}
	c := client.Open(s.t, s.url(), o)
	return c, <-s.visits
}

// narrow connects a client whose buffers are small, so that it is soon slow.
func (s *stage) narrow() (*client.Conn, *visit) {
	s.t.Helper()
	return s.narrowly(client.Options{})
}

func (s *stage) narrowly(o client.Options) (*client.Conn, *visit) {
	s.t.Helper()
	o.Timeout = patience
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, address)
		if tcp, ok := nc.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(64 << 10)
		}
		return nc, err
	}
	return s.dial(o)
}

// settle lets the server's lane take some turns, by what another client can
// see of it. It needs Loops: 1 and sessions that echo "settle".
func (s *stage) settle() {
	s.t.Helper()
	c, _ := s.dial(client.Options{})
	for range 3 {
		if err := c.SendText("settle"); err != nil {
			s.t.Fatal(err)
		}
		for m := c.Next(s.t); string(m.Payload) != "settle"; m = c.Next(s.t) {
		}
	}
	c.Drop()
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !so(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it never came to be that %s", what)
		}
	}
}

// awaitNone waits until no connection is left.
func (s *stage) awaitNone() {
	s.t.Helper()
	eventually(s.t, "no connection is left", func() bool { return s.handler.Stats().Connections == 0 })
}

// frameOf is a text message to send.
func frameOf(text string) *transport.Frame {
	return transport.Seal(append(transport.Room(len(text)), text...), false)
}
