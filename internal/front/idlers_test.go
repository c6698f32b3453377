package front_test

import (
	"net"
	"net/http"
	"testing"

	"github.com/roostgo/roost/internal/front"
	"github.com/roostgo/roost/ratelimit"
)

// accepted is the next connection that comes in.
func accepted(t *testing.T, d *front.Door) net.Conn {
	t.Helper()
	c, err := d.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func open(c net.Conn) bool { return c.(interface{ BareConn() net.Conn }).BareConn().(*hung).ups == 0 }

// hung is a connection that counts how often it was hung up on.
type hung struct {
	net.Conn
	ups int
}

func (h *hung) Close() error { h.ups++; return h.Conn.Close() }

// hanging is a queue of such.
type hanging struct{ queue }

func (h *hanging) Accept() (net.Conn, error) {
	c, err := h.queue.Accept()
	return &hung{Conn: c}, err
}

func TestTheOldestIdleConnectionMakesRoom(t *testing.T) {
	d := doorOf(t, new(hanging), front.DoorConfig{Rate: -1, Places: ratelimit.GaugeConfig{Max: 4}})
	first, second, third := accepted(t, d), accepted(t, d), accepted(t, d)
	for _, c := range []net.Conn{first, second, third} {
		d.State(c, http.StateIdle)
	}
	d.State(first, http.StateActive) // asks again
	d.State(first, http.StateIdle)   // and is the youngest
	fourth := accepted(t, d)         // takes the last place
	if !open(first) || open(second) || !open(third) || !open(fourth) {
		t.Errorf("%v %v %v %v are open, want all but the second", open(first), open(second), open(third), open(fourth))
	}
	d.State(second, http.StateClosed)
	d.State(third, http.StateActive)
	fifth := accepted(t, d)
	if open(first) || !open(third) || !open(fifth) {
		t.Error("the only idle one stayed, or one that asks went")
	}
	sixth := accepted(t, d) // nobody is idle
	if !open(third) || !open(fourth) || !open(fifth) || !open(sixth) {
		t.Error("one that asks made room")
	}
	if got := d.Stats(); got.Dismissed != 2 || got.Places.Held != 4 || got.Places.Full != 0 {
		t.Errorf("got %+v", got)
	}
	d.State(third, http.StateIdle) // keeps the last place, which somebody may need
	if open(third) {
		t.Error("an idle connection keeps the last place")
	}
}

func TestWhoIsIdleStaysWhereItOnlyCounts(t *testing.T) {
	for name, places := range map[string]ratelimit.GaugeConfig{"in shadow mode": {Max: 1, Shadow: true}, "without a bound": {}} {
		t.Run(name, func(t *testing.T) {
			d := doorOf(t, new(hanging), front.DoorConfig{Rate: -1, Places: places})
			c := accepted(t, d)
			d.State(c, http.StateIdle)
			accepted(t, d)
			if !open(c) || d.Stats().Dismissed != 0 {
				t.Error("it was hung up on")
			}
		})
	}
}

func TestAnAddressWithoutAPlaceMakesRoomByItsOwnOldestIdleConnection(t *testing.T) {
	h := new(hanging)
	h.from = arriving("192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.2", "192.0.2.2").from
	d := doorOf(t, h, front.DoorConfig{Rate: -1, Places: ratelimit.GaugeConfig{Max: 10, PerKey: 2}})
	other, first, second := accepted(t, d), accepted(t, d), accepted(t, d)
	for _, c := range []net.Conn{other, first, second} { // the other's has been idle for the longest
		d.State(c, http.StateIdle)
	}
	third := accepted(t, d)
	if !open(other) || open(first) || !open(second) || !open(third) {
		t.Errorf("%v %v %v %v are open, want all but the second", open(other), open(first), open(second), open(third))
	}
	d.State(first, http.StateClosed)
	d.State(second, http.StateActive)
	if fourth := accepted(t, d); addressOf(fourth) != "192.0.2.1" { // nobody of 192.0.2.2 is idle
		t.Errorf("%v came in", fourth.RemoteAddr())
	}
	if got := d.Stats(); got.Dismissed != 1 || got.Places.KeyFull != 1 || got.Places.Held != 4 || !open(second) {
		t.Errorf("got %+v", got)
	}
}
