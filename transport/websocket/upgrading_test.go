package websocket_test

import (
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// hesitant is a listener whose connections wait before they write.
type hesitant struct {
	net.Listener
	began, may chan struct{}
}

type hesitantConn struct {
	net.Conn
	h hesitant
}

func (h hesitant) Accept() (net.Conn, error) {
	c, err := h.Listener.Accept()
	return hesitantConn{c, h}, err
}

func (c hesitantConn) Write(b []byte) (int, error) {
	c.h.began <- struct{}{}
	<-c.h.may
	return c.Conn.Write(b)
}

// net/http has let go of the connection, and the program may end with Shutdown.
func TestShutdownWaitsForUpgradesThatAreUnderWay(t *testing.T) {
	h := hesitant{began: make(chan struct{}, 8), may: make(chan struct{})}
	s := newStageOn(t, websocket.Config{}, func(hs *httptest.Server) {
		h.Listener = hs.Listener
		hs.Listener = h
		hs.Start()
	})
	dialled := make(chan error, 1)
	go func() { // ends with the answer
		c, _, err := client.Dial(t.Context(), s.url(), client.Options{Timeout: patience})
		if err == nil {
			defer c.Drop()
			if m, read := c.Read(patience); read != nil || m.CloseCode != 1012 {
				t.Errorf("got %v, %v, want close 1012", m, read)
			}
		}
		dialled <- err
	}()
	<-h.began
	ctx, done := within(t, patience), make(chan struct{})
	go func() { defer close(done); s.shutdown(ctx) }() // ends with ctx at the latest
	select {
	case <-done:
		t.Error("it did not wait")
	case <-time.After(30 * time.Millisecond):
	}
	close(h.may)
	if err := <-dialled; err != nil {
		t.Error(err)
	}
	<-done
}
