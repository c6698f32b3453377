package websocket

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/transport"
)

// engine carries connections.
type engine interface {
	// accepts reports whether this engine can carry c.
	accepts(c net.Conn) bool
	start() error
	// adopt takes a connection over. window is what frame.NegotiateDeflate
	// returned: 0 is no compression.
	adopt(c net.Conn, buffered []byte, s transport.Session, window uint8) error
	// turn is how long a lane has been at work without looking for what is ready.
	turn() time.Duration
	// retire has connections that come from now on closed with 1012 at once.
	retire()
	// restart begins to close up to n connections with 1012, none of them twice,
	// and returns how many. One goroutine at a time calls it.
	restart(n int) int
	// shutdown closes every connection with 1012, waits until ctx is done, cuts
	// the rest and ends the lanes. It returns how many it cut.
	shutdown(ctx context.Context) int
	stats() Stats
}

// engines are those of one handler, the preferred one first. The last accepts
// every connection.
type engines struct {
	config *Config
	hoard  *hoard // of all of them
	list   []engine
}

func (es *engines) init(c *Config) {
	es.config, es.hoard = c, newHoard(c.MaxIncomplete)
	if c.Engine != Goroutines && haveLoops {
		es.list = append(es.list, newLoops(c, es.hoard))
	}
	es.list = append(es.list, newGoroutines(c, es.hoard))
}

func (es *engines) start() error {
	for _, e := range es.list {
		if err := e.start(); err != nil {
			return err
		}
	}
	return nil
}

func (es *engines) adopt(c net.Conn, buffered []byte, s transport.Session, window uint8) error {
	_ = c.SetDeadline(time.Time{}) // that of the handshake no longer holds
	for _, e := range es.list {
		if e.accepts(c) {
			return e.adopt(c, buffered, s, window)
		}
	}
	return errors.ErrUnsupported
}

func (es *engines) retire() {
	for _, e := range es.list {
		e.retire()
	}
}

func (es *engines) restart(n int) (told int) {
	for _, e := range es.list {
		told += e.restart(n - told)
	}
	return told
}

func (es *engines) shutdown(ctx context.Context) int {
	var cut atomic.Int64
	var wait sync.WaitGroup
	for _, e := range es.list {
		wait.Go(func() { cut.Add(int64(e.shutdown(ctx))) }) // ends with ctx at the latest
	}
	wait.Wait()
	return int(cut.Load())
}

func (es *engines) turn() (longest time.Duration) {
	for _, e := range es.list {
		longest = max(longest, e.turn())
	}
	return longest
}

func (es *engines) stats() (s Stats) {
	for _, e := range es.list {
		s = s.plus(e.stats())
	}
	s.Incomplete, s.IncompleteHigh = es.hoard.stats()
	return s
}
