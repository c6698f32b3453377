// Package poll waits for file descriptors on Linux.
//
// A Poller is an epoll set whose own descriptor is registered in the Go
// runtime's network poller. Its owner parks as an ordinary goroutine while
// nothing is ready: no thread is held, and the scheduler knows.
package poll

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What an event reports.
const (
	Readable = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	Writable = unix.EPOLLOUT
)

// Event says that a descriptor is ready. Token is what Add was given.
type Event struct {
	Token uint64
	Ready uint32
}

// batch is how many events one wait brings.
const batch = 256

// wakeToken marks the poller's own eventfd. Descriptor tokens carry a
// descriptor number in their low half, which is never this large.
const wakeToken = ^uint64(0)

// Poller is used by one goroutine, its owner, except for Wake and Add.
type Poller struct {
	// Immutable.
	file *os.File // the epoll descriptor, in the runtime's poller
	raw  syscall.RawConn
	epfd int
	wake int // an eventfd

	looking func(uintptr) bool // look, made a function once and not for each Wait

	// Used by the owner only.
	raws   [batch]unix.EpollEvent
	events []Event
	until  time.Time

	asleep atomic.Bool // Wake needs a system call

	// Guarded by mu, which those hold who use wake: its number may be
	// another's after Close.
	mu     sync.Mutex
	closed bool
}

// Open makes a poller.
func Open() (*Poller, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("poll: create an epoll set: %w", err)
	}
	p := &Poller{epfd: epfd, events: make([]Event, 0, batch)}
	p.looking = p.look
	if p.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return nil, errors.Join(fmt.Errorf("poll: create an eventfd: %w", err), unix.Close(epfd))
	}
	if err := errors.Join(p.control(unix.EPOLL_CTL_ADD, p.wake, wakeToken, unix.EPOLLIN), unix.SetNonblock(epfd, true)); err != nil {
		return nil, errors.Join(err, unix.Close(p.wake), unix.Close(epfd))
	}
	p.file = os.NewFile(uintptr(epfd), "epoll") // non-blocking, so the runtime polls it
	if p.raw, err = p.file.SyscallConn(); err == nil {
		err = p.file.SetReadDeadline(time.Time{}) // fails where the runtime cannot poll it
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Add watches fd for input. Closing the descriptor ends it. Safe to call from
// any goroutine.
func (p *Poller) Add(fd int, token uint64) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, token, unix.EPOLLIN|unix.EPOLLRDHUP)
}

// Watch says what fd is watched for from now on: input, room for output, the end
// of the peer's half. Errors and hang-ups are always reported.
func (p *Poller) Watch(fd int, token uint64, input, output, end bool) error {
	var interest uint32
	if input {
		interest |= unix.EPOLLIN
	}
	if end {
		interest |= unix.EPOLLRDHUP
	}
	if output {
		interest |= unix.EPOLLOUT
	}
	return p.control(unix.EPOLL_CTL_MOD, fd, token, interest)
}

// Remove stops watching fd, which stays open.
func (p *Poller) Remove(fd int) error {
	return p.control(unix.EPOLL_CTL_DEL, fd, 0, 0)
}

func (p *Poller) control(op, fd int, token uint64, interest uint32) error {
	ev := unix.EpollEvent{Events: interest}
	*(*uint64)(unsafe.Pointer(&ev.Fd)) = token // epoll_event.data, 8 bytes from Fd on
	if err := unix.EpollCtl(p.epfd, op, fd, &ev); err != nil {
		return fmt.Errorf("poll: epoll_ctl on descriptor %d: %w", fd, err)
	}
	return nil
}

// Poll returns what is ready now. The slice is valid until the next call.
func (p *Poller) Poll() []Event {
	p.look(uintptr(p.epfd))
	return p.events
}

// Wait parks the calling goroutine until something is ready, Wake is called or
// until has passed; the zero time means no limit. sleepy is asked, after the
// poller has begun to accept wake-ups, whether there is really nothing else to
// do. The slice is valid until the next call.
func (p *Poller) Wait(until time.Time, sleepy func() bool) ([]Event, error) {
	p.asleep.Store(true)
	defer p.asleep.Store(false)
	if !sleepy() {
		return p.Poll(), nil // who always has something to do must still see what is ready
	}
	if until != p.until {
		p.until = until
		if err := p.file.SetReadDeadline(until); err != nil {
			return nil, fmt.Errorf("poll: set the deadline: %w", err)
		}
	}
	err := p.raw.Read(p.looking)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.until = time.Time{}.Add(1) // matches no deadline: the next Wait sets its own
		return p.Poll(), nil
	}
	return p.events, err
}

// look fills events without waiting and reports whether anything was ready,
// a wake-up included.
func (p *Poller) look(epfd uintptr) bool {
	p.events = p.events[:0]
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, epfd, uintptr(unsafe.Pointer(&p.raws[0])), batch, 0, 0, 0)
	if errno != 0 { // EINTR: the caller comes back
		return false
	}
	for i := range p.raws[:n] {
		token := *(*uint64)(unsafe.Pointer(&p.raws[i].Fd))
		if token == wakeToken {
			var b [8]byte
			_, _ = unix.Read(p.wake, b[:])
			continue
		}
		p.events = append(p.events, Event{Token: token, Ready: p.raws[i].Events})
	}
	return n > 0
}

// Wake ends the Wait under way. While there is none it does nothing: the
// next one asks whether there is something to do. Any goroutine may call it,
// also after Close.
func (p *Poller) Wake() {
	if p.asleep.Swap(false) {
		p.ring()
	}
}

func (p *Poller) ring() {
	one := [8]byte{0: 1}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		_, _ = unix.Write(p.wake, one[:])
	}
}

// Close releases the poller's descriptors, not those it watched. Only the
// owner calls it, once.
func (p *Poller) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return errors.Join(unix.Close(p.wake), p.file.Close())
}

// Broken reports whether an event says that both directions are gone, which
// cannot be left unwatched.
func Broken(ready uint32) bool { return ready&(unix.EPOLLHUP|unix.EPOLLERR) != 0 }

// Ended reports whether an event says that the peer will send nothing more.
func Ended(ready uint32) bool { return ready&unix.EPOLLRDHUP != 0 }
