package gauge

import "golang.org/x/sys/unix"

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
