//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A server that is nearly idle wakes up for each message, and what that costs
// has little to do with w: the kernel switches to it from doing nothing, which
// is dear on a virtual machine. So the least that a wake-up costs is measured
// beside w: a bare epoll loop that reads a message and writes it back.

// wakeOrder has the writer wake up once every Every ns, for For ns.
type wakeOrder struct {
	Every int64 `json:"every"`
	For   int64 `json:"for"`
}

// wakeAnswer is how often it did, and the CPU time of the thread that did, in
// ns.
type wakeAnswer struct {
	Wakes int   `json:"wakes"`
	CPU   int64 `json:"cpu"`
}

// wakeSize is about a heartbeat, masked.
const wakeSize = 40

// cost is the CPU time of one wake-up.
func (a wakeAnswer) cost() time.Duration {
	if a.Wakes == 0 {
		return 0
	}
	return time.Duration(a.CPU / int64(a.Wakes))
}

// measureWake starts a process that measures it.
func measureWake(ctx context.Context, o wakeOrder) (time.Duration, error) {
	r, w, err := os.Pipe() // the writer wants its descriptor 3
	if err != nil {
		return 0, err
	}
	defer r.Close()
	defer w.Close()
	p, err := startProcess(ctx, "writer", r)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	c, err := give[wakeAnswer](p, "wake", o)
	if err != nil {
		return 0, err
	}
	got, err := c.wait(ctx, time.Duration(o.For)+answerWithin)
	return got.cost(), err
}

// wakeUp measures in a process that does nothing else: one thread sleeps and
// sends, another waits, reads and writes back. Both block without telling the
// scheduler, which therefore gets two threads more.
func wakeUp(o wakeOrder) (wakeAnswer, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 2))
	near, far, err := ends()
	if err != nil {
		return wakeAnswer{}, err
	}
	defer unix.Close(near) //nolint:errcheck // nothing depends on it
	var answer wakeAnswer
	echoed := make(chan error, 1)
	go func() { // ends when far is closed
		var err error
		answer, err = echo(int32(near))
		echoed <- err
	}()
	err = knock(int32(far), o)
	return answer, errors.Join(err, unix.Close(far), <-echoed)
}

// ends are those of a TCP connection, blocking.
func ends() (near, far int, err error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, 0, err
	}
	defer l.Close()
	nc, err := net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr))
	if err != nil {
		return 0, 0, err
	}
	defer nc.Close()
	ac, err := l.AcceptTCP()
	if err != nil {
		return 0, 0, err
	}
	defer ac.Close()
	if near, err = blocking(ac); err != nil {
		return 0, 0, err
	}
	if far, err = blocking(nc); err != nil {
		return 0, 0, errors.Join(err, unix.Close(near))
	}
	return near, far, nil
}

// blocking duplicates a connection's descriptor.
func blocking(c *net.TCPConn) (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = errors.Join(raw.Control(func(from uintptr) { fd, err = unix.FcntlInt(from, unix.F_DUPFD_CLOEXEC, 0) }), err)
	if err != nil {
		return 0, err
	}
	return fd, unix.SetNonblock(fd, false)
}

// knock sends and reads what comes back, once every o.Every.
func knock(fd int32, o wakeOrder) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b := make([]byte, wakeSize)
	pause := unix.NsecToTimespec(o.Every)
	for range o.For / o.Every {
		_, _, _ = syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
		if _, err := write(fd, b); err != nil {
			return fmt.Errorf("bench: wake-up: %w", err)
		}
		if n, err := read(fd, b); err != nil || n != wakeSize {
			return fmt.Errorf("bench: wake-up: %d bytes came back: %w", n, err)
		}
	}
	return nil
}

// echo writes back what it reads until there is no more, and says what that
// cost its thread.
func echo(fd int32) (a wakeAnswer, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return a, err
	}
	defer unix.Close(epfd) //nolint:errcheck // nothing depends on it
	ev := unix.EpollEvent{Fd: fd, Events: unix.EPOLLIN}
	if err := unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, int(fd), &ev); err != nil {
		return a, err
	}
	b := make([]byte, wakeSize)
	began, err := threadCPU()
	for n := 1; n > 0 && err == nil; a.Wakes++ {
		_, _, _ = syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(&ev)), 1, ^uintptr(0), 0, 0)
		if n, err = read(fd, b); n > 0 {
			_, err = write(fd, b[:n])
		}
	}
	ended, cpuErr := threadCPU()
	a.Wakes-- // the last one was the end
	a.CPU = ended - began
	return a, errors.Join(err, cpuErr)
}

// threadCPU is what the calling thread has used, in ns.
func threadCPU() (int64, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0, err
	}
	return ts.Nano(), nil
}
