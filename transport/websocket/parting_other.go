//go:build !linux

package websocket

import (
	"net"
	"time"
)

// hurryConn leaves the kernel to its own patience.
func hurryConn(net.Conn, time.Duration) {}

// hasRoom is not known.
func hasRoom(net.Conn) bool { return false }
