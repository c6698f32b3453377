package websocket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/internal/tlsrecord"
	"github.com/roostgo/roost/transport"
)

// haveLoops says whether this system has event loops.
const haveLoops = true

// loops is the engine that parks descriptors on epoll loops.
type loops struct {
	// Immutable.
	config  *Config
	hoard   *hoard
	began   time.Time
	table   table
	secrets slots[tlsrecord.State] // of connections in TLS
	herd    herd

	next atomic.Uint32
	gen  atomic.Uint32
	list atomic.Pointer[[]*loop] // written once, by start

	toldTo int32 // the descriptors below it were told of the restart; owned by who calls restart
}

func newLoops(c *Config, h *hoard) engine {
	return &loops{config: c, hoard: h, began: time.Now(), herd: herd{off: c.KeepMemory}}
}

// clock is the time in milliseconds since the engine was made. It wraps after
// 49 days; differences do not.
func (e *loops) clock() uint32 {
	return uint32(time.Since(e.began).Milliseconds()) //nolint:gosec // wraps on purpose
}

func (e *loops) start() error {
	list := make([]*loop, 0, e.config.Loops)
	for range e.config.Loops {
		l, err := newLoop(e)
		if err != nil {
			for _, l := range list {
				_ = l.poller.Close()
			}
			return err
		}
		list = append(list, l)
	}
	e.list.Store(&list)
	for _, l := range list {
		go l.run() // ends when quit is posted; shutdown posts it and waits for done
	}
	return nil
}

// all are the loops; none before start.
func (e *loops) all() []*loop {
	if list := e.list.Load(); list != nil {
		return *list
	}
	return nil
}

// accepts only what is exactly a socket, or TLS that was taken over from
// crypto/tls on exactly one: another type that wraps one may do more on Read and
// Write than pass bytes on.
func (e *loops) accepts(c net.Conn) bool {
	switch c := c.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	case *tlsrecord.Conn:
		return e.accepts(transport.Bare(c.NetConn()))
	}
	return false
}

// adopt takes the descriptor out of nc and gives it to a loop.
func (e *loops) adopt(nc net.Conn, buffered []byte, s transport.Session, window uint8) error {
	fd, err := e.descriptor(bare(nc).(syscall.Conn)) // without one, the client can still be told in TLS
	if err != nil {
		return fmt.Errorf("websocket: adopt a connection: %w", err)
	}
	nc, a, err := detach(nc, buffered)
	if err != nil {
		_ = syscall.Close(int(fd))
		return fmt.Errorf("websocket: take a connection out of TLS: %w", err)
	}
	_ = nc.Close() // the duplicate keeps the connection
	list := e.all()
	c := &conn{
		loop: list[e.next.Add(1)%uint32(len(list))], //nolint:gosec // a few
		fd:   fd, gen: e.gen.Add(1), session: s, window: window,
	}
	if window > 0 {
		c.flags |= deflate
	}
	if !c.loop.lane.Post(c, a) {
		_, _ = write(fd, sealedFrame(a.secrets, closeFrame(transport.CloseRestart))) // clause 278
		_ = syscall.Close(int(fd))
		discard(s, transport.ErrShutdown)
		return nil
	}
	e.herd.joined(time.Now())
	return nil
}

// detach takes a connection out of its TLS, if it has any.
func detach(nc net.Conn, buffered []byte) (net.Conn, arrival, error) {
	t, ok := nc.(*tlsrecord.Conn)
	if !ok {
		return nc, arrival{buffered: buffered}, nil
	}
	nc, secrets, plain, sealed, err := t.Detach()
	return transport.Bare(nc), arrival{append(buffered, plain...), &secrets, sealed}, err
}

// descriptor duplicates the descriptor of a connection; the runtime's poller
// goes on with the original, which is then closed.
func (e *loops) descriptor(c syscall.Conn) (fd int32, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	dup, failed := -1, error(nil)
	err = raw.Control(func(fd uintptr) {
		dup, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
		if failed == nil && e.config.SendBuffer > 0 {
			_ = unix.SetsockoptInt(dup, unix.SOL_SOCKET, unix.SO_SNDBUF, e.config.SendBuffer) // a hint
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return 0, err
	}
	if dup >= tableSize {
		return 0, errors.Join(errTableFull, unix.Close(dup))
	}
	if err := unix.SetNonblock(dup, true); err != nil { // somebody may have asked the connection for its File
		return 0, errors.Join(err, unix.Close(dup))
	}
	return int32(dup), nil //nolint:gosec // a descriptor
}

func (e *loops) shutdown(ctx context.Context) (cut int) {
	for _, l := range e.all() {
		l.lane.Post(lane.Func(func() { l.draining = true; l.restart(0, tableSize) }), nil)
	}
	var late []*loop
	for _, l := range e.all() {
		if l.await(ctx) {
			continue
		}
		l.lane.Post(lane.Func(func() { l.quit = true }), nil)
		late = append(late, l)
	}
	for _, l := range late {
		<-l.done
		cut += l.cutOff
	}
	e.herd.end()
	return cut
}

// retire lets each loop end with the last of its connections.
func (e *loops) retire() {
	for _, l := range e.all() {
		l.lane.Post(lane.Func(func() { l.draining = true }), nil)
	}
}

// restart takes the connections in the order of their descriptors, so that it
// need not remember which were told. It counts them here, for all loops, and
// posts to each loop between which descriptors they are. What arrives below is
// told when it opens, or in shutdown.
func (e *loops) restart(n int) (told int) {
	if n <= 0 {
		return 0
	}
	from, to := e.toldTo, int32(tableSize)
	for c := range e.table.between(from, tableSize) {
		if told++; told == n {
			to = c.fd + 1
			break
		}
	}
	e.toldTo = to
	for _, l := range e.all() {
		l.lane.Post(lane.Func(func() { l.restart(from, to) }), nil)
	}
	return told
}

// restart closes the loop's connections with descriptors in [from, to).
func (l *loop) restart(from, to int32) {
	for c := range l.engine.table.between(from, to) {
		if c.loop == l {
			c.finish(transport.CloseRestart, transport.ErrShutdown)
		}
	}
}

// await waits until the loop has ended by itself.
func (l *loop) await(ctx context.Context) bool {
	select {
	case <-l.done:
		return true
	case <-ctx.Done():
	}
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// turn is how long the longest turn under way takes already.
func (e *loops) turn() (longest time.Duration) {
	for _, l := range e.all() {
		longest = max(longest, l.turn())
	}
	return longest
}

func (e *loops) stats() (s Stats) {
	for _, l := range e.all() {
		one := l.count.snapshot()
		lane := l.lane.Stats()
		one.LaneHigh, one.LaneWaits = lane.HighWater, lane.Waits
		s = s.plus(one)
	}
	return s
}
