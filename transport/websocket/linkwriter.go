package websocket

import (
	"net"
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
	parting chan struct{} // closed when the closing handshake has begun

	// Guarded by mu.
	mu      sync.Mutex
	frames  []*transport.Frame // that nobody writes yet
	count   int                // of frames that wait, those being written included
	bytes   int                // of those
	largest int                // size of the largest frame since nothing waited
	ending  ending
	writing bool
}

// ending is what is to be done when nothing waits any more.
type ending uint8

const (
	goOn       ending = iota
	fallSilent        // close our half
	hangUp            // close the connection
)

// queue appends a frame and starts the writer if there is none. It returns the
// weight of what waits.
func (w *linkWriter) queue(f *transport.Frame) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	size := len(w.wire(f))
	w.frames = append(w.frames, f)
	w.count++
	w.bytes += size
	w.largest = max(w.largest, size)
	w.link.engine.count.queued(w.bytes)
	w.start()
	return weight(w.bytes, w.count, w.largest)
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

// run writes what waits, all there is at a time, until nothing does.
func (w *linkWriter) run() {
	for {
		batch, then := w.take()
		if len(batch) == 0 {
			w.finish(then)
			return
		}
		frames := len(batch)
		n, err := batch.WriteTo(w.link.nc)
		w.wrote(frames, int(n))
		if err != nil {
			w.link.lane.Post(w.link, hungUp{}) // the reader may be held, and not notice
			return
		}
	}
}

// take removes what waits. Nothing means that the writer is done, but for the
// ending.
func (w *linkWriter) take() (batch net.Buffers, then ending) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.frames) == 0 {
		w.writing, w.frames, w.largest = false, nil, 0
		return nil, w.ending
	}
	batch = make(net.Buffers, len(w.frames))
	for i, f := range w.frames {
		batch[i] = w.wire(f)
	}
	clear(w.frames)
	w.frames = w.frames[:0]
	return batch, goOn
}

// wrote takes written frames off what waits.
func (w *linkWriter) wrote(frames, bytes int) {
	w.mu.Lock()
	w.count -= frames
	w.bytes -= bytes
	w.mu.Unlock()
	count := &w.link.engine.count
	count.writes.Add(1)
	count.framesOut.Add(uint64(frames)) //nolint:gosec // not negative
	count.bytesOut.Add(uint64(bytes))   //nolint:gosec // not negative
}

// finish ends the connection. What has no halves waits for the client, or
// CloseTimeout.
func (w *linkWriter) finish(then ending) {
	switch then {
	case hangUp:
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
	_ = w.link.nc.SetDeadline(deadline)
	close(w.parting)
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
