// Package highwater keeps the most that something ever was.
package highwater

import "sync/atomic"

// Raise lifts a mark to n, if it is lower. It may be called concurrently.
func Raise(mark *atomic.Int64, n int64) {
	for high := mark.Load(); n > high; high = mark.Load() {
		if mark.CompareAndSwap(high, n) {
			return
		}
	}
}
