package tlsrecord

import "context"

// gate bounds how many handshakes compute at once: a signature and a key
// exchange take half a millisecond of a processor that others need. A handshake
// is inside from the moment its ClientHello is there until the answer leaves.
type gate chan struct{}

// enter waits for a place.
func (w *witness) enter(ctx context.Context, g gate) error {
	select {
	case g <- struct{}{}:
		w.inside = g
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the place to another.
func (w *witness) leave() {
	if w.inside != nil {
		<-w.inside
		w.inside = nil
	}
}
