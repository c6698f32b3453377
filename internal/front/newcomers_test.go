package front

import (
	"net"
	"net/http"
	"testing"
)

func TestANewcomerIsOneUntilItsFirstRequestIsAnswered(t *testing.T) {
	n := new(newcomers)
	expect := func(when string, silent int, others bool) {
		t.Helper()
		if list, more := n.silent(); len(list) != silent || more != others {
			t.Errorf("%s: got %d silent, others %v", when, len(list), more)
		}
	}
	a, b := new(net.TCPConn), new(net.UnixConn)
	n.note(a, http.StateNew)
	n.note(b, http.StateNew)
	expect("two have come", 2, false)
	n.note(a, http.StateActive)
	expect("one asks", 1, true)
	n.note(a, http.StateIdle)
	n.note(a, http.StateActive)
	expect("it was answered, and asks again", 1, false)
	n.note(b, http.StateActive)
	n.note(b, http.StateHijacked)
	n.note(a, http.StateClosed)
	expect("both have gone", 0, false)
}

func TestNothingIsKeptOfAHerdOfNewcomers(t *testing.T) {
	n := new(newcomers)
	conns := make([]net.TCPConn, herd+1)
	for i := range conns {
		n.note(&conns[i], http.StateNew)
	}
	for i := range conns {
		n.note(&conns[i], http.StateClosed)
	}
	if len(n.states) != 0 || n.most != 0 {
		t.Errorf("%d are left, of %d", len(n.states), n.most)
	}
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
	if list, others := n.silent(); len(list) > 0 || others {
		t.Errorf("got %v", list)
	}
}

// nested could be one, but for what it holds.
type nested struct{ net.Conn }
