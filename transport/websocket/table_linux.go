package websocket

import "sync/atomic"

// table finds a connection by its descriptor. One table serves all loops,
// because the descriptors of a process interleave between them. An entry is
// written by whoever owns the descriptor: the adopting goroutine first, then
// the connection's loop.
type table struct {
	chunks [4096]atomic.Pointer[chunk]
}

const chunkSize = 1024

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
	for i := range t.chunks {
		ch := t.chunks[i].Load()
		if ch == nil {
			continue
		}
		for j := range ch {
			if c := ch[j].Load(); c != nil {
				f(c)
			}
		}
	}
}
