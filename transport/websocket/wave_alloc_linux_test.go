//go:build !race

package websocket

import "testing"

// A wave may be ten thousand connections, at the worst of times.
func TestAWaveAllocatesNothingForItsConnections(t *testing.T) {
	const size, waves = 1000, 100
	e := newLoops(new(Config), newHoard(0)).(*loops)
	for fd := range int32(size * (waves + 1)) { // AllocsPerRun runs once more
		e.table.put(fd, &conn{fd: fd})
	}
	told := 0
	allocs := testing.AllocsPerRun(waves, func() { told += e.restart(size) })
	if told != size*(waves+1) || allocs > 4 {
		t.Errorf("%d were told, %v allocations for each wave of %d", told, allocs, size)
	}
}
