package websocket_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/transport/websocket"
)

// recorder keeps the names of events, and what the first of each said.
type recorder struct {
	mu    sync.Mutex
	count map[string]int
	first map[string]telemetry.Event
}

func newRecorder() *recorder {
	return &recorder{count: make(map[string]int), first: make(map[string]telemetry.Event)}
}

// Handle implements telemetry.Handler.
func (r *recorder) Handle(_ context.Context, e telemetry.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count[e.Name()]++; r.count[e.Name()] == 1 {
		r.first[e.Name()] = e
	}
}

// Enabled implements telemetry.Handler.
func (r *recorder) Enabled(slog.Level) bool { return true }

// once returns the one event of a name.
func (r *recorder) once(t *testing.T, name string) telemetry.Event {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count[name] != 1 {
		t.Fatalf("%d events %q, want 1", r.count[name], name)
	}
	return r.first[name]
}

// feed offers numbered broadcasts to one client, which pad makes larger.
type feed struct {
	v        *visit
	thinning *transport.Thinning
	pad      string
	n        int // broadcasts of each topic so far
}

// more offers one broadcast of each topic.
func (f *feed) more(t *testing.T, topics ...string) {
	t.Helper()
	f.v.onLane(t, func() {
		for _, topic := range topics {
			f.v.conn.Offer(frameOf(fmt.Sprintf("%s %d %s", topic, f.n, f.pad)).About(topic, "news"), f.thinning)
		}
	})
	f.n++
}

// untilThinned goes on until the client has fallen behind, and then some.
func (f *feed) untilThinned(t *testing.T, s *stage, topics ...string) {
	t.Helper()
	for s.handler.Stats().Thinned == 0 {
		if f.more(t, topics...); f.n > 1<<15 {
			t.Fatalf("%d broadcasts were offered to a client that does not read", f.n)
		}
	}
	for range 100 {
		f.more(t, topics...)
	}
}

// heard is a broadcast as a client got it.
func heard(t *testing.T, c *client.Conn) (topic string, n int) {
	t.Helper()
	m := c.Next(t)
	if _, err := fmt.Sscan(string(m.Payload), &topic, &n); err != nil {
		t.Fatalf("got %.100v: %v", m, err)
	}
	return topic, n
}

// hearAll reads numbered broadcasts of one topic up to the last, and returns
// how many came, and how many of them follow their predecessor at the end.
func hearAll(t *testing.T, c *client.Conn, last int) (count, run int) {
	t.Helper()
	for before := -1; before < last; {
		_, n := heard(t, c)
		switch {
		case n <= before:
			t.Fatalf("%d came after %d", n, before)
		case n == before+1:
			run++
		default:
			run = 1
		}
		before = n
		count++
	}
	return count, run
}

func TestAClientThatIsBehindGetsTheRecentPartOfAStream(t *testing.T) {
	const keep = 40
	onEachEngine(t, websocket.Config{Loops: 1, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		c, v := s.narrow()
		f := &feed{v: v, thinning: &transport.Thinning{Bytes: 1 << 20, Frames: keep}, pad: strings.Repeat("x", 5000)}
		f.untilThinned(t, s, "a")
		count, run := hearAll(t, c, f.n-1)
		if run < keep/2 || run > keep+40 { // what the writer has in hand counts; what the kernel has may be next to it
			t.Errorf("%d of %d came, the last %d without a gap", count, f.n, run)
		}
		got := s.handler.Stats()
		if int(got.DroppedOldest) != f.n-count || got.DroppedOutdated != 0 || got.Thinned == 0 || got.SlowConsumers != 0 {
			t.Errorf("%d of %d came: %+v", count, f.n, got)
		}
		f.more(t, "a") // all is well again
		if _, n := heard(t, c); n != f.n-1 {
			t.Errorf("then came %d, want %d", n, f.n-1)
		}
	})
}

