package websocket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

func TestWhoKeepsTheMostOfIncompleteMessagesForTheLongestMakesRoom(t *testing.T) {
	const bound = 80_000
	r := newRecorder()
	c := websocket.Config{MaxIncomplete: bound, CloseTimeout: time.Minute, Telemetry: telemetry.NewStream(r)}
	onEachEngine(t, c, func(t *testing.T, s *stage) {
		*r = *newRecorder()
		message := masked(true, 0, frame.Text, strings.Repeat("x", 60_000))
		kept := func(n int64) func() bool {
			return func() bool { return s.handler.Stats().Incomplete >= n }
		}
		hoarder, v := s.dial(client.Options{Timeout: patience})
		send(t, hoarder, message[:40_000])
		eventually(t, "the first is kept", kept(40_000))
		honest, _ := s.dial(client.Options{Timeout: patience})
		send(t, honest, message[:1000])
		eventually(t, "the second is kept", kept(41_000))
		send(t, honest, message[1000:59_000])
		v.awaitClosed(t, transport.ErrBadFrame)
		hoarder.ExpectClose(t, 1013)
		send(t, honest, message[59_000:])
		expectText(t, honest, strings.Repeat("x", 60_000))
		eventually(t, "nothing is kept", func() bool { return s.handler.Stats().Incomplete == 0 })
		if got := s.handler.Stats(); got.OverIncomplete != 1 || got.IncompleteHigh <= bound || got.Violations != 0 {
			t.Errorf("got %+v", got)
		}
		if told := r.once(t, "bound_hit").(telemetry.BoundHit); told.Bound != "MaxIncomplete" || told.Limit != "80000" {
			t.Errorf("told %+v", told)
		}
	})
}
