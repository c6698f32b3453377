package reuseport

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// listen opens one of the sockets on an address.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	lc := net.ListenConfig{Control: Control}
	l, err := lc.Listen(t.Context(), "tcp", address)
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func dial(t *testing.T, l net.Listener) {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
}

// waits reports whether Emptied waits for as long as it may.
func waits(l net.Listener, d time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	Emptied(ctx, l)
	return ctx.Err() != nil
}

const moment, long = 20 * time.Millisecond, 20 * time.Second

func TestTwoSocketsListenOnOnePort(t *testing.T) {
	first := listen(t, "127.0.0.1:0")
	second := listen(t, first.Addr().String())
	must(t, first.Close())
	dial(t, second) // it has the port to itself
	c, err := second.Accept()
	must(t, err)
	must(t, c.Close())
}

func TestASocketWithoutTheOptionDoesNotShareItsPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	lc := net.ListenConfig{Control: Control}
	if _, err := lc.Listen(t.Context(), "tcp", l.Addr().String()); err == nil {
		t.Error("it was taken from under the other")
	}
}

func TestItIsWaitedForThoseInTheQueue(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	if waits(l, long) {
		t.Error("it waits for nobody")
	}
	dial(t, l)
	dial(t, l)
	for range 2 {
		for late := time.Now().Add(long); !waits(l, moment); { // a client may be connected before it is in the queue
			if time.Now().After(late) {
				t.Fatal("it does not wait")
			}
		}
		c, err := l.Accept()
		must(t, err)
		must(t, c.Close())
	}
	if waits(l, long) {
		t.Error("it waits for nobody, afterwards")
	}
}

func TestNothingIsWaitedForWhereThereIsNoQueue(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	dial(t, l)
	must(t, l.Close())
	if waits(l, long) {
		t.Error("of a listener that is closed")
	}
	if waits(struct{ net.Listener }{l}, long) {
		t.Error("of a listener that is no socket")
	}
}

func TestMigrationIsWhatTheSystemSays(t *testing.T) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_migrate_req")
	if want := err == nil && strings.HasPrefix(string(b), "1"); Migrates() != want {
		t.Errorf("got %v, the system says %q, %v", Migrates(), b, err)
	}
}
