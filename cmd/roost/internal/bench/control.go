//go:build linux

package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// control is the worker's side of the pipes.
type control struct {
	line     []byte
	ended    bool
	reported int64
	last     progress
}

// read takes orders. Their end is the worker's.
func (c *control) read(w *worker) {
	buf := make([]byte, 32<<10)
	n, err := read(0, buf)
	if errors.Is(err, unix.EAGAIN) {
		return
	}
	if err != nil || n == 0 {
		c.ended = true
		return
	}
	c.line = append(c.line, buf[:n]...)
	for {
		end := bytes.IndexByte(c.line, '\n')
		if end < 0 {
			return
		}
		w.obey(c.line[:end])
		c.line = c.line[end+1:]
	}
}

// tick reports progress, four times a second if there is any.
func (c *control) tick(w *worker, now int64) int64 {
	p := w.progress()
	if p == c.last {
		return never
	}
	if due := c.reported + int64(250*time.Millisecond); now < due {
		return due
	}
	c.last, c.reported = p, now
	w.answer(0, p, nil)
	return never
}

func (w *worker) progress() progress {
	p := progress{
		Opened: w.dialer.opened, Joined: w.joined, Failed: w.dialer.lost,
		Delivered: w.tally.delivered, Replies: w.pinger.replies,
	}
	for _, n := range w.drops {
		p.Dropped += n
	}
	return p
}

// answer writes one line.
func (w *worker) answer(id int, with any, err error) {
	writeLine(os.Stdout, id, with, err)
}

func writeLine(out *os.File, id int, with any, err error) {
	a := answer{ID: id}
	if err == nil {
		a.With, err = json.Marshal(with)
	}
	if err != nil {
		a.Err = err.Error()
	}
	b, err := json.Marshal(a)
	if err != nil {
		return // an answer of strings and numbers encodes
	}
	// If nobody reads any more the orders end too, and with them the worker.
	_, _ = out.Write(append(b, '\n'))
}