func TestAClientThatIsBehindGetsTheLatestOfEachTopic(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		c, v := s.narrow()
		f := &feed{v: v, thinning: &transport.Thinning{Latest: true, Bytes: 1 << 20, Frames: 1024}, pad: strings.Repeat("x", 2000)}
		f.untilThinned(t, s, "a", "b", "c")
		last, count := map[string]int{"a": -1, "b": -1, "c": -1}, 0
		for last["a"] < f.n-1 || last["b"] < f.n-1 || last["c"] < f.n-1 {
			topic, n := heard(t, c)
			if n <= last[topic] {
				t.Fatalf("%d of %s came after %d", n, topic, last[topic])
			}
			last[topic] = n
			count++
		}
		got := s.handler.Stats()
		if int(got.DroppedOutdated+got.DroppedOldest) != 3*f.n-count || got.DroppedOutdated < 100 || got.Thinned == 0 {
			t.Errorf("%d of %d came: %+v", count, 3*f.n, got)
		}
		f.more(t, "b")
		if topic, n := heard(t, c); topic != "b" || n != f.n-1 {
			t.Errorf("then came %d of %s", n, topic)
		}
	})
}

func TestRepliesOfAThinnedClientComeAllAndInOrder(t *testing.T) {
	const replies, outbox = 100, 4 * smallOutbox
	onEachEngine(t, websocket.Config{Loops: 1, Outbox: outbox, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		c, v := s.narrow()
		f := &feed{v: v, thinning: &transport.Thinning{Bytes: outbox, Frames: 1024}, pad: strings.Repeat("x", 2000)}
		f.untilThinned(t, s, "news")
		// What waits fills the outbox: each reply needs the place of a broadcast.
		for i := range replies {
			text := fmt.Sprintf("reply %d %s", i, strings.Repeat("r", 200))
			if i%2 == 0 {
				v.onLane(t, func() { v.conn.Write(append(transport.Room(len(text)), text...), false) })
			} else {
				v.onLane(t, func() { v.conn.Enqueue(frameOf(text), transport.Direct) })
			}
			f.more(t, "news")
		}
		for next, last := 0, -1; next < replies || last < f.n-1; {
			switch topic, n := heard(t, c); {
			case topic == "reply" && n == next:
				next++
			case topic == "news" && n > last:
				last = n
			default:
				t.Fatalf("got %s %d, want reply %d or news after %d", topic, n, next, last)
			}
		}
		if got := s.handler.Stats(); got.SlowConsumers != 0 || got.OutboxHigh > outbox+4000 {
			t.Errorf("%+v", got)
		}
	})
}

func TestAClientWhoseRepliesFillTheOutboxIsCutThinnedOrNot(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, Outbox: smallOutbox, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		_, v := s.narrow()
		f := &feed{v: v, thinning: &transport.Thinning{Bytes: smallOutbox, Frames: 1024}, pad: strings.Repeat("x", 2000)}
		f.untilThinned(t, s, "news")
		v.flood(t, 1000)
		v.awaitClosed(t, transport.ErrSlowConsumer)
		if got := s.handler.Stats(); got.SlowConsumers != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestAClientThatReadsIsNotThinned(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1}, func(t *testing.T, s *stage) {
		thinning := &transport.Thinning{Latest: true, Bytes: 1, Frames: 1}
		unlessStalled(t, func() error { // a goroutine that is kept from writing for 50 ms is behind
			before := s.handler.Stats()
			c, v := s.dial(client.Options{Timeout: patience})
			for i := range 50 {
				v.onLane(t, func() {
					for n := range 20 {
						v.conn.Offer(frameOf(fmt.Sprint("news ", 20*i+n)).About("news", "news"), thinning)
					}
				})
				for n := -1; n < 20*i+19; {
					_, n = heard(t, c)
				}
			}
			got := s.handler.Stats()
			if got.Thinned != before.Thinned || got.DroppedOutdated != before.DroppedOutdated || got.DroppedOldest != before.DroppedOldest {
				return fmt.Errorf("%+v", got)
			}
			return nil
		})
	})
}

