package websocket_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

func TestABoundThatIsHitIsCountedAndNamed(t *testing.T) {
	tight := websocket.Config{
		MaxFragments: 10, MaxFrame: 100_000, MaxMessage: 150_000, MaxRatio: 2, Compress: true, CloseTimeout: time.Minute,
	}
	kilos := strings.Repeat("x", 100_000)
	for bound, c := range map[string]struct {
		bytes []byte
		limit string
		count func(websocket.Stats) uint64
	}{
		"MaxFrame":   {masked(true, 0, frame.Text, kilos+"x"), "100000", func(s websocket.Stats) uint64 { return s.OverFrame }},
		"MaxMessage": {append(masked(false, 0, frame.Text, kilos), masked(true, 0, frame.Continuation, kilos)...), "150000", func(s websocket.Stats) uint64 { return s.OverMessage }},
		"MaxFragments": {
			append(masked(false, 0, frame.Text, "x"), bytes.Repeat(masked(false, 0, frame.Continuation, "y"), 10)...), "10",
			func(s websocket.Stats) uint64 { return s.OverFragments },
		},
		"MaxRatio": {nil, "2", func(s websocket.Stats) uint64 { return s.OverRatio }},
		"":         {masked(true, frame.RSV2, frame.Text, "x"), "", func(s websocket.Stats) uint64 { return s.Violations }},
	} {
		t.Run("bound="+bound, func(t *testing.T) {
			for _, e := range engines() {
				r := newRecorder()
				tight.Telemetry, tight.Engine = telemetry.NewStream(r), e
				s := newStage(t, tight)
				other, _ := s.dial(client.Options{})
				bad, v := s.dial(client.Options{Deflate: c.bytes == nil, Timeout: patience})
				if c.bytes == nil {
					if err := bad.SendDeflated(frame.Text, []byte(kilos)); err != nil {
						t.Fatal(err)
					}
				} else {
					send(t, bad, c.bytes)
				}
				v.awaitClosed(t, transport.ErrBadFrame)
				send(t, other, text("still there"))
				expectText(t, other, "still there")
				got := s.handler.Stats()
				if c.count(got) != 1 || got.OverFrame+got.OverMessage+got.OverFragments+got.OverRatio+got.Violations != 1 || got.MessageHigh != 11 {
					t.Errorf("%s: got %+v", e, got)
				}
				if bound == "" {
					r.never(t, "bound_hit")
					continue
				}
				if told := r.once(t, "bound_hit").(telemetry.BoundHit); told.Bound != bound || told.Limit != c.limit || told.Err == nil {
					t.Errorf("%s: told %+v", e, told)
				}
			}
		})
	}
}

// never finds fault with an event of a name.
func (r *recorder) never(t *testing.T, name string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.count[name]; n != 0 {
		t.Errorf("%d events %q, want none", n, name)
	}
}

func TestTimeoutsAreBoundsToo(t *testing.T) {
	for bound, c := range map[string]websocket.Config{
		"Timeout":      {Timeout: short, CloseTimeout: time.Minute},
		"CloseTimeout": {Timeout: time.Minute, CloseTimeout: short},
	} {
		r := newRecorder()
		c.Telemetry = telemetry.NewStream(r)
		onEachEngine(t, c, func(t *testing.T, s *stage) {
			*r = *newRecorder()
			conn, v := s.dial(client.Options{Timeout: patience})
			if bound == "CloseTimeout" {
				v.onLane(t, func() { v.conn.Close(transport.CloseNormal) }) // it does not answer
				s.awaitNone()
			} else {
				conn.ExpectClose(t, 1002)
			}
			if told := r.once(t, "bound_hit").(telemetry.BoundHit); told.Bound != bound || told.Limit != "150ms" || told.Err != nil {
				t.Errorf("told %+v", told)
			}
			got := s.handler.Stats()
			if got.IdleTimeouts+got.CloseTimeouts != 1 || (got.CloseTimeouts == 1) != (bound == "CloseTimeout") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestAnOrderlyCloseHitsNoBound(t *testing.T) {
	r := newRecorder()
	onEachEngine(t, websocket.Config{Telemetry: telemetry.NewStream(r), CloseTimeout: time.Minute}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		v.onLane(t, func() { v.conn.Close(transport.CloseNormal) })
		c.ExpectClose(t, 1000)
		s.awaitNone()
		if got := s.handler.Stats(); got.CloseTimeouts+got.IdleTimeouts+got.Violations != 0 {
			t.Errorf("got %+v", got)
		}
		r.never(t, "bound_hit")
	})
}

func TestRefusedUpgradesAreCounted(t *testing.T) {
	s := newStage(t, websocket.Config{Origin: transport.SameHost("roost.example"), Subprotocols: []string{"spoken"}})
	for _, h := range []http.Header{{"Origin": {"https://evil.example"}}, {"Sec-Websocket-Protocol": {"unknown"}}} {
		if _, _, err := client.Dial(t.Context(), s.url(), client.Options{Header: h}); err == nil {
			t.Errorf("%v: let in", h)
		}
	}
	if n := s.handler.Stats().Refused; n != 2 {
		t.Errorf("%d were counted, want 2", n)
	}
}

func TestALaneOfASmallBoundMakesPublishersWaitAndLosesNothing(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, LaneBound: 2}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{Timeout: patience})
		v.await(t, "open", func(es []entry) bool { return len(es) > 0 })
		busy, free := make(chan struct{}), make(chan struct{})
		v.conn.Lane().Post(lane.Func(func() { close(busy); <-free }), nil)
		<-busy
		sent := make(chan struct{})
		go func() { // ends when all has been sent
			defer close(sent)
			for range 5 {
				v.conn.Send(frameOf("x"))
			}
		}()
		eventually(t, "a publisher waits", func() bool { return s.handler.Stats().LaneWaits > 0 })
		if n := s.handler.Stats().LaneHigh; n > 2 {
			t.Errorf("%d tasks waited", n)
		}
		close(free)
		for range 5 {
			expectText(t, c, "x")
		}
		<-sent
	})
}

func TestALaneBoundBelowNothingIsExplained(t *testing.T) {
	if _, err := websocket.New(websocket.Config{LaneBound: -1}, nil); err == nil || !strings.Contains(err.Error(), "LaneBound is -1") {
		t.Errorf("got %v", err)
	}
}
