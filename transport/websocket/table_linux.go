package websocket

import (
	"errors"
	"sync/atomic"
)

// table finds an open connection by its descriptor. One table serves all loops,
// because the descriptors of a process interleave between them. An entry is
// written by the connection's loop only: one that has not arrived there is not
// found.
type table = slots[conn]

// slots have room for one value for each descriptor.
type slots[T any] struct {
	chunks [tableSize / chunkSize]atomic.Pointer[chunk[T]]
}

const (
	chunkSize = 1024
	tableSize = 4096 * chunkSize
)

var errTableFull = errors.New("websocket: descriptor number over 4,194,303")

type chunk[T any] [chunkSize]atomic.Pointer[T]

// put registers v under a descriptor.
func (t *slots[T]) put(fd int32, v *T) {
	slot := &t.chunks[fd/chunkSize]
	if slot.Load() == nil {
		slot.CompareAndSwap(nil, new(chunk[T]))
	}
	slot.Load()[fd%chunkSize].Store(v)
}

func (t *slots[T]) at(fd int32) *T {
	if ch := t.chunks[fd/chunkSize].Load(); ch != nil {
		return ch[fd%chunkSize].Load()
	}
	return nil
}

func (t *slots[T]) drop(fd int32) { t.chunks[fd/chunkSize].Load()[fd%chunkSize].Store(nil) }

// each calls f with every value.
func (t *slots[T]) each(f func(*T)) {
	for i := range t.chunks {
		ch := t.chunks[i].Load()
		if ch == nil {
			continue
		}
		for j := range ch {
			if v := ch[j].Load(); v != nil {
				f(v)
			}
		}
	}
}
