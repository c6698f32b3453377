// Package ebb keeps maps whose memory goes when what was in them has gone.
//
// Go's maps never shrink: one that held a herd's million connections stays as
// large for ever.
package ebb

import (
	"iter"
	"maps"
)

// Map is a map that is made anew when most of it has gone: each entry is
// copied at most as often as three others are deleted. The zero value is empty.
// It is not safe for concurrent use, but for readers among themselves.
type Map[K comparable, V any] struct {
	entries map[K]V
	high    int // the most entries since entries was made
}

// keep is the size from which on a map is worth making anew.
const keep = 64

// Len is how many entries there are.
func (m *Map[K, V]) Len() int { return len(m.entries) }

// Find returns the value of a key, or the zero value.
func (m *Map[K, V]) Find(key K) V { return m.entries[key] }

// Put sets the value of a key.
func (m *Map[K, V]) Put(key K, value V) {
	if m.entries == nil {
		m.entries = make(map[K]V)
	}
	m.entries[key] = value
	m.high = max(m.high, len(m.entries))
}

// Delete takes a key out, if it is there.
func (m *Map[K, V]) Delete(key K) {
	delete(m.entries, key)
	if m.high > keep && len(m.entries) < m.high/4 {
		anew := make(map[K]V, len(m.entries))
		maps.Copy(anew, m.entries)
		m.entries, m.high = anew, len(anew)
	}
}

// All yields each entry once, in no order. What is changed meanwhile may or may
// not be among them.
func (m *Map[K, V]) All() iter.Seq2[K, V] { return maps.All(m.entries) }
