// Package reuseport lets several processes listen on one port (SO_REUSEPORT),
// and one of them leave without losing who waits for it.
//
// Linux gives each of the listening sockets a share of the connections, and a
// queue of its own for those that nobody has accepted yet. What is in the queue
// when its socket is closed is reset, unless net.ipv4.tcp_migrate_req hands it
// to another socket of the group.
package reuseport

import (
	"bytes"
	"context"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Control is for net.ListenConfig: it sets the option before the socket is
// bound. All processes that share a port must belong to the same user.
func Control(_, _ string, c syscall.RawConn) (err error) {
	outer := c.Control(func(fd uintptr) {
		err = os.NewSyscallError("setsockopt SO_REUSEPORT", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
	})
	if outer != nil {
		return outer
	}
	return err
}

// Migrates reports whether this system hands the queue of a socket that is
// closed to the others of its group (Linux 5.14, and off until it is set).
func Migrates() bool {
	b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_migrate_req")
	return err == nil && bytes.Equal(bytes.TrimSpace(b), []byte("1"))
}

// glance is how often Emptied looks.
const glance = time.Millisecond

// Emptied waits until nobody waits in the queue of l, or ctx is done. Somebody
// else accepts meanwhile; who calls it closes l right after it.
func Emptied(ctx context.Context, l net.Listener) {
	s, ok := l.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return
	}
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for queued(raw) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// queued reports whether a connection waits to be accepted.
func queued(c syscall.RawConn) (waits bool) {
	err := c.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0) //nolint:gosec // a descriptor
		waits = err == unix.EINTR || err == nil && n > 0                            //nolint:errorlint // a bare errno
	})
	return err == nil && waits
}
