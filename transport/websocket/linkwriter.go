package websocket

import (
	"net"
	"sync"
	"time"

	"github.com/roostgo/roost/transport"
)

// linkWriter is the sending side of a link. A goroutine writes while there is
// something to write, and only then.
type linkWriter struct {
	// Immutable.
	engine  *goroutines
	nc      net.Conn
	deflate bool
	parting chan struct{} // closed when the closing handshake has begun

	// Guarded by mu.
	mu      sync.Mutex
	frames  []*transport.Frame
	bytes   int // that wait, those being written included
	writing bool
	last    bool // hang up when nothing waits
}

// queue appends a frame and starts the writer if there is none. It returns how
// many bytes wait, and whether they are this frame's alone.
func (w *linkWriter) queue(f *transport.Frame) (waiting int, alone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	size := len(w.wire(f))
	w.frames = append(w.frames, f)
	w.bytes += size
	w.engine.count.queued(w.bytes)
	if !w.writing {
		w.writing = true
		w.engine.wait.Go(w.run) // ends when nothing waits, or the connection is closed
	}
	return w.bytes, w.bytes == size
}

func (w *linkWriter) wire(f *transport.Frame) []byte {
	if w.deflate {
		return f.Deflated()
	}
	return f.WebSocket()
}

// run writes what waits, all there is at a time, until nothing does.
func (w *linkWriter) run() {
	for {
		batch := w.take()
		if len(batch) == 0 {
			return
		}
		n, err := batch.WriteTo(w.nc)
		w.mu.Lock()
		w.bytes -= int(n)
		w.mu.Unlock()
		w.engine.count.writes.Add(1)
		w.engine.count.bytesOut.Add(uint64(n)) //nolint:gosec // not negative
		if err != nil {
			_ = w.nc.Close() // the reader notices, and ends the link
			return
		}
	}
}

// take removes what waits. Nothing means that the writer is done.
func (w *linkWriter) take() net.Buffers {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.frames) == 0 {
		w.writing, w.frames = false, nil
		if w.last {
			_ = w.nc.Close()
		}
		return nil
	}
	batch := make(net.Buffers, len(w.frames))
	for i, f := range w.frames {
		batch[i] = w.wire(f)
	}
	w.engine.count.framesOut.Add(uint64(len(batch)))
	clear(w.frames)
	w.frames = w.frames[:0]
	return batch
}

// hangUp closes the connection once nothing waits.
func (w *linkWriter) hangUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = true
	if !w.writing {
		_ = w.nc.Close()
	}
}

// part gives the closing handshake its deadline.
func (w *linkWriter) part(deadline time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.nc.SetDeadline(deadline)
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
		_ = w.nc.SetReadDeadline(time.Now().Add(d))
	}
}
