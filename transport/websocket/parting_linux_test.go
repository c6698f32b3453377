package websocket_test

import (
	"bufio"
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

// kept is how many bytes the kernel has that the server sent on a connection
// and the client's kernel did not take (proc(5), /proc/net/tcp).
func kept(t *testing.T, c *client.Conn) (bytes int) {
	t.Helper()
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wanted := fmt.Sprintf(":%04X 0100007F:%04X ", port(c.NetConn().RemoteAddr()), port(c.NetConn().LocalAddr()))
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); strings.Contains(lines.Text(), wanted) {
			if _, err := fmt.Sscanf(fields[4], "%X:", &bytes); err != nil {
				t.Fatalf("%q: %v", fields, err)
			}
			return bytes
		}
	}
	return 0
}

// awaitForgotten waits until the kernel keeps nothing for a client.
func awaitForgotten(t *testing.T, c *client.Conn) {
	t.Helper()
	eventually(t, "the kernel keeps nothing", func() bool { return kept(t, c) == 0 })
}

func port(a net.Addr) int { return a.(*net.TCPAddr).Port }

// expectReset finds out that the connection was reset.
func expectReset(t *testing.T, what string, try func() error) {
	t.Helper()
	began := time.Now()
	var err error
	for err == nil && time.Since(began) < patience {
		err = try()
	}
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a client that %s: %v after %v", what, err, time.Since(began))
	}
}

func TestNothingIsKeptOfASlowClientAndItNoticesWhenItReadsOrWrites(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, Outbox: smallOutbox}, func(t *testing.T, s *stage) {
		var writes, reads *client.Conn
		for _, c := range []**client.Conn{&writes, &reads} {
			var v *visit
			*c, v = s.narrow()
			v.flood(t, 1000)
			v.awaitClosed(t, transport.ErrSlowConsumer)
		}
		for _, c := range []*client.Conn{writes, reads} {
			awaitForgotten(t, c)
		}
		expectReset(t, "writes", func() error { return writes.Ping("") })
		expectReset(t, "reads", func() error { _, err := io.CopyN(io.Discard, reads.NetConn(), 1000); return err })
	})
}

func TestNothingIsKeptOfAStalledClient(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, WriteTimeout: short}, func(t *testing.T, s *stage) {
		c, v := s.narrow()
		v.onLane(t, func() { v.conn.Enqueue(frameOf(strings.Repeat("x", 4<<20)), transport.Direct) })
		v.awaitClosed(t, transport.ErrSlowConsumer)
		awaitForgotten(t, c)
		expectReset(t, "writes", func() error { return c.Ping("") })
	})
}

// fills sends until the kernel's buffers are full of what the client does not read.
func (v *visit) fills(t *testing.T, c *client.Conn) {
	t.Helper()
	f := frameOf(strings.Repeat("x", 8000))
	for range 1000 {
		v.onLane(t, func() { v.conn.Enqueue(f, transport.Direct) })
		if kept(t, c) < 16_000 {
			continue
		}
		if whileFor(short, func() {}); kept(t, c) > 0 { // the acknowledgement was not merely late
			return
		}
	}
	t.Fatal("8 MB were sent to a client that does not read")
}

// floods sends more than the kernel takes.
func (v *visit) floods(t *testing.T, _ *client.Conn) {
	t.Helper()
	v.onLane(t, func() { v.conn.Enqueue(frameOf(strings.Repeat("x", 8<<20)), transport.Direct) })
}

// A client that does not read its close frame, where ever that waits, costs
// nothing more when its time is over.
func TestNothingIsKeptOfAClientThatDoesNotReadItsCloseFrame(t *testing.T) {
	for where, fill := range map[string]func(*visit, *testing.T, *client.Conn){"in the kernel": (*visit).fills, "in the outbox": (*visit).floods} {
		t.Run(where, func(t *testing.T) {
			onEachEngine(t, websocket.Config{Loops: 1, CloseTimeout: short}, func(t *testing.T, s *stage) {
				c, v := s.narrow()
				fill(v, t, c)
				v.onLane(t, func() { v.conn.Close(transport.CloseGoingAway) })
				s.awaitNone()
				awaitForgotten(t, c)
			})
		})
	}
}

func TestAClientThatReadsLateStillGetsItsCloseFrame(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, CloseTimeout: short}, func(t *testing.T, s *stage) {
		c, v := s.narrow()
		v.onLane(t, func() {
			for range 10 {
				v.conn.Enqueue(frameOf(strings.Repeat("x", 1000)), transport.Direct)
			}
			v.conn.Close(transport.CloseGoingAway)
		})
		s.awaitNone()
		for range 10 {
			if m := c.Next(t); len(m.Payload) != 1000 {
				t.Fatalf("got %.100v", m)
			}
		}
		c.ExpectClose(t, 1001)
	})
}
