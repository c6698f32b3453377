package gauge

import (
	"strings"
	"testing"
	"testing/fstest"
)

const (
	mountV2     = "30 29 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,memory_recursiveprot\n"
	mountV1     = "35 31 0:32 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n"
	mountCPU    = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
	mountHybrid = mountCPU + mountV1 + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	mountOfBox  = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
)

func TestTheLimitsOfAllGroupsFromTheProcesssOwnUpAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		own, mounts string
		limits      map[string]string // of folders below /sys/fs/cgroup
		want        []uint64
	}{
		"version 2": {"0::/a/b\n", mountV2, map[string]string{"/a/b": "300", "/a": "200", "/c": "100"}, []uint64{300, 200}},
		"in a namespace, where its own is the root": {"0::/\n", mountV2, map[string]string{"": "300"}, []uint64{300}},
		"outside of its namespace's root":           {"0::/../x\n", mountV2, map[string]string{"": "300", "/x": "400"}, []uint64{400, 300}},
		"version 2 without limits":                  {"0::/a\n", mountV2, map[string]string{"/a": "max"}, nil},
		"version 1": {
			"5:cpu:/c\n4:memory:/a/b\n0::/\n", mountHybrid,
			map[string]string{"memory/a/b": "9223372036854771712", "memory/a": "200", "memory": "9223372036854771712", "memory/c": "100"}, []uint64{200},
		},
		"version 1 with other controllers": {"4:cpu,memory:/a\n", strings.Replace(mountV1, "rw,memory", "rw,cpu,memory", 1), map[string]string{"memory/a": "100"}, []uint64{100}},
		"a container without a namespace":  {"4:memory:/docker/abc/in\n", mountOfBox, map[string]string{"memory/in": "90", "memory": "100"}, []uint64{90, 100}},
		"what cannot be seen":              {"4:memory:/docker/abcdef\n", mountOfBox, map[string]string{"memory": "100", "memory/def": "50"}, []uint64{100}},
		"no such hierarchy":                {"1:cpu:/\n", mountHybrid, map[string]string{"": "100"}, nil},
		"nonsense":                         {"\nx\n1:2\n", "\n1 2 - 3\n", map[string]string{"": "100"}, nil},
	} {
		files := fstest.MapFS{"proc/self/cgroup": {Data: []byte(c.own)}, "proc/self/mountinfo": {Data: []byte(c.mounts)}}
		for dir, limit := range c.limits {
			file := "memory.max"
			if strings.HasPrefix(dir, "memory") {
				file = "memory.limit_in_bytes"
			}
			files["sys/fs/cgroup/"+strings.Trim(dir+"/"+file, "/")] = &fstest.MapFile{Data: []byte(limit + "\n")}
		}
		var got []uint64
		for _, g := range limitedGroups(files) {
			got = append(got, g.limit)
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
			continue
		}
		for i, n := range got {
			if n != c.want[i] {
				t.Errorf("%s: got %v, want %v", name, got, c.want)
			}
		}
	}
}

func TestFilesThatTheKernelWouldDropAreNotInUse(t *testing.T) {
	files := fstest.MapFS{
		"1/memory.usage_in_bytes": {Data: []byte("900\n")}, "1/memory.stat": {Data: []byte("cache 600\ninactive_file 5\ntotal_inactive_file 300\n")},
		"2/memory.current": {Data: []byte("900\n")}, "2/memory.stat": {Data: []byte("anon 1\ninactive_file 400\nactive_file 100\n")},
		"3/memory.current": {Data: []byte("900\n")},
		"4/memory.current": {Data: []byte("900\n")}, "4/memory.stat": {Data: []byte("inactive_file 1000\n")},
	}
	for _, c := range []struct {
		group group
		want  uint64
	}{
		{group{version: &version1, dir: "1"}, 600},
		{group{version: &version2, dir: "2"}, 500},
		{group{version: &version2, dir: "3"}, 900},
		{group{version: &version2, dir: "4"}, 0},
		{group{version: &version2, dir: "5"}, 0}, // it has gone
	} {
		c.group.root = files
		if got := c.group.used(); got != c.want {
			t.Errorf("%s: got %d, want %d", c.group.dir, got, c.want)
		}
	}
}
