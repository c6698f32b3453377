package websocket

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/internal/poll"
	"github.com/roostgo/roost/transport"
)

// fate is a session that only wants to know its end.
type fate struct {
	opened bool
	end    chan error
}

func (f *fate) Open(transport.Conn)                    { f.opened = true }
func (f *fate) Receive([]byte, bool) transport.Verdict { return transport.Continue }
func (f *fate) Closed(reason error)                    { f.end <- reason }

// startLoops starts one loop, which ends with the test.
func startLoops(t *testing.T) *loops {
	t.Helper()
	c := Config{Loops: 1}.withDefaults()
	e := newLoops(&c, newHoard(0)).(*loops)
	if err := e.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.shutdown(t.Context()) // cut at once: the test's context is done
	})
	return e
}

func TestADescriptorThatCannotBeWatchedIsRefused(t *testing.T) {
	e := startLoops(t)
	fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0) // epoll does not take it
	if err != nil {
		t.Fatal(err)
	}
	f := &fate{end: make(chan error, 2)}
	c := &conn{loop: e.all()[0], fd: int32(fd), gen: 1, session: f} //nolint:gosec // a descriptor
	c.loop.lane.Post(c, arrival{buffered: []byte{0x81, 0}})
	select {
	case err := <-f.end:
		if !errors.Is(err, syscall.EPERM) || f.opened {
			t.Errorf("closed because of %v, opened %v", err, f.opened)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it was not closed")
	}
	barrier(t, c.loop)
	if n := e.stats().Connections; n != 0 || e.table.at(c.fd) != nil {
		t.Errorf("%d connections are left", n)
	}
	if err := unix.Close(fd); !errors.Is(err, unix.EBADF) {
		t.Errorf("the descriptor was left: %v", err)
	}
}

// barrier waits until the loop has done what was posted before.
func barrier(t *testing.T, l *loop) {
	t.Helper()
	done := make(chan struct{})
	l.lane.Post(lane.Func(func() { close(done) }), nil)
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("the loop is stuck")
	}
}

// connected is the two ends of a TCP connection.
func connected(t *testing.T) (server, client *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.Close(), s.Close() })
	return s.(*net.TCPConn), c.(*net.TCPConn)
}

// A middleware that asks a connection for its File can leave it blocking,
// where one read of a stale event would stop the loop.
func TestABlockingDescriptorDoesNotBlockTheLoop(t *testing.T) {
	e := startLoops(t)
	server, client := connected(t)
	raw, err := server.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { err = unix.SetNonblock(int(fd), false) }); err != nil {
		t.Fatal(err)
	}
	f := &fate{end: make(chan error, 2)}
	if err := e.adopt(server, nil, f, 0); err != nil {
		t.Fatal(err)
	}
	l := e.all()[0]
	barrier(t, l)
	l.lane.Post(lane.Func(func() {
		e.table.each(func(c *conn) { l.readable(c, unix.EPOLLIN) }) // nothing is there to read
	}), nil)
	barrier(t, l)
	_ = client.Close()
	if err := <-f.end; !errors.Is(err, transport.ErrClientGone) {
		t.Errorf("closed because of %v", err)
	}
}

func TestAConnectionWhoseFileSomebodyHasIsWatchedNoMore(t *testing.T) {
	e := startLoops(t)
	l := e.all()[0]
	server, client := connected(t)
	file, err := server.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := e.adopt(server, nil, &fate{end: make(chan error, 2)}, 0); err != nil {
		t.Fatal(err)
	}
	barrier(t, l)
	l.lane.Post(lane.Func(func() {
		var gone *conn
		e.table.each(func(c *conn) { gone = c })
		l.destroy(gone, transport.ErrServerClosed)
		_ = client.Close()
		if n, err := unix.Poll([]unix.PollFd{{Fd: int32(file.Fd()), Events: unix.POLLRDHUP}}, 30_000); n != 1 { //nolint:gosec // a descriptor
			t.Errorf("the client's end has not come: %v", err)
		}
		for _, ev := range l.poller.Poll() {
			if ev.Token == gone.token() {
				t.Error("what has ended is still reported")
			}
		}
	}), nil)
	barrier(t, l)
}

// An event of a connection that has ended must not reach the one that has its
// descriptor's number now.
func TestAStaleEventReachesNobody(t *testing.T) {
	e := startLoops(t)
	l := e.all()[0]
	var first, second *conn
	adopt := func() *conn {
		server, _ := connected(t)
		if err := e.adopt(server, nil, &fate{end: make(chan error, 2)}, 0); err != nil {
			t.Fatal(err)
		}
		barrier(t, l)
		var found *conn
		l.lane.Post(lane.Func(func() {
			e.table.each(func(c *conn) {
				if c != first {
					found = c
				}
			})
		}), nil)
		barrier(t, l)
		return found
	}
	first = adopt()
	l.lane.Post(lane.Func(func() { l.destroy(first, transport.ErrServerClosed) }), nil)
	barrier(t, l)
	second = adopt()
	if first.gen == second.gen || first.token() == second.token() {
		t.Fatalf("two connections have the token %x", first.token())
	}
	l.lane.Post(lane.Func(func() {
		stale := first.token()&^0xffffffff | second.token()&0xffffffff
		second.flags |= held // a held connection that is broken ends
		l.ready(event(stale))
		if second.state != open {
			t.Error("a stale event ended another connection")
		}
		second.flags &^= held
		first.Close(transport.CloseNormal)
		first.Enqueue(transport.Seal(transport.Room(0), false), transport.Direct)
		first.Resume()
		l.destroy(first, transport.ErrServerClosed)
		if e.table.at(second.fd) != second {
			t.Error("a connection that has ended took another with it")
		}
	}), nil)
	barrier(t, l)
}

// event says that a descriptor is broken.
func event(token uint64) poll.Event {
	return poll.Event{Token: token, Ready: unix.EPOLLIN | unix.EPOLLHUP | unix.EPOLLERR}
}
