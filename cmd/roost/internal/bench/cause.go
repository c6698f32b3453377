//go:build linux

package bench

import (
	"encoding/binary"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// closeCause names the code of a close frame.
func closeCause(payload []byte) string {
	if len(payload) < 2 {
		return "close"
	}
	return "close-" + strconv.Itoa(int(binary.BigEndian.Uint16(payload)))
}

// errnoCause is a short name for why a connection failed.
func errnoCause(err error) string {
	switch {
	case errors.Is(err, unix.ECONNREFUSED):
		return "refused"
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return "reset"
	case errors.Is(err, unix.ETIMEDOUT):
		return "timeout-kernel"
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return "out-of-descriptors"
	case errors.Is(err, unix.EADDRNOTAVAIL), errors.Is(err, unix.EADDRINUSE):
		return "out-of-ports"
	}
	return err.Error()
}
