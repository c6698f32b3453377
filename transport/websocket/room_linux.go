package websocket

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// hasRoom reports whether the kernel takes more for a client of the goroutine
// engine: nobody else can tell a writer that is stuck from one that has not run.
func hasRoom(nc net.Conn) (room bool) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, 0) //nolint:gosec // a descriptor
		room = err == nil && n == 1
	})
	return room
}
