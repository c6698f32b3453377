package roost_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
)

// stuck is a client with channels whose handler waits for release.
type stuck struct {
	*client.Conn
	endpoint *roost.Endpoint
	release  chan bool
	entered  chan bool
	sockets  chan *roost.Socket
}

func newStuck(t *testing.T, c roost.Config) *stuck {
	t.Helper()
	s := &stuck{release: make(chan bool, 100), entered: make(chan bool, 100), sockets: make(chan *roost.Socket, 10)}
	e, url := play(t, c, actor{
		join: func(socket *roost.Socket) error { s.sockets <- socket; return nil },
		in: func(_ *roost.Socket, event string) error {
			s.entered <- true
			<-s.release
			if event == "crash" {
				return errTable
			}
			return nil
		},
	})
	t.Cleanup(func() { close(s.release) }) // before the server's end waits for those calls
	s.endpoint, s.Conn = e, client.Open(t, url, client.Options{})
	return s
}

// long is a message of a few bytes more.
func long(bytes int) string { return `{"a":"` + strings.Repeat("x", bytes) + `"}` }

// refuses expects that a message is refused for its bytes.
func (s *stuck) refuses(t *testing.T, join, ref, topic string) {
	t.Helper()
	must(s.Push(join, ref, topic, "e", long(600)))
	var n notice
	must(json.Unmarshal(s.ExpectReply(t, join, ref, topic, "error"), &n))
	if n.Reason != "too many bytes waiting" {
		t.Errorf("got %+v", n)
	}
}

// waiting waits until so many bytes do.
func (s *stuck) waiting(t *testing.T, socket *roost.Socket, want uint32) {
	t.Helper()
	for deadline := time.Now().Add(patience); socket.Waiting() != want; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes wait, want %d", socket.Waiting(), want)
		}
	}
}

func TestTheMessagesThatWaitForAConnectionAreBoundedInBytes(t *testing.T) {
	full := make(chan telemetry.MailboxFull, 10)
	s := newStuck(t, roost.Config{MailboxBytes: 2000, Telemetry: []telemetry.Handler{listener{handle: func(e telemetry.Event) {
		if e, ok := e.(telemetry.MailboxFull); ok {
			full <- e
		}
	}}}})
	s.Join(t, "room:1", "1", "")
	s.Join(t, "room:2", "2", "")
	must(s.Push("1", "3", "room:1", "e", long(600)))
	must(s.Push("2", "4", "room:2", "e", long(600)))
	s.refuses(t, "1", "5", "room:1")
	s.refuses(t, "2", "6", "room:2")
	if e := receive(t, full, "event"); e.BoundBytes != 2000 || e.Bound != 0 {
		t.Errorf("told %+v", e)
	}
	if n := s.endpoint.Stats(); n.MailboxBytesRefusals != 2 || n.MailboxRefusals != 0 || n.MailboxBytesHigh < 1400 || n.MailboxBytesHigh > 2000 {
		t.Errorf("%d and %d were refused, %d bytes waited at most", n.MailboxBytesRefusals, n.MailboxRefusals, n.MailboxBytesHigh)
	}
	one := s.endpoint.Stats().MailboxBytesHigh / 2
	s.release <- true
	s.waiting(t, <-s.sockets, uint32(one)) //nolint:gosec // below 2,000
	must(s.Push("1", "7", "room:1", "e", long(600)))
	s.refuses(t, "2", "8", "room:2")
}

func TestOneMessageOfAnySizeMayWait(t *testing.T) {
	s := newStuck(t, roost.Config{MailboxBytes: 1})
	s.Join(t, "room:1", "1", "")
	socket := <-s.sockets
	for range 3 {
		must(s.Push("1", "2", "room:1", "e", long(100_000)))
		receive(t, s.entered, "call")
		s.refuses(t, "1", "3", "room:1")
		s.release <- true
		s.waiting(t, socket, 0)
	}
}

func TestWhatIsNotHandledDoesNotWait(t *testing.T) {
	for name, end := range map[string]func(s *stuck, first *roost.Socket){
		"killed":       func(_ *stuck, first *roost.Socket) { first.Kill(errTable) },
		"left":         func(s *stuck, _ *roost.Socket) { must(s.Push("1", "9", "room:1", "phx_leave", "")) },
		"joined again": func(s *stuck, _ *roost.Socket) { must(s.Push("8", "8", "room:1", "phx_join", "")) },
		"crashed":      func(*stuck, *roost.Socket) {},
		"gone":         func(s *stuck, _ *roost.Socket) { s.Drop() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStuck(t, roost.Config{})
			s.Join(t, "room:1", "1", "")
			must(s.Push("1", "2", "room:1", map[bool]string{true: "crash", false: "e"}[name == "crashed"], ""))
			receive(t, s.entered, "call")
			for i := range 6 {
				must(s.Push("1", fmt.Sprint(i+3), "room:1", "e", long(600)))
			}
			alive(t, s.Conn)
			first := <-s.sockets
			if n := first.Waiting(); n < 6*600 {
				t.Errorf("%d bytes wait", n)
			}
			end(s, first)
			for range 7 {
				s.release <- true
			}
			s.waiting(t, first, 0)
		})
	}
}

func TestWithoutABoundOfBytesNumbersAreOne(t *testing.T) {
	s := newStuck(t, roost.Config{MailboxBytes: -1, Mailbox: 3})
	s.Join(t, "room:1", "1", "")
	must(s.Push("1", "2", "room:1", "e", ""))
	receive(t, s.entered, "call")
	for range 3 {
		must(s.Push("1", "3", "room:1", "e", long(1<<20)))
	}
	must(s.Push("1", "4", "room:1", "e", ""))
	s.ExpectReply(t, "1", "4", "room:1", "error")
	if n := s.endpoint.Stats(); n.MailboxRefusals != 1 || n.MailboxBytesHigh != 0 {
		t.Errorf("%d were refused, %d bytes waited", n.MailboxRefusals, n.MailboxBytesHigh)
	}
}

func TestAMessageThatItsMailboxRefusesDoesNotWait(t *testing.T) {
	s := newStuck(t, roost.Config{Mailbox: 1})
	s.Join(t, "room:1", "1", "")
	must(s.Push("1", "2", "room:1", "e", ""))
	receive(t, s.entered, "call")
	must(s.Push("1", "3", "room:1", "e", ""))
	alive(t, s.Conn)
	socket := <-s.sockets
	before := socket.Waiting()
	must(s.Push("1", "4", "room:1", "e", long(600)))
	s.ExpectReply(t, "1", "4", "room:1", "error")
	s.waiting(t, socket, before)
}
