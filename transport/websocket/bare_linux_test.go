package websocket_test

import (
	"context"
	"net"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/roostgo/roost/internal/proxyproto"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// A connection that began with a PROXY header is parked like any other, and
// nothing of what followed the header is lost.
func TestAConnectionBehindAProxyIsParkedOnALoop(t *testing.T) {
	s := newStageOn(t, websocket.Config{Engine: websocket.EventLoops}, func(h *httptest.Server) {
		h.Listener = &proxyproto.Listener{Listener: h.Listener, Trusts: netip.Addr.IsLoopback}
		h.Start()
	})
	c, _ := s.dial(client.Options{Early: text("early"), Dial: announcing})
	expectText(t, c, "early")
	send(t, c, text("late"))
	expectText(t, c, "late")
	if n := s.handler.Parked(); n != 1 {
		t.Errorf("%d connections are parked", n)
	}
}

// announcing connects as a proxy does.
func announcing(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	_, err = nc.Write([]byte("PROXY TCP4 203.0.113.9 10.0.0.2 12345 4000\r\n"))
	return nc, err
}
