package websocket

import (
	"errors"
	"iter"
	"sync/atomic"
)

// table finds an open connection by its descriptor. One table serves all loops,
// because the descriptors of a process interleave between them. An entry is
// written by the connection's loop only: one that has not arrived there is not
// found.
type table struct {
	chunks [tableSize / chunkSize]atomic.Pointer[chunk]
}

const (
	chunkSize = 1024
	tableSize = 4096 * chunkSize
)

var errTableFull = errors.New("websocket: descriptor number over 4,194,303")

type chunk [chunkSize]atomic.Pointer[conn]

// put registers c under its descriptor.
func (t *table) put(c *conn) {
	slot := &t.chunks[c.fd/chunkSize]
	if slot.Load() == nil {
		slot.CompareAndSwap(nil, new(chunk))
	}
	slot.Load()[c.fd%chunkSize].Store(c)
}

func (t *table) at(fd int32) *conn {
	if ch := t.chunks[fd/chunkSize].Load(); ch != nil {
		return ch[fd%chunkSize].Load()
	}
	return nil
}

func (t *table) drop(fd int32) { t.chunks[fd/chunkSize].Load()[fd%chunkSize].Store(nil) }

// each calls f with every connection.
func (t *table) each(f func(*conn)) {
	for c := range t.between(0, tableSize) {
		f(c)
	}
}

// between are the connections with descriptors in [from, to).
func (t *table) between(from, to int32) iter.Seq[*conn] {
	return func(yield func(*conn) bool) {
		for first := from - from%chunkSize; first < to; first += chunkSize {
			ch := t.chunks[first/chunkSize].Load()
			if ch == nil {
				continue
			}
			for fd := max(from, first); fd < min(to, first+chunkSize); fd++ {
				if c := ch[fd%chunkSize].Load(); c != nil && !yield(c) {
					return
				}
			}
		}
	}
}
