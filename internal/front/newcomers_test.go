package front

import (
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestANewcomerIsOneUntilItsFirstRequestIsAnswered(t *testing.T) {
	n := new(newcomers)
	expect := func(when string, silent, all int) {
		t.Helper()
		if list := n.silent(); len(list) != silent || n.known.Len() != all {
			t.Errorf("%s: got %d silent of %d", when, len(list), n.known.Len())
		}
	}
	a, b := new(net.TCPConn), new(net.UnixConn)
	n.note(a, http.StateNew)
	n.note(b, http.StateNew)
	expect("two have come", 2, 2)
	n.note(a, http.StateActive)
	expect("one asks", 1, 2)
	n.note(a, http.StateIdle)
	n.note(a, http.StateActive)
	expect("it was answered, and asks again", 1, 1)
	n.note(b, http.StateActive)
	n.note(b, http.StateHijacked)
	n.note(a, http.StateClosed)
	expect("both have gone", 0, 0)
}

// hung is a connection that was hung up on, or not.
type hung struct {
	net.Conn
	up bool
}

func (h *hung) Close() error { h.up = true; return nil }

func TestWhoHasAskedAtTheLastMomentIsNotHungUpOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, asks, mute := new(newcomers), new(hung), new(hung)
		n.note(asks, http.StateNew)
		n.note(mute, http.StateNew)
		time.AfterFunc(ArrivalGrace-1, func() { n.note(asks, http.StateActive) })
		n.dismiss()
		if asks.up || !mute.up {
			t.Errorf("hung up on who asked: %v; on who said nothing: %v", asks.up, mute.up)
		}
	})
}

func TestWhenNobodyIsNewNobodyIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, c, began := new(newcomers), new(hung), time.Now()
		n.dismiss()
		n.note(c, http.StateNew)
		time.AfterFunc(time.Millisecond, func() { n.note(c, http.StateHijacked) })
		n.dismiss()
		if d := time.Since(began); d != time.Millisecond || c.up {
			t.Errorf("it took %v; hung up: %v", d, c.up)
		}
	})
}

// listed is a connection that is no key of a map.
type listed struct {
	net.Conn
	_ []byte
}

func TestAConnectionThatNoMapCanHoldIsLetBe(t *testing.T) {
	n := new(newcomers)
	c := listed{Conn: new(net.TCPConn)}
	n.note(c, http.StateNew)
	n.note(c, http.StateClosed)
	n.note(nested{c}, http.StateNew)
	if n.known.Len() > 0 {
		t.Errorf("got %v", n.silent())
	}
}

// nested could be one, but for what it holds.
type nested struct{ net.Conn }
