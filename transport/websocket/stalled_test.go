package websocket_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

func TestAClientThatTakesNothingIsCutAfterTheWriteTimeout(t *testing.T) {
	r := newRecorder()
	c := websocket.Config{Loops: 1, WriteTimeout: short, SendBuffer: 16 << 10, Telemetry: telemetry.NewStream(r)}
	for _, e := range engines() {
		t.Run("engine="+string(e), func(t *testing.T) {
			*r = *newRecorder()
			c.Engine = e
			s := newStage(t, c)
			other, _ := s.dial(client.Options{})
			_, v := s.narrow()
			began := time.Now()
			v.onLane(t, func() { v.conn.Enqueue(frameOf(strings.Repeat("x", 4<<20)), transport.Direct) })
			v.awaitClosed(t, transport.ErrSlowConsumer)
			if took := time.Since(began); took < short {
				t.Errorf("cut after %v", took)
			}
			send(t, other, text("still there?"))
			expectText(t, other, "still there?")
			if got := s.handler.Stats(); got.WriteTimeouts != 1 || got.SlowConsumers != 0 || got.Connections != 1 {
				t.Errorf("%+v", got)
			}
			if told := r.once(t, "client_stalled").(telemetry.ClientStalled); told.Timeout != short || told.Queued < 1<<20 || told.ID != visitID {
				t.Errorf("told %+v", told)
			}
		})
	}
}

func TestAClientThatTakesLittleAtATimeIsNotCut(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, WriteTimeout: 4 * short, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		unlessStalled(t, func() error {
			c, v := s.narrow()
			const size = 4 << 20
			v.onLane(t, func() { v.conn.Enqueue(frameOf(strings.Repeat("x", size)), transport.Direct) })
			left, failed := size+10, error(nil)
			whileFor(10*short, func() {
				if failed != nil {
					return
				}
				var n int64
				n, failed = io.CopyN(io.Discard, c.NetConn(), 32<<10)
				left -= int(n)
			})
			if failed != nil {
				return fmt.Errorf("cut with %d bytes left: %w", left, failed)
			}
			if left < size/4 {
				t.Fatalf("too fast to be slow: %d bytes are left", left)
			}
			n, err := io.CopyN(io.Discard, c.NetConn(), int64(left))
			if err != nil {
				return fmt.Errorf("%d of %d more came: %w", n, left, err)
			}
			return nil
		})
	})
}

// A goroutine writes more at once than this client takes within the time-out.
func TestALinkWhoseClientTakesSomethingWithinTheWriteTimeoutIsNotCut(t *testing.T) {
	s := newStage(t, websocket.Config{Engine: websocket.Goroutines, WriteTimeout: 4 * short, SendBuffer: 16 << 10})
	unlessStalled(t, func() error {
		before := s.handler.Stats().WriteTimeouts
		c, v := s.narrow()
		defer c.Drop()
		v.onLane(t, func() { v.conn.Enqueue(frameOf(strings.Repeat("x", 4<<20)), transport.Direct) })
		for range 5 {
			whileFor(3*short, func() {})
			if _, err := io.CopyN(io.Discard, c.NetConn(), 48<<10); err != nil {
				return err
			}
		}
		if got := s.handler.Stats(); got.WriteTimeouts != before || got.Connections != 1 {
			return fmt.Errorf("%+v", got)
		}
		return nil
	})
}

func TestWithoutAWriteTimeoutNobodyIsCutForWaiting(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, Timeout: short, WriteTimeout: -1, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		unlessStalled(t, func() error { // it has to say something within Timeout
			c, v := s.narrow()
			defer c.Drop()
			const size = 4 << 20
			v.onLane(t, func() { v.conn.Enqueue(frameOf(strings.Repeat("x", size)), transport.Direct) })
			whileFor(4*short, func() { _ = c.SendRaw(text("alive")) })
			if m, err := c.Read(patience); err != nil || len(m.Payload) != size {
				return errors.Join(fmt.Errorf("got %.100v", m), err)
			}
			return nil
		})
	})
}
