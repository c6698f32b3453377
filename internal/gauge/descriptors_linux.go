package gauge

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// groupFiles are where a process in a container finds its memory limit, for the
// second and the first version of control groups.
var groupFiles = [...]string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// noLimit is more than any machine has: the first version says so for none.
const noLimit = 1 << 60

// groupLimit is the memory limit of the process's control group; 0 is none.
func groupLimit() uint64 {
	for _, name := range groupFiles {
		b, err := os.ReadFile(name) //nolint:gosec // one of two constants
		if err != nil {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64) // "max" is no number
		if err == nil && n < noLimit {
			return n
		}
	}
	return 0
}

// Descriptors is which part of the limit of open files the process uses; 0 when
// that cannot be known at once (before Linux 6.2).
func Descriptors() float64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur == 0 {
		return 0
	}
	return float64(openFiles()) / float64(limit.Cur)
}

// openFiles is how many descriptors the process has. It is the size of that
// folder, and not a walk over it.
func openFiles() int64 {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/fd", &st); err != nil {
		return 0
	}
	return st.Size
}
