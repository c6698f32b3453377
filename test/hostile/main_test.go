// Package hostile sends an endpoint what no honest client sends: the process
// lives, others are served, and the connection ends as RFC 6455 says, or goes
// on.
package hostile

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a goroutine or a descriptor survives the tests.
func TestMain(m *testing.M) {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		_ = l.Close() // the runtime has its own descriptors from now on
	}
	before := descriptors()
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines are left:", err)
		code = 1
	}
	if after := descriptors(); after > before && code == 0 {
		fmt.Fprintf(os.Stderr, "%d descriptors are left\n", after-before)
		code = 1
	}
	os.Exit(code)
}

// descriptors is how many the process has open; 0 where it cannot be known.
func descriptors() int {
	if runtime.GOOS != "linux" {
		return 0
	}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}
