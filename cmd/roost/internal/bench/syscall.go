//go:build linux

package bench

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// read and write are for non-blocking descriptors, so the scheduler need not
// know. A write of n < len(b) bytes has no error.
func read(fd int32, b []byte) (int, error)  { return transfer(unix.SYS_READ, fd, b) }
func write(fd int32, b []byte) (int, error) { return transfer(unix.SYS_WRITE, fd, b) }

func transfer(call uintptr, fd int32, b []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// epollWait waits up to ns nanoseconds; epoll_wait(2) itself knows only
// milliseconds. It needs Linux 5.11.
func epollWait(epfd int, events []unix.EpollEvent, ns int64) (int, error) {
	ts := unix.NsecToTimespec(min(max(ns, 0), int64(time.Hour)))
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(epfd), uintptr(unsafe.Pointer(&events[0])),
		uintptr(len(events)), uintptr(unsafe.Pointer(&ts)), 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case unix.EINTR:
		return 0, nil
	}
	return 0, errno
}