func TestAnOfferThatNothingMayDropIsQueuedAsBefore(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, Outbox: smallOutbox, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		c, v := s.dial(client.Options{})
		v.onLane(t, func() { v.conn.Offer(frameOf("news").About("news", "news"), nil) })
		expectText(t, c, "news")
		_, v = s.narrow()
		v.onLane(t, func() {
			for range 2000 {
				v.conn.Offer(frameOf(strings.Repeat("x", 1000)).About("news", "news"), nil)
			}
		})
		v.awaitClosed(t, transport.ErrSlowConsumer)
	})
}

func TestWhatIsThinnedIsCountedAsItIsCompressed(t *testing.T) {
	onEachEngine(t, websocket.Config{Loops: 1, Compress: true, SendBuffer: 16 << 10}, func(t *testing.T, s *stage) {
		c, v := s.narrowly(client.Options{Deflate: true}) // which holds hundreds of these
		f := &feed{v: v, thinning: &transport.Thinning{Bytes: 32 << 10, Frames: 1 << 20}, pad: strings.Repeat("xy", 100_000)}
		f.untilThinned(t, s, "a")
		count, _ := hearAll(t, c, f.n-1)
		if got := s.handler.Stats(); int(got.DroppedOldest) != f.n-count || got.OutboxHigh > 1<<20 {
			t.Errorf("%d of %d came: %+v", count, f.n, got)
		}
	})
}

func TestThinningIsToldOnceForEachEpisode(t *testing.T) {
	r := newRecorder()
	c := websocket.Config{Loops: 1, SendBuffer: 16 << 10, Telemetry: telemetry.NewStream(r)}
	for _, e := range engines() {
		t.Run("engine="+string(e), func(t *testing.T) {
			*r = *newRecorder()
			c.Engine = e
			s := newStage(t, c)
			_, v := s.narrow()
			f := &feed{v: v, thinning: &transport.Thinning{Bytes: smallOutbox, Frames: 1024}, pad: strings.Repeat("x", 2000)}
			f.untilThinned(t, s, "a")
			got := s.handler.Stats()
			for got.DroppedOldest < 20*got.Thinned { // the client's own buffers may fill in more than one go
				f.more(t, "a")
				if got = s.handler.Stats(); f.n > 1<<15 {
					t.Fatalf("each episode is short: %+v", got)
				}
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if n := r.count["client_thinned"]; uint64(n) != got.Thinned {
				t.Errorf("told %d times of %+v", n, got)
			}
			told := r.first["client_thinned"].(telemetry.ClientThinned)
			if told.Topic != "a" || told.Policy != "drop_oldest" || told.Queued < smallOutbox/2 || told.Transport != websocket.Name || told.ID != visitID {
				t.Errorf("told %+v", told)
			}
			if attrs := fmt.Sprint(told.Attrs()); !strings.Contains(attrs, "roost.WithSlowConsumer") {
				t.Errorf("the mend is missing: %s", attrs)
			}
		})
	}
}

func TestASlowConsumerIsToldByItsID(t *testing.T) {
	r := newRecorder()
	c := websocket.Config{Loops: 1, Outbox: smallOutbox, SendBuffer: 16 << 10, Telemetry: telemetry.NewStream(r)}
	for _, e := range engines() {
		t.Run("engine="+string(e), func(t *testing.T) {
			*r = *newRecorder()
			c.Engine = e
			_, v := newStage(t, c).narrow()
			v.flood(t, 1000)
			v.awaitClosed(t, transport.ErrSlowConsumer)
			if told := r.once(t, "slow_consumer").(telemetry.SlowConsumer); told.ID != visitID || told.Transport != websocket.Name {
				t.Errorf("told %+v", told)
			}
		})
	}
}
