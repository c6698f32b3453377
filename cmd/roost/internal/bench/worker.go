//go:build linux

package bench

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

const (
	// never is the time of what is not due at all.
	never = math.MaxInt64
	// Descriptors that a worker is started with, besides the standard three:
	// where arrivals are acknowledged, and where worker 0 reads it.
	ackOut = 3
	ackIn  = 4
	// In epoll's data, what is not a connection.
	controlEvent = -1
	ackEvent     = -2
)

// worker holds connections, all in one thread that waits in epoll. It does
// what it reads from its standard input, and ends when that ends.
type worker struct {
	clock   clock
	set     setupOrder
	epfd    int
	family  int
	peer    unix.Sockaddr
	upgrade []byte // the request

	conns   []conn
	joined  int
	stalled bool // nothing is read from those who have joined
	drops   map[string]int
	partial map[int32][]byte // beginnings of frames
	unsent  map[int32][]byte // what the kernel did not take yet
	veils   map[int32]*veil  // of connections in TLS

	in, out, text []byte // reused by each read and write
	mask          uint64

	control control
	dialer  dialer
	heart   heart
	pinger  pinger
	publish publisher
	tally   tally
}

// runWorker is `roost bench worker`.
func runWorker() error {
	runtime.LockOSThread()
	// The tool's own collections would disturb what it measures; it allocates
	// next to nothing once it is set up.
	debug.SetGCPercent(400)
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("bench: no epoll: %w", err)
	}
	// Wake-ups are due within 50 µs by default (prctl(2)).
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("bench: timer slack: %w", err)
	}
	w := &worker{
		clock: newClock(), epfd: epfd, mask: uint64(os.Getpid())<<32 | 0x9E3779B9,
		drops: map[string]int{}, partial: map[int32][]byte{}, unsent: map[int32][]byte{}, veils: map[int32]*veil{},
	}
	if err := w.watch(0, controlEvent); err != nil {
		return err
	}
	return w.run()
}

// watch adds a descriptor that is not a connection, level-triggered.
func (w *worker) watch(fd int, as int32) error {
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("bench: descriptor %d: %w", fd, err)
	}
	ev := unix.EpollEvent{Fd: as, Events: unix.EPOLLIN}
	if err := unix.EpollCtl(w.epfd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("bench: descriptor %d: %w", fd, err)
	}
	return nil
}

// run is the loop: what is due, then what has arrived.
func (w *worker) run() error {
	events := make([]unix.EpollEvent, 256)
	var napped bool
	for !w.control.ended && !w.tally.unread {
		due := w.tick()
		if napped {
			due = 0 // what came meanwhile is there already
		}
		n, err := epollWait(w.epfd, events, due-w.clock.now())
		if err != nil {
			return fmt.Errorf("bench: epoll: %w", err)
		}
		for _, ev := range events[:n] {
			w.dispatch(ev)
		}
		// Busy, but all has been read: let some more come together.
		if napped = w.set.Coalesce > 0 && n > 0 && n < len(events); napped {
			sleepUntil(w.clock.now() + w.set.Coalesce)
		}
	}
	return nil
}

func (w *worker) dispatch(ev unix.EpollEvent) {
	switch ev.Fd {
	case controlEvent:
		w.control.read(w)
	case ackEvent:
		w.publish.readAcks(w)
	default:
		w.event(int(ev.Fd), ev.Events)
	}
}

// tick does what is due and says when the next is.
func (w *worker) tick() int64 {
	now := w.clock.now()
	return min(w.dialer.tick(w, now), w.heart.tick(w, now), w.pinger.tick(w, now),
		w.publish.tick(w, now), w.control.tick(w, now))
}

// setup prepares for the connections of the order.
func (w *worker) setup(o setupOrder) (setupAnswer, error) {
	addr, err := net.ResolveTCPAddr("tcp", o.Addr)
	if err != nil {
		return setupAnswer{}, err
	}
	w.family, w.peer = sockaddr(addr)
	w.set = o
	w.upgrade = upgradeRequest(o.Path, o.Addr)
	w.conns = make([]conn, o.Conns)
	for i := range w.conns {
		w.conns[i] = conn{fd: -1, topic: uint32((o.FirstTopic + i) % o.Topics)}
	}
	w.in = make([]byte, max(64<<10, 2*o.Size+1024))
	w.tally.subscribe(w.conns, o.Topics)
	if o.Realtime {
		return setupAnswer{Realtime: realtime() == nil}, nil
	}
	return setupAnswer{}, nil
}

// realtime lets this thread run before all ordinary ones, which takes root.
func realtime() error {
	return unix.SchedSetAttr(0, &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1,
	}, 0)
}

func sockaddr(addr *net.TCPAddr) (family int, sa unix.Sockaddr) {
	if ip := addr.IP.To4(); ip != nil {
		return unix.AF_INET, &unix.SockaddrInet4{Port: addr.Port, Addr: [4]byte(ip)}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: addr.Port, Addr: [16]byte(addr.IP.To16())}
}

// drop ends all connections without counting them as lost.
func (w *worker) drop(o dropOrder) {
	for i := range w.conns {
		w.close(i, o.RST)
		w.conns[i].tries = 0
	}
	w.joined = 0
}

// sendFrame sends one masked frame on connection i.
func (w *worker) sendFrame(i int, opcode byte, payload []byte) {
	// xorshift64; the masks need not be secret here (RFC 6455 §10.3).
	w.mask ^= w.mask << 13
	w.mask ^= w.mask >> 7
	w.mask ^= w.mask << 17
	w.out = appendFrame(w.out[:0], opcode, uint32(w.mask), payload)
	w.send(i, w.out)
}

// send sends b, in TLS if the connection is.
func (w *worker) send(i int, b []byte) {
	if v := w.veil(i); v != nil {
		b = v.seal(b)
	}
	w.push(i, b)
}

// push writes b now, or what is left of it once the kernel takes it.
func (w *worker) push(i int, b []byte) {
	if len(w.unsent) > 0 && w.unsent[int32(i)] != nil {
		w.unsent[int32(i)] = append(w.unsent[int32(i)], b...)
		return
	}
	n, err := write(w.conns[i].fd, b)
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		w.fail(i, errnoCause(err))
		return
	}
	if n < len(b) {
		w.unsent[int32(i)] = bytes.Clone(b[n:])
	}
}

// flush sends what was left.
func (w *worker) flush(i int) {
	if len(w.unsent) == 0 {
		return
	}
	if b := w.unsent[int32(i)]; b != nil {
		delete(w.unsent, int32(i))
		w.push(i, b)
	}
}
