package websocket

import (
	"context"
	"math"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/internal/ebb"
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/transport"
)

// goroutines is the engine that reads each connection on a goroutine of its
// own. It serves systems without event loops, and connections that are more
// than a descriptor (TLS).
//
// Sessions run on lanes here as well, so that they are the same code.
type goroutines struct {
	// Immutable.
	config    *Config
	hoard     *hoard
	limits    [2]*frame.Limits // without and with compression
	ctx       context.Context  // of events
	inflating chan struct{}    // filled by readers of compressed messages, while they compute

	count counters
	next  atomic.Uint32
	wait  sync.WaitGroup // readers, writers and lanes

	// Guarded by mu.
	mu       sync.Mutex
	lanes    []*laneRunner
	links    ebb.Map[*link, struct{}]
	draining bool
	empty    chan struct{} // closed when draining and the last link has gone
}

func newGoroutines(c *Config, h *hoard) engine {
	return &goroutines{
		config: c, hoard: h, inflating: make(chan struct{}, runtime.GOMAXPROCS(0)), limits: [2]*frame.Limits{c.limits(false), c.limits(true)},
		ctx: context.Background(), empty: make(chan struct{}),
	}
}

// laneRunner is the goroutine of a lane.
type laneRunner struct {
	lane *lane.Lane
	wake chan struct{}
	quit chan struct{}
}

func newLaneRunner(bound int) *laneRunner {
	r := &laneRunner{wake: make(chan struct{}, 1), quit: make(chan struct{})}
	r.lane = lane.New(func() {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}, bound)
	return r
}

func (r *laneRunner) run() {
	for {
		r.lane.Drain()
		if !r.lane.Rest() {
			continue
		}
		select {
		case <-r.wake:
		case <-r.quit:
			r.lane.Close()
			r.lane.Drain()
			return
		}
	}
}

func (e *goroutines) accepts(net.Conn) bool { return true }

// start does nothing: lanes start with the first connection, which on Linux
// may never come.
func (e *goroutines) start() error { return nil }

// runners starts the lanes, unless they run, and returns them. mu is held.
func (e *goroutines) runners() []*laneRunner {
	for len(e.lanes) < e.config.Loops {
		r := newLaneRunner(e.config.LaneBound)
		e.lanes = append(e.lanes, r)
		e.wait.Go(r.run) // ends when quit is closed; shutdown waits
	}
	return e.lanes
}

func (e *goroutines) adopt(nc net.Conn, buffered []byte, s transport.Session, window uint8) error {
	if b, ok := bare(nc).(interface{ SetWriteBuffer(bytes int) error }); ok && e.config.SendBuffer > 0 {
		_ = b.SetWriteBuffer(e.config.SendBuffer) // a hint
	}
	c := &link{
		engine: e, nc: nc, session: s,
		verdicts: make(chan transport.Verdict, 1), resumed: make(chan struct{}, 1), gone: make(chan struct{}),
		writer: linkWriter{window: window, sealed: isSealed(nc), parting: make(chan struct{})},
	}
	c.writer.link, c.share.owner = c, c
	e.mu.Lock()
	if e.draining {
		e.mu.Unlock()
		return transport.ErrShutdown
	}
	runners := e.runners()
	c.lane = runners[e.next.Add(1)%uint32(len(runners))].lane //nolint:gosec // a few
	e.links.Put(c, struct{}{})
	e.count.connections.Add(1)
	e.count.accepted.Add(1)
	c.lane.Post(c, arrived{})             // before drain can post its restart
	e.wait.Go(func() { c.run(buffered) }) // ends with the connection
	e.mu.Unlock()
	return nil
}

// forget is called once for each link, when it has ended.
func (e *goroutines) forget(c *link) {
	e.count.connections.Add(-1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.links.Delete(c)
	if e.draining && e.links.Len() == 0 {
		close(e.empty)
	}
}

func (e *goroutines) shutdown(ctx context.Context) (cut int) {
	e.drain()
	select {
	case <-e.empty:
	case <-ctx.Done():
		cut = e.cut()
		<-e.empty
	}
	e.mu.Lock()
	for _, r := range e.lanes {
		close(r.quit)
	}
	e.lanes = nil
	e.mu.Unlock()
	e.wait.Wait()
	return cut
}

// drain tells every connection to close with 1012.
func (e *goroutines) drain() {
	e.retire()
	e.restart(math.MaxInt)
}

// cut closes what is still there, and returns how many that were.
func (e *goroutines) cut() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.links.All() {
		c.sever()
	}
	return e.links.Len()
}

func (e *goroutines) retire() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.draining && e.links.Len() == 0 {
		close(e.empty)
	}
	e.draining = true
}

// restart passes over links that were told: few, because a link that has ended
// is forgotten.
func (e *goroutines) restart(n int) (told int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.links.All() {
		if told == n {
			break
		}
		if !c.told {
			c.told = true
			c.lane.Post(c, restart{})
			told++
		}
	}
	return told
}

// turn is not known: lanes here are goroutines, whose waiting the runtime sees.
func (e *goroutines) turn() time.Duration { return 0 }

func (e *goroutines) stats() Stats {
	s := e.count.snapshot()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.lanes {
		lane := r.lane.Stats()
		s.LaneHigh = max(s.LaneHigh, lane.HighWater)
		s.LaneWaits += lane.Waits
	}
	return s
}
