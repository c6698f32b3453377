package websocket

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/transport"
)

// run reads until the connection ends. It is the reader. arrived has been
// posted already.
func (c *link) run(buffered []byte) {
	c.settled()
	reason := c.read(buffered)
	c.assembler, c.ahead = frame.Assembler{}, nil
	c.keep(0)
	c.lane.Post(c, ended{reason})
}

// await posts something to the lane and waits until it is dealt with. It
// reports whether the connection goes on.
func (c *link) await(arg any) bool { return c.lane.Post(c, arg) && c.settled() }

// settled waits until what was posted is dealt with.
func (c *link) settled() bool {
	select {
	case v := <-c.verdicts:
		return v != transport.Hold || c.hold()
	case <-c.gone:
		return false
	}
}

// aheadBound is how many bytes are read of a client whose session holds it: more
// tells nothing new.
const aheadBound = 64 << 10

// hold waits until the session goes on. Meanwhile it reads ahead, which is how it
// notices that the client has gone.
func (c *link) hold() bool {
	c.writer.doze()
	for buf := make([]byte, 1024); len(c.ahead) < aheadBound; {
		n, err := c.nc.Read(buf)
		c.engine.count.bytesIn.Add(uint64(n)) //nolint:gosec // not negative
		c.ahead = append(c.ahead, buf[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			c.lane.Post(c, left{}) // what came before it is still received; then the next read finds the same
			break
		}
	}
	c.keep(0)
	select {
	case <-c.resumed:
		c.writer.rise()
		return true
	case <-c.gone:
		return false
	}
}

func (c *link) read(b []byte) error {
	buf := make([]byte, 4096)
	for {
		if err := c.deliver(b); err != nil {
			return c.offend(err)
		}
		if len(c.ahead) > 0 {
			b, c.ahead = c.ahead, nil
			continue
		}
		c.writer.patience(c.engine.config.Timeout)
		if c.share.evicted.Load() { // from here on evict ends the read
			return c.offend(errCrowded)
		}
		n, err := c.nc.Read(buf)
		if c.share.evicted.Load() {
			return c.offend(errCrowded)
		}
		c.engine.count.bytesIn.Add(uint64(n)) //nolint:gosec // not negative
		b = buf[:n]
		if n == 0 && err != nil && (!errors.Is(err, os.ErrDeadlineExceeded) || !c.saidNothing()) {
			return transport.ErrClientGone
		}
	}
}

// offend ends a connection that broke a rule.
func (c *link) offend(err error) error {
	c.assembler, c.ahead = frame.Assembler{}, nil
	c.keep(0)
	c.await(violated{err})
	_, _ = io.Copy(io.Discard, c.nc) // until the client hangs up, or CloseTimeout
	return transport.ErrBadFrame
}

// evict implements evictable: the reader finds out, when it has nothing else to
// do.
func (c *link) evict() { _ = c.nc.SetReadDeadline(time.Now()) }

// keep has what is kept of the input counted, and more with it.
func (c *link) keep(more int) {
	c.engine.hoard.set(&c.share, c.assembler.Kept()+cap(c.ahead)+more)
}

// next is the assembler's Next. Only as many take compressed messages apart as
// there are processors: what they become is in memory meanwhile, and not counted.
func (c *link) next(b []byte, limits *frame.Limits) (frame.Event, int, error) {
	if !limits.Deflate {
		return c.assembler.Next(b, limits)
	}
	c.engine.inflating <- struct{}{}
	defer func() { <-c.engine.inflating }()
	return c.assembler.Next(b, limits)
}

// saidNothing starts the end of a connection that was silent for too long. It
// reports false when it was the closing handshake that took too long.
func (c *link) saidNothing() bool {
	if c.writer.isParting() {
		return false
	}
	c.lane.Post(c, silent{})
	select {
	case <-c.writer.parting:
	case <-c.gone:
	}
	return true
}

func (c *link) deliver(b []byte) error {
	limits := c.engine.limits[0]
	if c.writer.window > 0 {
		limits = c.engine.limits[1]
	}
	for len(b) > 0 {
		ev, n, err := c.next(b, limits)
		if err != nil {
			return err
		}
		if len(ev.Payload) > len(b) { // it waits for the lane now
			c.keep(cap(ev.Payload))
		}
		if b = b[n:]; ev.Opcode != frame.None && !c.await(happened{&ev}) {
			return nil // the next read finds the end
		}
		if carries(ev) {
			c.began = time.Time{}
		}
	}
	c.keep(0)
	return c.hurry()
}

// hurry reports a message that takes too long. It is asked when something has
// come; who sends nothing is silent.
func (c *link) hurry() error {
	limit := c.engine.config.MessageTimeout
	switch {
	case c.assembler.Idle():
		c.began = time.Time{}
	case c.began.IsZero():
		c.began = time.Now()
	case limit > 0 && time.Since(c.began) >= limit:
		return errLate
	}
	return nil
}
