package gauge

import (
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

// readings are the least and the most that is read while half a gigabyte is
// allocated, of which so many MiB are alive at a time.
func readings(live int) (least, most float64) {
	const block = 64 << 10
	heap := make([][]byte, live<<20/block)
	for i := range heap {
		heap[i] = make([]byte, block)
	}
	m := NewMemory(os.DirFS("/"))
	m.groups = nil // GOMEMLIMIT alone
	runtime.GC()
	least = m.Part()
	for i := range 8_000 {
		heap[i%len(heap)] = make([]byte, block)
		if i%50 == 0 {
			part := m.Part()
			least, most = min(least, part), max(most, part)
		}
	}
	runtime.KeepAlive(heap)
	return least, most
}

func TestGarbageIsNoShortageOfMemory(t *testing.T) {
	const limit = 200 << 20
	for _, percent := range []int{100, -1} {
		func() {
			defer debug.SetGCPercent(debug.SetGCPercent(percent))
			defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
			if least, most := readings(80); least < .35 || most > .85 {
				t.Errorf("GOGC %d: while 80 MiB of 200 live: from %.2f to %.2f", percent, least, most)
			}
			if least, most := readings(190); least < .9 {
				t.Errorf("GOGC %d: while 190 MiB of 200 live: from %.2f to %.2f", percent, least, most)
			}
		}()
	}
}

func TestWithoutALimitThereIsNoShortageOfMemory(t *testing.T) {
	if got := NewMemory(fstest.MapFS{}).Part(); got != 0 {
		t.Errorf("got %v", got)
	}
}

func TestOfAGroupsMemoryGarbageCountsUnlessTheRuntimeFreesItInTime(t *testing.T) {
	for name, c := range map[string]struct {
		heap heap
		used uint64
		want float64
	}{
		"without GOMEMLIMIT":                   {heap{limit: 0, total: 70, lasting: 20}, 80, .8},
		"GOMEMLIMIT fits beside the others":    {heap{limit: 80, total: 70, lasting: 20}, 80, .3},
		"just so":                              {heap{limit: 80, total: 70, lasting: 20}, 90, .4},
		"the others have outgrown it":          {heap{limit: 80, total: 70, lasting: 20}, 91, .91},
		"GOMEMLIMIT is above the group's":      {heap{limit: 120, total: 70, lasting: 20}, 80, .8},
		"the runtime has more than is in use":  {heap{limit: 80, total: 70, lasting: 20}, 40, .2},
		"the group is full of the others":      {heap{limit: 80, total: 0, lasting: 0}, 100, 1},
		"what lasts is most of what there is":  {heap{limit: 90, total: 90, lasting: 89}, 95, .94},
		"nothing is in use of the whole group": {heap{}, 0, 0},
	} {
		if got := c.heap.partOf(100, c.used); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestTheScarcestLimitCounts(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 40))
	files := fstest.MapFS{
		"proc/self/cgroup":         {Data: []byte("0::/\n")},
		"proc/self/mountinfo":      {Data: []byte("30 29 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")},
		"sys/fs/cgroup/memory.max": {Data: []byte("1000000000\n")}, "sys/fs/cgroup/memory.current": {Data: []byte("800000000\n")},
		"sys/fs/cgroup/memory.stat": {Data: []byte("anon 500000000\ninactive_file 100000000\n")},
	}
	if got := NewMemory(files).Part(); got != .7 {
		t.Errorf("got %v of the group's limit", got)
	}
	debug.SetMemoryLimit(1)
	if got := NewMemory(files).Part(); got < 1 {
		t.Errorf("got %v of GOMEMLIMIT", got)
	}
}
