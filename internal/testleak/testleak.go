// Package testleak counts what tests leave behind.
package testleak

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"
)

// Heap is how many bytes are in use.
func Heap() int64 {
	runtime.GC()
	runtime.GC() // what only the first could see to be garbage: finalizers', pools'
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far from the bound
}

// Descriptors is how many the process has open; 0 where it cannot be known.
func Descriptors() int {
	if runtime.GOOS != "linux" {
		return 0
	}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// Main is a TestMain that fails when a descriptor survives the tests, or a
// goroutine: goroutines is goleak.Find, which only tests may import.
func Main(m *testing.M, goroutines func() error) {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		_ = l.Close() // the runtime has its own descriptors from now on
	}
	before := Descriptors()
	code := m.Run()
	if err := goroutines(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines are left:", err)
		code = 1
	}
	if after := Descriptors(); after > before && code == 0 {
		fmt.Fprintf(os.Stderr, "%d descriptors are left\n", after-before)
		code = 1
	}
	os.Exit(code)
}
