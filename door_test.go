package roost

import (
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// queue is a listener at which connections always wait.
type queue struct {
	accepted atomic.Int64
	closed   atomic.Bool
}

func (q *queue) Accept() (net.Conn, error) {
	if q.closed.Load() {
		return nil, net.ErrClosed
	}
	q.accepted.Add(1)
	a, b := net.Pipe()
	_ = b.Close()
	return a, nil
}

func (q *queue) Close() error   { q.closed.Store(true); return nil }
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }

// admitted is how many connections pass a door within d.
func admitted(d *door, within time.Duration) (n int) {
	for end := time.Now().Add(within); ; n++ {
		c, err := d.Accept()
		if err != nil || !time.Now().Before(end) {
			return n
		}
		_ = c.Close()
	}
}

func TestAHerdPassesTheDoorAtItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(new(queue), 100, -1)
		if n := admitted(d, 10*time.Second); n < 1000 || n > 1000+acceptBurst+1 {
			t.Errorf("%d connections came in 10 s", n)
		}
		<-time.After(time.Hour)
		before := d.paced.Load()
		for range acceptBurst {
			_, _ = d.Accept()
		}
		if n := d.paced.Load() - before; n > 1 {
			t.Errorf("%d of a few waited after a quiet hour", n)
		}
		if n := admitted(d, time.Second); n > 100+1 {
			t.Errorf("an hour was caught up with: %d in a second", n)
		}
	})
}

func TestADoorWithoutAPaceLetsAllIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(new(queue), -1, -1)
		for range 10_000 {
			_, _ = d.Accept()
		}
		if d.paced.Load() != 0 {
			t.Errorf("%d waited", d.paced.Load())
		}
	})
}

func TestADoorThatClosesLetsNobodyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(new(queue), 1, -1)
		ended := make(chan error, 1)
		go func() { // ends with the door
			for {
				if _, err := d.Accept(); err != nil {
					ended <- err
					return
				}
			}
		}()
		synctest.Wait()
		began := time.Now()
		_ = d.Close()
		_ = d.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) || time.Since(began) > 0 {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

func TestConnectionsOverTheBoundOfHandshakesAreCut(t *testing.T) {
	q := new(queue)
	d := newDoor(q, -1, 2)
	d.state(nil, http.StateNew)
	if _, err := d.Accept(); err != nil || d.refused.Load() != 0 {
		t.Errorf("under the bound: %v, %d refused", err, d.refused.Load())
	}
	d.state(nil, http.StateNew)
	passed := make(chan error, 1)
	go func() { // ends when there is room again
		_, err := d.Accept()
		passed <- err
	}()
	for d.refused.Load() < 3 {
		select {
		case err := <-passed:
			t.Fatalf("one came in over the bound: %v", err)
		default:
		}
	}
	d.state(nil, http.StateHijacked)
	if err := <-passed; err != nil || d.high.Load() != 2 {
		t.Errorf("got %v, and a high-water mark of %d", err, d.high.Load())
	}
}
