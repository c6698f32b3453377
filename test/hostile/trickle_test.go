package hostile

import (
	"io"
	"testing"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// Were all that has come of a message copied for each read, this one would make
// 128 MB of work, less what comes together.
func TestWhatTricklesInIsNotCopiedForEachByte(t *testing.T) {
	const size, bound = 16_000, 1 << 20
	beat := v2("null", `"the beat"`, `"phoenix"`, `"heartbeat"`, `{"pad":"`+repeat("x", size)+`"}`)
	message := frame.AppendMasked(nil, true, 0, frame.Text, [4]byte{1, 2, 3, 4}, []byte(beat))
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		c, out, sent := f.trickler(t, message)
		before := allocated()
		for i := range sent {
			if _, err := out.Write(sent[i : i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if got := outcome(t, c, beatV2); got != goesOn {
			t.Errorf("got %d", got)
		}
		if more := allocated() - before; more > bound {
			t.Errorf("%d bytes were allocated for a message of %d", more, size)
		}
		c.Abort()
	})
}

// trickler connects somebody who sends a message byte by byte: in TLS those of
// its one record.
func (f *fort) trickler(t *testing.T, message []byte) (c *client.Conn, out io.Writer, sent []byte) {
	t.Helper()
	if f.tls == nil {
		c = f.attacker(t, "2.0.0", client.Options{})
		return c, c.NetConn(), message
	}
	c, g := f.forge(t)
	return c, g.raw, g.record(dataRecord, message, 0)
}
