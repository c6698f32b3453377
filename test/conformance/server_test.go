package conformance

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// patience bounds every wait; what takes as long has failed.
const patience = 20 * time.Second

// server is an endpoint behind net/http. It ends with its test.
type server struct {
	Endpoint *roost.Endpoint
	HTTP     string // "http://127.0.0.1:1234"
	URL      string // "ws://127.0.0.1:1234/socket/websocket"

	engine   websocket.Engine
	logs     *logs
	rooms    rooms
	connects connects
	clients  []*client.Conn // that dialWith connected
}

// serve starts a server; configure may be nil.
func serve(t *testing.T, engine websocket.Engine, configure func(*roost.Config)) *server {
	t.Helper()
	s := newServer(engine, configure)
	s.listen(t, s.Endpoint)
	return s
}

// newServer makes a server that does not listen yet.
func newServer(engine websocket.Engine, configure func(*roost.Config)) *server {
	s := &server{engine: engine, logs: newLogs(), connects: newConnects()}
	c := roost.Config{Logger: slog.New(s.logs), Overload: roost.Overload{Delay: -1}, WebSocket: websocket.Config{Engine: engine, Loops: 2}}
	if configure != nil {
		configure(&c)
	}
	c.Connect = s.connects.before(c.Connect)
	s.Endpoint = roost.NewEndpoint(c)
	s.Endpoint.Channel("room:*", s.rooms.factory)
	s.Endpoint.Channel("exact", s.rooms.factory)
	return s
}

// listen serves a handler that has the endpoint somewhere.
func (s *server) listen(t *testing.T, h http.Handler) {
	t.Helper()
	hs := httptest.NewServer(h)
	s.HTTP = hs.URL
	s.URL = s.ws("/socket/websocket")
	t.Cleanup(func() {
		s.shutdown(t)
		hs.Close()
	})
}

// another starts one more server with the same engine.
func (s *server) another(t *testing.T, configure func(*roost.Config)) *server {
	t.Helper()
	return serve(t, s.engine, configure)
}

// shutdown ends the endpoint and checks that it kept nothing. Doing it twice does no harm.
func (s *server) shutdown(t *testing.T) {
	t.Helper()
	s.rooms.releaseAll()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Endpoint.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if n := s.Endpoint.Stats(); n.WebSocket.Connections != 0 || n.Channels != 0 || n.Workers != 0 || n.WorkersWaiting != 0 {
		t.Errorf("left after the shutdown: %+v", n)
	}
}

// open connects a V2 client.
func (s *server) open(t *testing.T) *client.Conn {
	t.Helper()
	return s.dial(t, "vsn=2.0.0")
}

// openV1 connects a V1 client.
func (s *server) openV1(t *testing.T) *client.Conn {
	t.Helper()
	return s.dial(t, "vsn=1.0.0")
}

// dial connects a client with this query.
func (s *server) dial(t *testing.T, query string) *client.Conn {
	t.Helper()
	return s.dialWith(t, query, client.Options{})
}

func (s *server) dialWith(t *testing.T, query string, o client.Options) *client.Conn {
	t.Helper()
	c := client.Open(t, s.URL+"?"+query, o)
	s.clients = append(s.clients, c)
	return c
}

// crowd connects n V2 clients, each joined to the topics.
func (s *server) crowd(t *testing.T, n int, topics ...string) []*client.Conn {
	t.Helper()
	clients := make([]*client.Conn, n)
	for i := range clients {
		clients[i] = s.open(t)
		for _, topic := range topics {
			clients[i].Join(t, topic, "1", "")
		}
	}
	return clients
}

// refused is a handshake that must be answered with a status other than 101; it returns the body.
func (s *server) refused(t *testing.T, query string, o client.Options, status int) string {
	t.Helper()
	return client.Refused(t, s.URL+"?"+query, o, status)
}

// ws is the URL of a path on this server.
func (s *server) ws(path string) string { return "ws" + strings.TrimPrefix(s.HTTP, "http") + path }

// expectEnd waits until a room of the topic has terminated and returns why.
func (s *server) expectEnd(t *testing.T, topic string) error {
	t.Helper()
	return s.rooms.expectEnd(t, topic)
}

// release lets the room that blocks on this topic go on, or the next one that will.
func (s *server) release(topic string) { s.rooms.gate(topic).open() }

// gate holds back whoever passes, until it is opened.
type gate struct {
	once   sync.Once
	opened chan struct{}
}

func newGate() *gate { return &gate{opened: make(chan struct{})} }

func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }

// errShut is returned by pass when nobody opened the gate.
var errShut = errors.New("conformance: a gate stayed shut")

// pass waits until the gate is open.
func (g *gate) pass() error {
	select {
	case <-g.opened:
		return nil
	case <-time.After(patience):
		return errShut
	}
}

// receive waits for a value of a channel that the test is about.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s after %v", what, patience)
		panic("unreachable")
	}
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
