package websocket_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// inKernel reports whether the system still has the server's end of a client's
// connection, with what was to be sent over it.
func inKernel(t *testing.T, c net.Conn) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	port := func(a net.Addr) int { return a.(*net.TCPAddr).Port }
	return strings.Contains(string(table), fmt.Sprintf(":%04X 0100007F:%04X ", port(c.RemoteAddr()), port(c.LocalAddr())))
}

// A client that is cut because it does not read would else keep the kernel's
// buffers for minutes, when nobody counts them any more.
func TestNothingIsLeftInTheKernelForAClientThatIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		config websocket.Config
		end    func(*testing.T, *visit)
		reason error
	}{
		"slow":    {websocket.Config{Outbox: smallOutbox}, func(t *testing.T, v *visit) { v.flood(t, 10_000) }, transport.ErrSlowConsumer},
		"stalled": {websocket.Config{WriteTimeout: short, Outbox: 64 << 20}, func(*testing.T, *visit) {}, transport.ErrSlowConsumer},
		"unanswered": {websocket.Config{CloseTimeout: short, Outbox: 64 << 20}, func(t *testing.T, v *visit) {
			v.onLane(t, func() { v.conn.Close(transport.CloseGoingAway) })
		}, transport.ErrServerClosed},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.Loops, c.config.SendBuffer = 1, 16<<10
			onEachEngine(t, c.config, func(t *testing.T, s *stage) {
				stuck, v := s.narrow()
				nc := bareClient(stuck)
				if !inKernel(t, nc) {
					t.Fatal("the connection is not in the table")
				}
				v.onLane(t, func() { v.conn.Enqueue(frameOf(strings.Repeat("x", 4<<20)), transport.Direct) })
				c.end(t, v)
				v.awaitClosed(t, c.reason)
				eventually(t, "the kernel has forgotten it", func() bool { return !inKernel(t, nc) })
				if err := nc.SetReadDeadline(time.Now().Add(patience)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, nc); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the client sees %v", err)
				}
			})
		})
	}
}

func bareClient(c *client.Conn) net.Conn {
	if t, ok := c.NetConn().(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return c.NetConn()
}
