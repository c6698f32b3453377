package gauge

import (
	"io/fs"
	"math"
	"runtime/metrics"
)

// Memory reads how full a process's memory is of what no collection frees. Its
// owner reads one at a time.
//
// Garbage is no shortage: with GOMEMLIMIT the runtime lets it grow up to that
// limit on purpose. Two things are:
//
//   - What lasts comes near GOMEMLIMIT. Then collections follow each other ever
//     faster and find ever less. What lasts is the heap that the last collection
//     found alive, with stacks and the runtime's own tables. What came to life
//     since is not in it; when that would matter, the runtime has used up the
//     limit, and collects. What died since is in it until then, which may take
//     the two minutes after which the runtime collects in any case.
//   - The control group comes near its limit, and the kernel kills. There, what
//     the group uses counts, sockets' buffers as well, less the file cache that
//     the kernel would drop first. Garbage counts too, unless the runtime sees to
//     it in time: that is when GOMEMLIMIT and what the group uses besides Go's
//     memory fit into the group's limit.
type Memory struct {
	groups  []group
	samples [len(metricNames)]metrics.Sample
}

var metricNames = [...]string{
	"/gc/gomemlimit:bytes",
	"/gc/heap/live:bytes",
	"/memory/classes/total:bytes",
	"/memory/classes/heap/released:bytes",
	"/memory/classes/heap/free:bytes",
	"/memory/classes/heap/unused:bytes",
	"/memory/classes/heap/objects:bytes",
}

// NewMemory returns a gauge of the limits of the control groups that the process
// is in now, and of GOMEMLIMIT as it will be. root is the file system, "/".
func NewMemory(root fs.FS) *Memory {
	m := &Memory{groups: limitedGroups(root)}
	for i, name := range metricNames {
		m.samples[i].Name = name
	}
	return m
}

// Part is the part of the scarcest limit that is used up; 0 without limits. It
// may be above 1.
func (m *Memory) Part() float64 {
	h := m.heap()
	part := h.part()
	for _, g := range m.groups {
		part = max(part, h.partOf(g.limit, g.used()))
	}
	return part
}

// heap is the memory that the runtime has from the system, in bytes.
type heap struct {
	limit   uint64 // GOMEMLIMIT; 0: none
	total   uint64
	lasting uint64 // of that, what no collection frees
}

func (m *Memory) heap() heap {
	metrics.Read(m.samples[:])
	var n [len(metricNames)]uint64
	for i, s := range m.samples {
		n[i] = s.Value.Uint64()
	}
	limit, live, total, released, room, objects := n[0], n[1], n[2], n[3], n[4]+n[5], n[6]
	if limit >= math.MaxInt64 {
		limit = 0
	}
	total -= released
	return heap{limit, total, less(total, room+objects) + live}
}

// part is how much of GOMEMLIMIT lasts.
func (h heap) part() float64 {
	if h.limit == 0 {
		return 0
	}
	return float64(h.lasting) / float64(h.limit)
}

// partOf is how much of a group's limit is used, when the group uses so much.
func (h heap) partOf(limit, used uint64) float64 {
	others := less(used, h.total)
	if h.limit != 0 && others+h.limit <= limit {
		used = others + h.lasting
	}
	return float64(used) / float64(limit)
}

// less is a-b, and not below 0: the two were not read at the same moment.
func less(a, b uint64) uint64 { return a - min(a, b) }
