package websocket_test

import (
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// oneLoop carries all connections of a test, so that they wait for one another.
var oneLoop = websocket.Config{Loops: 1, Engine: websocket.EventLoops}

// stop keeps a session's loop from going on until the result is called.
func (v *visit) stop() (goOn func()) {
	stopped, resumed := make(chan struct{}), make(chan struct{})
	v.conn.Lane().Post(lane.Func(func() { close(stopped); <-resumed }), nil)
	<-stopped
	return func() { close(resumed) }
}

// arrived waits until the server's kernel has all that a client has sent: on a busy
// machine that is not when it was sent.
func arrived(t *testing.T, c *client.Conn) {
	t.Helper()
	raw, err := c.NetConn().(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has arrived", func() bool {
		left := 0
		if refused := raw.Control(func(fd uintptr) { left, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); refused != nil || err != nil { //nolint:gosec // a descriptor
			t.Fatal(refused, err)
		}
		return left == 0
	})
}

// countEnds has sessions count their ends.
func (s *stage) countEnds(ends *atomic.Int64) {
	s.plays(func() *visit {
		v := newVisit()
		v.onClosed = func(*visit) { ends.Add(1) }
		return v
	})
}

func TestWhoStaysDoesNotWaitForAllWhoLeave(t *testing.T) {
	const many = 1000
	for name, leave := range map[string]func(*client.Conn){"end": (*client.Conn).Drop, "reset": (*client.Conn).Abort} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, oneLoop)
			var ends atomic.Int64
			s.countEnds(&ends)
			leavers := s.crowd(many)
			before := int64(-1)
			s.reacts(func(v *visit, data []byte, binary bool) transport.Verdict {
				before = ends.Load()
				return echo(v, data, binary)
			})
			c, v := s.dial(client.Options{})
			v.onLane(t, func() {})

			goOn := v.stop()
			for _, l := range leavers {
				leave(l)
			}
			send(t, c, text("I stay"))
			arrived(t, c)
			goOn()
			expectText(t, c, "I stay")
			v.onLane(t, func() {
				if before > many/4 { // a batch of events is 256, and after each some part
					t.Errorf("%d of %d were seen off first", before, many)
				}
			})
			eventually(t, "all have left", func() bool { return ends.Load() == many })
		})
	}
}

func TestWhatClientsSentBeforeTheyLeftIsReceived(t *testing.T) {
	s := newStage(t, oneLoop)
	s.reacts(func(*visit, []byte, bool) transport.Verdict { return transport.Continue }) // an answer would be met by a reset
	large := strings.Repeat("x", 200<<10)                                                // several reads
	_, keeper := s.dial(client.Options{})
	keeper.onLane(t, func() {})
	goOn := keeper.stop()
	var left []*visit
	for range 100 {
		c, v := s.dial(client.Options{})
		send(t, c, texts("one", large, "two"))
		c.Drop()
		left = append(left, v)
	}
	goOn()
	for _, v := range left {
		v.awaitClosed(t, transport.ErrClientGone)
		if got := v.messages(); !slices.Equal(got, []string{"one", large, "two"}) {
			t.Fatalf("%d messages were received", len(got))
		}
	}
}

func TestASessionThatHoldsAfterItsClientHasLeftGetsTheRestWhenItGoesOn(t *testing.T) {
	s := newStage(t, oneLoop)
	s.reacts(func(v *visit, data []byte, _ bool) transport.Verdict {
		if string(data) == "hold" {
			return transport.Hold
		}
		return transport.Continue
	})
	c, v := s.dial(client.Options{})
	v.onLane(t, func() {})
	goOn := v.stop()
	large := strings.Repeat("x", 200<<10)
	send(t, c, texts("hold", large, "last"))
	c.Drop()
	goOn()
	v.awaitMessages(t, 1)
	v.onLane(t, func() {})
	if got := v.messages(); len(got) != 1 {
		t.Fatalf("%d messages were received while held", len(got))
	}
	v.resume(t)
	v.awaitClosed(t, transport.ErrClientGone)
	if got := v.messages(); !slices.Equal(got, []string{"hold", large, "last"}) {
		t.Errorf("%d messages were received", len(got))
	}
}

func TestManySilentClientsAreSeenOffALittleAtATime(t *testing.T) {
	const many = 500
	s := newStage(t, websocket.Config{Loops: 1, Engine: websocket.EventLoops, Timeout: short})
	var ends, soon atomic.Int64
	s.plays(func() *visit {
		v := newVisit()
		v.onClosed = func(v *visit) {
			if ends.Add(1) == 1 {
				v.conn.Lane().Post(lane.Func(func() { soon.Store(ends.Load()) }), nil)
			}
		}
		return v
	})
	leavers := s.crowd(many)
	first := s.all[0]
	goOn := first.stop() // until all have been silent for too long
	whileFor(2*short, func() {})
	goOn()
	for _, c := range leavers {
		c.ExpectClose(t, 1002)
		c.Drop()
	}
	if n := soon.Load(); n == 0 || n > many/4 {
		t.Errorf("%d of %d ended before the loop did anything else", n, many)
	}
	if ends.Load() != many {
		t.Errorf("%d of %d ended", ends.Load(), many)
	}
}
