//go:build linux

package bench

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

// acceptOrder has the writer accept this many connections within ns.
type acceptOrder struct {
	Conns  int   `json:"conns"`
	Within int64 `json:"within"`
}

// listenAnswer is where the writer can be reached.
type listenAnswer struct {
	Addr string `json:"addr"`
}

// writeOrder has it write to all connections, again and again, for For ns with
// up to Window rounds that have not arrived everywhere.
type writeOrder struct {
	Size   int   `json:"size"`
	Window int   `json:"window"`
	For    int64 `json:"for"`
}

// writeAnswer is what that cost; times are in ns.
type writeAnswer struct {
	Rounds     int   `json:"rounds"`
	Deliveries int   `json:"deliveries"`
	CPU        int64 `json:"cpu"`
	Wall       int64 `json:"wall"`
}

// writer is the floor: one thread that does nothing but write to sockets. Its
// acknowledgements come on descriptor 3.
type writer struct {
	clock    clock
	listener *net.TCPListener
	fds      []int32
	round    int // rounds written
	first    int // rounds that have arrived everywhere
	acks     []byte
}

var errStalled = errors.New("bench: floor: what was written did not arrive")

// runWriter is `roost bench writer`.
func runWriter() error {
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	w := &writer{clock: newClock(), acks: make([]byte, 512*ackSize)}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var o order
		err := json.Unmarshal(lines.Bytes(), &o)
		var with any
		if err == nil {
			with, err = w.obey(o)
		}
		writeLine(os.Stdout, o.ID, with, err)
	}
	return lines.Err()
}

func (w *writer) obey(o order) (any, error) {
	switch o.Do {
	case "listen":
		return w.listen()
	case "accept":
		var with acceptOrder
		if err := json.Unmarshal(o.With, &with); err != nil {
			return nil, err
		}
		return struct{}{}, w.accept(with)
	case "write":
		var with writeOrder
		if err := json.Unmarshal(o.With, &with); err != nil {
			return nil, err
		}
		return w.write(with)
	case "wake":
		var with wakeOrder
		if err := json.Unmarshal(o.With, &with); err != nil {
			return nil, err
		}
		return wakeUp(with)
	}
	return nil, fmt.Errorf("%w %q", errOrder, o.Do)
}

func (w *writer) listen() (listenAnswer, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return listenAnswer{}, err
	}
	w.listener = l
	return listenAnswer{Addr: l.Addr().String()}, nil
}

// accept takes the bare descriptors; the runtime's poller has no part in it.
func (w *writer) accept(o acceptOrder) error {
	f, err := w.listener.File()
	if err != nil {
		return err
	}
	defer f.Close()
	deadline := w.clock.now() + o.Within
	for len(w.fds) < o.Conns {
		fd, _, err := unix.Accept4(int(f.Fd()), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch {
		case errors.Is(err, unix.EAGAIN):
			if err := await(int32(f.Fd()), unix.POLLIN, deadline-w.clock.now()); err != nil {
				return err
			}
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		default:
			w.fds = append(w.fds, int32(fd))
		}
	}
	return nil
}

func (w *writer) write(o writeOrder) (writeAnswer, error) {
	frame := make([]byte, o.Size)
	round := w.round
	cpu, err := processCPU(os.Getpid())
	if err != nil {
		return writeAnswer{}, err
	}
	began := w.clock.now()
	for w.clock.now()-began < o.For {
		if err := w.writeRound(frame); err != nil {
			return writeAnswer{}, err
		}
		if err := w.wait(o.Window - 1); err != nil {
			return writeAnswer{}, err
		}
	}
	if err := w.wait(0); err != nil {
		return writeAnswer{}, err
	}
	after, err := processCPU(os.Getpid())
	rounds := w.round - round
	return writeAnswer{
		Rounds: rounds, Deliveries: rounds * len(w.fds), CPU: int64(after - cpu), Wall: w.clock.now() - began,
	}, err
}

// writeRound is what w, the unit, counts.
func (w *writer) writeRound(frame []byte) error {
	w.round++
	for _, fd := range w.fds {
		for b := frame; len(b) > 0; {
			n, err := write(fd, b)
			if errors.Is(err, unix.EAGAIN) {
				err = await(fd, unix.POLLOUT, int64(drainWithin))
			}
			if err != nil {
				return err
			}
			b = b[n:]
		}
	}
	return nil
}

// wait returns once no more than window rounds are in flight.
func (w *writer) wait(window int) error {
	for w.round-w.first > window {
		if err := await(writerAcks, unix.POLLIN, int64(drainWithin)); err != nil {
			return err
		}
		n, err := unix.Read(writerAcks, w.acks)
		if err != nil || n == 0 {
			return errStalled
		}
		for b := w.acks[:n]; len(b) >= ackSize; b = b[ackSize:] {
			w.first = int(binary.LittleEndian.Uint32(b[4:]))
		}
	}
	return nil
}

const (
	// writerAcks is where the writer reads acknowledgements.
	writerAcks = 3
	// drainWithin is how long to wait, without progress, for what was sent.
	drainWithin = 5 * time.Second
)

// await waits up to ns for a descriptor.
func await(fd int32, events int16, ns int64) error {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: fd, Events: events}}, int(max(ns, 0)/int64(time.Millisecond)))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case n == 0:
			return errStalled
		default:
			return nil
		}
	}
}
