package websocket

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What the kernel holds for a client outlives our close: it goes on offering
// it for minutes to one that does not read, in memory that counts for nobody.
// So a connection of which frames still wait is reset, which frees all of it at
// once: its client could not understand the rest anyway. It is not told why; it
// finds out when it next reads or writes. And what has left for the kernel,
// such as a close frame, has CloseTimeout to go on.

// sever closes the descriptor of a connection. Somebody may have its File: then
// that is not the end of it, and the poller would report it for ever.
func (l *loop) sever(c *conn) {
	if !c.is(leaving) {
		_ = l.poller.Remove(int(c.fd)) // it may never have been watched
	}
	if c.sending() {
		_ = unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	} else {
		hurry(int(c.fd), l.config.CloseTimeout)
	}
	_ = syscall.Close(int(c.fd))
}

// hurry gives what the kernel holds of a connection that ends so long without
// progress (tcp(7), TCP_USER_TIMEOUT).
func hurry(fd int, d time.Duration) {
	if n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ); err != nil || n == 0 {
		return
	}
	ms := max(d.Milliseconds(), 1) // 0 is the kernel's choice
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(ms))
}

// hurryConn is hurry for a connection of the goroutine engine.
func hurryConn(nc net.Conn, d time.Duration) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := sc.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { hurry(int(fd), d) })
	}
}
