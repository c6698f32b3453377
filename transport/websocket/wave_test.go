package websocket_test

import (
	"net/http/httptest"
	"testing"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// crowd connects clients that have arrived on their lanes.
func (s *stage) crowd(n int) (clients []*client.Conn) {
	for range n {
		c, v := s.dial(client.Options{Timeout: patience})
		v.onLane(s.t, func() {})
		clients = append(clients, c)
	}
	return clients
}

// awaitTold waits until so many sessions have ended.
func (s *stage) awaitTold(n int) {
	s.t.Helper()
	eventually(s.t, "so many are told", func() bool {
		told := 0
		for _, v := range s.all {
			if es := v.entries(); es[len(es)-1].what == ended {
				told++
			}
		}
		return told == n
	})
}

// parted asks each client that goes on for an echo, and returns how many were told
// to come back instead. Those answer, and go.
func parted(t *testing.T, clients []*client.Conn) (going []*client.Conn, gone int) {
	t.Helper()
	for _, c := range clients {
		if err := c.SendText("still there?"); err != nil {
			t.Fatal(err)
		}
		m := c.Next(t)
		switch {
		case m.Opcode == frame.Text:
			going = append(going, c)
		case m.CloseCode == 1012:
			gone++
			_ = c.Close(1012)
			c.ExpectEOF(t)
		default:
			t.Fatalf("got %v", m)
		}
	}
	return going, gone
}

func TestAWaveClosesSoManyConnectionsOverAllLanes(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 4, CloseTimeout: patience}, func(t *testing.T, s *stage) {
		clients, sum := s.crowd(30), 0
		s.handler.Retire()
		for _, wave := range []struct{ of, want int }{{10, 10}, {0, 0}, {1, 1}, {15, 15}, {10, 4}, {10, 0}} {
			if n := s.handler.CloseSome(wave.of); n != wave.want {
				t.Fatalf("a wave of %d closes %d, want %d", wave.of, n, wave.want)
			}
			sum += wave.want
			s.awaitTold(sum)
			var gone int
			if clients, gone = parted(t, clients); gone != wave.want {
				t.Fatalf("%d clients were told, want %d", gone, wave.want)
			}
		}
		s.shutdown(within(t, patience))
	})
}

func TestNobodyIsToldTwiceHoweverLongHeTakesToGo(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 3, CloseTimeout: patience}, func(t *testing.T, s *stage) {
		clients := s.crowd(9) // answer nothing yet
		s.handler.Retire()
		for range 3 {
			if n := s.handler.CloseSome(3); n != 3 {
				t.Fatalf("a wave closes %d", n)
			}
		}
		if n := s.handler.CloseSome(3); n != 0 {
			t.Errorf("%d were told again", n)
		}
		for _, c := range clients {
			c.ExpectClose(t, 1012)
			c.ExpectEOF(t)
		}
		s.shutdown(within(t, patience))
	})
}

func TestAWaveReachesBothEngines(t *testing.T) {
	s := newStage(t, websocket.Config{CloseTimeout: patience})
	secure := httptest.NewTLSServer(s.handler)
	t.Cleanup(secure.Close)
	clients := s.crowd(3)
	for range 3 {
		clients = append(clients, client.Open(t, "wss"+secure.URL[len("https"):], client.Options{TLS: trusting(secure), Timeout: patience}))
		v := <-s.visits
		v.onLane(t, func() {})
	}
	s.handler.Retire()
	for i, want := range []int{4, 2, 0} {
		if n := s.handler.CloseSome(4); n != want {
			t.Fatalf("a wave closes %d, want %d", n, want)
		}
		s.awaitTold([]int{4, 6, 6}[i])
		var gone int
		if clients, gone = parted(t, clients); gone != want {
			t.Fatalf("%d clients were told, want %d", gone, want)
		}
	}
}

func TestAHandlerThatRetiresServesWhoIsThereAndSendsOthersElsewhere(t *testing.T) {
	onEachEngine(t, patientClose, func(t *testing.T, s *stage) {
		c := s.crowd(1)[0]
		s.handler.Retire()
		_, resp, err := client.Dial(t.Context(), s.url(), client.Options{TLS: s.tls})
		if err == nil || resp == nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "1" {
			t.Errorf("an upgrade: got %v, %v", resp, err)
		}
		send(t, c, text("still there?"))
		expectText(t, c, "still there?")
		wait := s.shuttingDown()
		c.ExpectClose(t, 1012)
		c.ExpectEOF(t)
		wait()
	})
}
