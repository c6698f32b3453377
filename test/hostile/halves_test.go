package hostile

import (
	"testing"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// Each of them stays within what one connection may have, and means to stay for
// ever; together they would have fifty times what all may.
func TestHalvesOfMessagesAreBoundedOverAllConnections(t *testing.T) {
	const attackers, size, bound = 50, 100_000, 200_000
	half := frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{1, 2, 3, 4}, []byte(repeat("x", 2*size)))[:size]
	onEachEngine(t, websocket.Config{MaxIncomplete: bound, MaxFrame: 4 * size}, func(t *testing.T, f *fort) {
		begun := make([]*client.Conn, attackers)
		for i := range begun {
			begun[i] = f.attacker(t, "2.0.0", client.Options{})
			if err := begun[i].SendRaw(half); err != nil {
				t.Fatal(err)
			}
		}
		for f.Stats().WebSocket.OverIncomplete < attackers-2 { // two halves are within the bound, with their cost
			f.watch.felt(t)
		}
		// Whoever is honest and quick goes on: the oldest halves make room for his.
		honest := f.attacker(t, "2.0.0", client.Options{})
		beat := frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{1, 2, 3, 4},
			[]byte(v2("null", `"the beat"`, `"phoenix"`, `"heartbeat"`, `{"pad":"`+repeat("x", size/2)+`"}`)))
		if err := honest.SendRaw(beat[:size/4]); err != nil {
			t.Fatal(err)
		}
		if err := honest.SendRaw(beat[size/4:]); err != nil {
			t.Fatal(err)
		}
		if got := outcome(t, honest, beatV2); got != goesOn {
			t.Errorf("got %d", got)
		}
		honest.Abort()
		told := 0
		for _, c := range begun {
			if f.Stats().WebSocket.Incomplete > bound {
				t.Errorf("%d bytes are kept", f.Stats().WebSocket.Incomplete)
			}
			told += f.isTold(c)
		}
		if told < attackers-3 {
			t.Errorf("%d of %d were told to come back later", told, attackers)
		}
		f.stands(t)
	})
}

// isTold returns 1 when a client is told to come back later, and hangs up.
func (f *fort) isTold(c *client.Conn) int {
	defer c.Abort()
	if err := c.Ping("still here"); err != nil {
		return 0
	}
	if m, err := c.Read(patience); err == nil && m.Opcode == frame.Close && m.CloseCode == uint16(transport.CloseTryLater) {
		return 1
	}
	return 0
}
