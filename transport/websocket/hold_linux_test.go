package websocket

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/roostgo/roost/transport"
)

// holder is a session that holds its connection with the first message, and
// never goes on.
type holder struct {
	fate
	conn  transport.Conn
	holds chan struct{}
}

func newHolder() *holder {
	return &holder{fate: fate{end: make(chan error, 2)}, holds: make(chan struct{})}
}

func (h *holder) Open(c transport.Conn) { h.conn = c }

// message is an empty one of a client.
var message = []byte("\x81\x80\x00\x00\x00\x00")

func (h *holder) Receive([]byte, bool) transport.Verdict {
	close(h.holds)
	return transport.Hold
}

func (h *holder) expectEnd(t *testing.T) {
	t.Helper()
	select {
	case err := <-h.end:
		if !errors.Is(err, transport.ErrClientGone) {
			t.Errorf("closed because of %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it was not closed")
	}
}

// What the system reports of a broken connection cannot be left unwatched: held,
// it would keep the loop busy for as long as the session holds it.
func TestAHeldConnectionThatIsBrokenEnds(t *testing.T) {
	e := startLoops(t)
	server, client := connected(t)
	h := newHolder()
	if err := e.adopt(server, message, h, 0); err != nil {
		t.Fatal(err)
	}
	<-h.holds
	if err := errors.Join(client.SetLinger(0), client.Close()); err != nil { // RST
		t.Fatal(err)
	}
	h.expectEnd(t)
}

// broken is a connection to which nothing can be written, and from which
// nothing comes.
type broken struct{ net.Conn }

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A reader that is held does not look; the writer has to say it.
func TestAHeldLinkThatCannotBeWrittenToEnds(t *testing.T) {
	c := Config{Loops: 1}.withDefaults()
	e := newGoroutines(&c, newHoard(0))
	server, client := net.Pipe()
	h := newHolder()
	if err := e.adopt(broken{server}, message, h, 0); err != nil {
		t.Fatal(err)
	}
	<-h.holds
	h.conn.Send(closeFrame(transport.CloseNormal))
	h.expectEnd(t)
	if err, cut := client.Close(), e.shutdown(t.Context()); err != nil || cut > 0 {
		t.Errorf("%v, and %d were cut", err, cut)
	}
}
