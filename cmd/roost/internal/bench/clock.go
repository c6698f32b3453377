//go:build linux

package bench

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// clock reads CLOCK_MONOTONIC, which all processes of a machine share.
//
// time.Since reads the same clock without a system call; base and mono tie the
// two together. A clock is a value and safe for concurrent use.
type clock struct {
	base time.Time
	mono int64
}

func newClock() clock {
	var ts unix.Timespec
	// CLOCK_MONOTONIC exists wherever Go runs on Linux.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return clock{base: time.Now(), mono: ts.Nano()}
}

// now is CLOCK_MONOTONIC in nanoseconds.
func (c clock) now() int64 {
	return c.mono + int64(time.Since(c.base))
}

// sleepUntil blocks the thread until the clock shows at.
func sleepUntil(at int64) {
	ts := unix.NsecToTimespec(at)
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil) == unix.EINTR {
	}
}

// pause waits for d or for the end of ctx, whose error it returns.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// processCPU is the CPU time of a process since it began: all its threads, also
// those that have ended, and what the kernel did in its name.
func processCPU(pid int) (time.Duration, error) {
	// clock_getcpuclockid(3): the complement of the pid, and CPUCLOCK_SCHED.
	const cpuclockSched = 2
	id := int32(^pid<<3 | cpuclockSched)
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0, fmt.Errorf("bench: no CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}
