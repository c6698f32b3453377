package websocket

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/roostgo/roost/transport"
)

// linkWriter is the sending side of a link. A goroutine writes while there is
// something to write, and only then. It also ends the connection, because that
// may block too (TLS says goodbye).
type linkWriter struct {
	// Immutable.
	link    *link
	window  uint8         // of compression; 0 is none
	sealed  bool          // in TLS, of which a record is written whole or the connection is lost
	parting chan struct{} // closed when the closing handshake has begun

	// Guarded by mu.
	mu      sync.Mutex
	out     outbox    // of which the writer has out.firm frames in hand
	taken   time.Time // when it took them
	ending  ending
	writing bool
	parted  time.Time // when the closing handshake is over; zero before it begins
	woken   bool      // the reader, held, may go on
}

// ending is what is to be done when nothing waits any more.
type ending uint8

const (
	goOn       ending = iota
	fallSilent        // close our half
	hangUp            // close the connection
)

// queue appends a frame, which t may drop, and starts the writer if there is
// none. It returns the weight of what waits, and what was dropped.
func (w *linkWriter) queue(f *transport.Frame, t *transport.Thinning) (weight int, l loss) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t == nil {
		w.out.add(f, w.size(f))
	} else {
		w.out.offer(f, t, w.size(f))
		if w.behind() {
			l = w.out.thin(w.size)
		}
	}
	if bound := w.link.engine.config.Outbox; w.out.weight() > bound {
		l = l.plus(w.out.relieve(bound, w.size))
	}
	w.link.engine.count.queued(w.out.bytes)
	w.start()
	return w.out.weight(), l
}

// waits reports whether frames have not left yet.
func (w *linkWriter) waits() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.out.empty()
}

// lag is how long a write may last before the client is behind: the kernel
// does not say that its buffer is full, it lets the writer wait.
const lag = 50 * time.Millisecond

// behind reports whether the client takes less than it is sent. mu is held.
func (w *linkWriter) behind() bool {
	return w.out.thinned || w.out.firm > 0 && time.Since(w.taken) >= lag
}

// end has the writer end the connection when nothing waits.
func (w *linkWriter) end(how ending) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ending = max(w.ending, how)
	w.start()
}

// start starts the writer if there is none. mu is held.
func (w *linkWriter) start() {
	if !w.writing {
		w.writing = true
		w.link.engine.wait.Go(w.run) // ends when nothing waits, or the connection is closed
	}
}

func (w *linkWriter) wire(f *transport.Frame) []byte {
	if w.window > 0 {
		return f.Deflated(w.window)
	}
	return f.WebSocket()
}

func (w *linkWriter) size(f *transport.Frame) int { return len(w.wire(f)) }

// run writes what waits until nothing does.
func (w *linkWriter) run() {
	for {
		batch, then := w.take()
		if len(batch) == 0 {
			w.finish(then)
			return
		}
		n, err := batch.WriteTo(w.link.nc)
		waiting := w.wrote(int(n))
		switch {
		case err == nil:
		case n > 0 && !w.sealed && errors.Is(err, os.ErrDeadlineExceeded) && !w.isParting(): // slow, but not stuck
		case errors.Is(err, os.ErrDeadlineExceeded) && !w.isParting():
			w.link.lane.Post(w.link, stalled{waiting})
			return
		default:
			w.link.lane.Post(w.link, hungUp{}) // the reader may be held, and not notice
			return
		}
	}
}

// batchSize is how much leaves in one write: what is in the writer's hands
// cannot be dropped, and has to leave within WriteTimeout.
const batchSize = 64 << 10

// take returns the next bytes to write. Nothing means that the writer is done,
// but for the ending.
func (w *linkWriter) take() (batch net.Buffers, then ending) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out.empty() {
		w.writing, w.out = false, outbox{}
		return nil, w.ending
	}
	batch = w.gather()
	w.out.firm, w.taken = len(batch), time.Now()
	if d := w.link.engine.config.WriteTimeout; d > 0 && !w.isParting() {
		_ = w.link.nc.SetWriteDeadline(w.taken.Add(d))
	}
	return batch, goOn
}

// gather collects frames up to batchSize, or a part of one that is larger. mu
// is held.
func (w *linkWriter) gather() net.Buffers {
	o := &w.out
	first := w.wire(o.frames[o.head].frame)[o.offset:]
	first = first[:min(len(first), batchSize)]
	batch, size := net.Buffers{first}, len(first)
	if o.offset+size < w.size(o.frames[o.head].frame) {
		return batch
	}
	for _, q := range o.frames[o.head+1:] {
		b := w.wire(q.frame)
		if size += len(b); size > batchSize {
			break
		}
		batch = append(batch, b)
	}
	return batch
}

// wrote takes written bytes off what waits, and returns how many still do.
func (w *linkWriter) wrote(n int) (waiting int) {
	w.mu.Lock()
	frames := w.out.written(n, w.size)
	waiting = w.out.bytes
	w.mu.Unlock()
	count := &w.link.engine.count
	count.writes.Add(1)
	count.framesOut.Add(uint64(frames)) //nolint:gosec // not negative
	count.bytesOut.Add(uint64(n))       //nolint:gosec // not negative
	return waiting
}

// finish ends the connection. What has no halves waits for the client, or
// CloseTimeout.
func (w *linkWriter) finish(then ending) {
	switch then {
	case hangUp:
		hurryConn(bare(w.link.nc), w.link.engine.config.CloseTimeout)
		_ = w.link.nc.Close()
		w.link.lane.Post(w.link, hungUp{})
	case fallSilent:
		if half, ok := w.link.nc.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	case goOn:
	}
}

// part gives the closing handshake its deadline.
func (w *linkWriter) part(deadline time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parted = deadline
	_ = w.link.nc.SetDeadline(deadline)
	close(w.parting)
}

// late reports whether the closing handshake has taken too long.
func (w *linkWriter) late(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.parted.IsZero() && !now.Before(w.parted)
}

// A reader that is held goes on reading, to notice when the client goes away;
// wake interrupts it, through the deadline. All three hold mu, so that none of
// them undoes what another has done.

// doze lets reads take as long as they like, until wake.
func (w *linkWriter) doze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.woken {
		_ = w.link.nc.SetReadDeadline(w.parted)
	}
}

// wake ends the reader's doze, also one that has not begun yet.
func (w *linkWriter) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.woken = true
	_ = w.link.nc.SetReadDeadline(time.Unix(1, 0))
}

// rise makes reads possible again after wake.
func (w *linkWriter) rise() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.woken = false
	_ = w.link.nc.SetReadDeadline(w.parted)
}

func (w *linkWriter) isParting() bool {
	select {
	case <-w.parting:
		return true
	default:
		return false
	}
}

// patience says how long the next read may take; 0 is for ever. Once the
// closing handshake has begun its deadline stands.
func (w *linkWriter) patience(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d > 0 && !w.isParting() {
		_ = w.link.nc.SetReadDeadline(time.Now().Add(d))
	}
}
