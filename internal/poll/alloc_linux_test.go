//go:build !race

package poll_test

import (
	"testing"
	"time"
)

func TestWaitingDoesNotAllocate(t *testing.T) {
	p := open(t)
	near, far := pair(t)
	must(t, p.Add(near, 1))
	wake := func() bool { p.Wake(); return true }
	until := time.Now().Add(time.Hour)
	if n := testing.AllocsPerRun(1000, func() { _, _ = p.Wait(until, wake) }); n != 0 {
		t.Errorf("a wait that is woken allocates %v times", n)
	}
	write(t, far, "x")
	if n := testing.AllocsPerRun(1000, func() { _, _ = p.Wait(until, wake) }); n != 0 {
		t.Errorf("a wait for what is ready allocates %v times", n)
	}
}
