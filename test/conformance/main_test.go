package conformance

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a goroutine or a descriptor is left after all tests.
func TestMain(m *testing.M) {
	warmUp()
	before := descriptors()
	code := m.Run()
	if code == 0 {
		code = leaks(before)
	}
	os.Exit(code)
}

func leaks(before []string) (code int) {
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if after := descriptors(); len(after) > len(before) {
		fmt.Fprintf(os.Stderr, "descriptors before the tests: %q\nand after them: %q\n", before, after)
		return 1
	}
	return 0
}

// warmUp opens what the runtime keeps open from the first connection on.
func warmUp() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	_ = l.Close()
}

// descriptors are what this process has open, as Linux shows it; elsewhere none.
func descriptors() []string {
	entries, _ := os.ReadDir("/proc/self/fd")
	var open []string
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil {
			open = append(open, target)
		}
	}
	slices.Sort(open)
	return open
}
