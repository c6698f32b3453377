package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/frame"
	"github.com/roostgo/roost/test/client"
	"github.com/roostgo/roost/transport/websocket"
)

// streamed is how many messages may wait before a stream's oldest is dropped.
const streamed = 40

// bell is a channel that says when it was asked.
type bell struct{ rang chan struct{} }

func (*bell) Join(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(nil), nil
}

func (b *bell) Ring(context.Context, *roost.Socket, roost.Payload) (roost.Reply, error) {
	b.rang <- struct{}{}
	return roost.ReplyOK(nil), nil
}

// press publishes on topics of each policy.
type press struct {
	*fort
	rung chan struct{}
	n    int // of the next round
	kept []int
}

func newPress(f *fort) *press {
	p := &press{fort: f, rung: make(chan struct{}, 2)}
	f.Channel("stream:*", roost.ChannelOf((*seat).Join), roost.WithSlowConsumer(roost.DropOldest{Frames: streamed}))
	f.Channel("state:*", roost.ChannelOf((*seat).Join), roost.WithSlowConsumer(roost.KeepLatest{}))
	f.Channel("bell:*", roost.ChannelOf((*bell).Join, roost.On("ring", (*bell).Ring), roost.Fresh(func() *bell { return &bell{p.rung} })))
	return p
}

// round publishes once on each topic that may be thinned, and now and then
// where nothing may be missed.
func (p *press) round(t *testing.T) {
	t.Helper()
	p.say(t, "stream:1", "news")
	p.say(t, "state:1", "a")
	p.say(t, "state:1", "b")
	if p.n%100 == 0 {
		p.say(t, "room:1", "must")
		p.kept = append(p.kept, p.n)
	}
	p.n++
}

func (p *press) say(t *testing.T, topic, event string) {
	t.Helper()
	if err := p.Broadcast(context.Background(), topic, event, map[string]any{"n": p.n, "pad": repeat("x", 2000)}); err != nil {
		t.Fatal(err)
	}
}

// stuck connects a client that has joined a topic of each policy, and for which
// more waits than the kernel takes.
func (p *press) stuck(t *testing.T) *client.Conn {
	t.Helper()
	c := p.attacker(t, "2.0.0", client.Options{Dial: narrow})
	for _, topic := range []string{"stream:1", "state:1", "room:1", "bell:1"} {
		c.Join(t, topic, "1", "")
	}
	if err := c.SendText(v2(`"1"`, `"large"`, `"room:1"`, `"echo"`, `{"pad":"`+repeat("x", large)+`"}`)); err != nil {
		t.Fatal(err)
	}
	for p.Stats().WebSocket.OutboxHigh < large/4 {
		p.honest.ExpectQuiet(t) // until the answer waits
	}
	return c
}

// untilBehind publishes until a client is behind: without event loops that is when a
// write has lasted for 50 ms. It returns the first round that was not before it.
func (p *press) untilBehind(t *testing.T) (from int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for p.Stats().WebSocket.Thinned == 0 {
		p.round(t)
		<-tick.C
	}
	return p.n
}

// rings asks twice: the answer to the first, and a pong before it, are on their
// way when the second has been heard.
func (p *press) rings(t *testing.T, c *client.Conn) {
	t.Helper()
	if err := c.Ping("are you there?"); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if err := c.SendText(v2(`"1"`, fmt.Sprintf(`"ring %d"`, i), `"bell:1"`, `"ring"`, `{}`)); err != nil {
			t.Fatal(err)
		}
		<-p.rung
	}
}

// delivery is what a client heard, in its order.
type delivery struct {
	stream, a, b, once, must []int
	answers                  []string
	late                     int // broadcasts that came before the answers although they are younger
}

// hears reads until the client has all that waits for it. mark is the first
// round that began after the answers were on their way.
func (p *press) hears(t *testing.T, c *client.Conn, mark int) (d delivery) {
	t.Helper()
	for len(d.answers) < 4 || !slices.Contains(d.stream, p.n-1) || !slices.Contains(d.a, p.n-1) || !slices.Contains(d.b, p.n-1) {
		m := c.Next(t)
		if m.Opcode == frame.Pong {
			d.answers = append(d.answers, "pong")
			continue
		}
		d.note(t, m.Payload, mark)
	}
	return d
}

func (d *delivery) note(t *testing.T, message []byte, mark int) {
	t.Helper()
	var m struct {
		ref, event string
		payload    struct{ N int }
	}
	parts := []any{nil, &m.ref, nil, &m.event, &m.payload}
	if err := json.Unmarshal(message, &parts); err != nil {
		t.Fatalf("%.100q: %v", message, err)
	}
	list := map[string]*[]int{"news": &d.stream, "a": &d.a, "b": &d.b, "once": &d.once, "must": &d.must}[m.event]
	if list == nil {
		d.answers = append(d.answers, m.ref)
		return
	}
	*list = append(*list, m.payload.N)
	if m.payload.N >= mark && !slices.Contains(d.answers, "ring 0") {
		d.late++
	}
}

// newest reports whether of hundreds of values since from the last came, and few
// before it.
func newest(values []int, from, last int) bool {
	first, _ := slices.BinarySearch(values, from)
	since := values[first:]
	return len(since) > 0 && len(since) < 50 && since[len(since)-1] == last && slices.IsSorted(values)
}

func TestEachTopicOfASlowClientIsThinnedByItsOwnPolicy(t *testing.T) {
	onEachEngine(t, websocket.Config{}, func(t *testing.T, f *fort) {
		p := newPress(f)
		c := p.stuck(t)
		from := p.untilBehind(t)
		p.say(t, "state:1", "once") // and never again, so it stays the newest
		for range 200 {
			p.round(t)
		}
		p.rings(t, c)
		mark := p.n
		for range 200 {
			p.round(t)
		}
		d := p.hears(t, c, mark)
		if !newest(d.a, from, p.n-1) || !newest(d.b, from, p.n-1) {
			t.Errorf("of the states since %d came %v and %v, want the newest, %d", from, d.a, d.b, p.n-1)
		}
		if !slices.Equal(d.once, []int{from}) {
			t.Errorf("of the state that did not change came %v", d.once)
		}
		if n := len(d.stream); n < streamed/2 || n > streamed || d.stream[0] != p.n-n || !slices.IsSorted(d.stream) {
			t.Errorf("of the stream came %v, want the %d to %d before %d", d.stream, streamed/2, streamed, p.n)
		}
		if !slices.Equal(d.must, p.kept) {
			t.Errorf("of what nobody may miss came %v, want %v", d.must, p.kept)
		}
		if want := []string{"large", "pong", "ring 0", "ring 1"}; !slices.Equal(d.answers, want) || d.late > 0 {
			t.Errorf("the answers were %v, want %v; %d younger broadcasts came before", d.answers, want, d.late)
		}
		c.ExpectQuiet(t)
		if s := f.Stats().WebSocket; s.SlowConsumers != 0 || s.WriteTimeouts != 0 {
			t.Errorf("%+v", s)
		}
		c.Drop()
	})
}
