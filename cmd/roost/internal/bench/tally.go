//go:build linux

package bench

import "encoding/binary"

// tally counts what arrives.
type tally struct {
	window int
	subs   []int // connections of each topic
	got    []int // arrivals of number n of topic t at t*window + n modulo window

	delivered, lost, repeated int

	delivery *histogram
	// unread is set once nobody reads the acknowledgements any more.
	unread bool
}

func (t *tally) subscribe(conns []conn, topics int) {
	t.subs = make([]int, topics)
	for i := range conns {
		t.subs[conns[i].topic]++
	}
	t.delivery = &histogram{}
}

// measure begins to count anew.
func (w *worker) measure(o measureOrder) {
	w.tally = tally{
		window: o.Window, subs: w.tally.subs, got: make([]int, o.Window*len(w.tally.subs)), delivery: &histogram{},
	}
	clear(w.drops)
	w.heart.answered = 0
}

func (w *worker) count(o countOrder) countAnswer {
	a := countAnswer{
		Delivered: w.tally.delivered, Lost: w.tally.lost, Repeated: w.tally.repeated,
		Heartbeats: w.heart.sent, Answered: w.heart.answered,
		Drops: w.drops, Joined: w.joined, Thinned: w.thinned(),
	}
	if o.Full {
		a.Delivery = w.tally.delivery
	}
	return a
}

// delivered counts one publication on its arrival. Each connection sees the
// numbers of its topic in their order (O1), so a gap is a loss.
func (w *worker) delivered(c *conn, m message, now int64) {
	s, ok := parseStamp(m.payload)
	switch {
	case !ok:
		return
	case s.seq <= c.seq:
		w.tally.repeated++
		return
	}
	w.tally.lost += int(s.seq - c.seq - 1)
	c.missed = c.missed || s.seq > c.seq+1
	w.tally.delivered++
	w.tally.delivery.add(now - s.at)
	c.seq = s.seq
	w.tally.arrived(c.topic, s.seq)
}

// arrived tells the publisher once number seq has reached all of the topic.
func (t *tally) arrived(topic, seq uint32) {
	if t.window == 0 {
		return
	}
	slot := &t.got[int(topic)*t.window+int(seq)%t.window]
	if *slot++; *slot < t.subs[topic] {
		return
	}
	*slot = 0
	var b [ackSize]byte
	binary.LittleEndian.PutUint32(b[:], topic)
	binary.LittleEndian.PutUint32(b[4:], seq)
	if _, err := write(ackOut, b[:]); err != nil {
		t.unread = true
	}
}

// ackSize is the size of topic and number on the pipe; the kernel keeps
// records this small together (pipe(7), PIPE_BUF).
const ackSize = 8
