//go:build linux

package bench

import (
	"encoding/binary"
)

// publisher publishes; the first connection of each topic is its voice, so the
// worker's first connections have to cover all topics in their order.
type publisher struct {
	order publishOrder
	id    int   // of the order that is not answered yet; 0: none
	end   int64 // nothing is published from here on

	topics    []topicWindow
	published int
	open      int   // publications that are not acknowledged by all
	heard     int64 // when the last acknowledgement came
	lag       *histogram
	payload   []byte
}

// topicWindow is what is in flight of one topic. Its numbers go on from one
// order to the next.
type topicWindow struct {
	began uint32 // number of the last publication of the order before
	next  uint32 // number of the last publication
	first uint32 // number of the last that all have acknowledged
	acks  []int  // of number n at n modulo the window
}

func (p *publisher) begin(w *worker, id int, o publishOrder) {
	topics := p.topics
	if topics == nil {
		topics = make([]topicWindow, w.set.Topics)
	}
	for i := range topics {
		topics[i].acks = make([]int, o.Window)
		topics[i].began, topics[i].first = topics[i].next, topics[i].next
	}
	*p = publisher{
		order: o, id: id, end: o.At + o.For, heard: o.At,
		topics: topics, lag: &histogram{}, payload: p.payload,
	}
}

func (p *publisher) tick(w *worker, now int64) int64 {
	if p.id == 0 {
		return never
	}
	if p.order.Rate > 0 {
		return p.tickRate(w, now)
	}
	return p.tickWindow(w, now)
}

// tickRate publishes what is due; the coordinator waits for the arrivals.
func (p *publisher) tickRate(w *worker, now int64) int64 {
	for {
		due := scheduled(p.order.At, uint64(p.published), p.order.Rate)
		if due >= p.end {
			p.finish(w, false)
			return never
		}
		if due > now {
			return due
		}
		p.lag.add(now - due)
		p.send(w, p.published%len(p.topics), due)
	}
}

func (p *publisher) tickWindow(w *worker, now int64) int64 {
	if now < p.order.At {
		return p.order.At
	}
	if p.published == 0 {
		for t := range p.topics {
			p.fill(w, t, now)
		}
	}
	over := p.heard + p.order.Drain
	if now >= over || now >= p.end && p.open == 0 {
		p.finish(w, p.open > 0)
		return never
	}
	if now < p.end {
		return min(p.end, over)
	}
	return over
}

// fill publishes on topic t until its window is full.
func (p *publisher) fill(w *worker, t int, now int64) {
	tw := &p.topics[t]
	for now < p.end && tw.next-tw.first < uint32(p.order.Window) {
		p.open++
		p.send(w, t, now)
	}
}

func (p *publisher) send(w *worker, t int, at int64) {
	p.topics[t].next++
	p.published++
	p.payload = appendStamped(p.payload[:0], stamp{at: at, seq: p.topics[t].next}, p.order.Size)
	w.text = appendMessage(w.text[:0], publishRef, w.set.Prefix, uint32(t), broadcastEvent, p.payload)
	if w.conns[t].state == joined {
		w.sendFrame(t, opText, w.text)
	}
}

// readAcks takes what the workers have written to the pipe, in whole records.
func (p *publisher) readAcks(w *worker) {
	var buf [ackSize * 512]byte
	n, err := read(ackIn, buf[:])
	if err != nil {
		return // nothing there
	}
	now := w.clock.now()
	for b := buf[:n]; len(b) >= ackSize; b = b[ackSize:] {
		p.ack(w, int(binary.LittleEndian.Uint32(b)), binary.LittleEndian.Uint32(b[4:]), now)
	}
}

// ack is one worker's word that publication seq of topic t has reached all its
// connections. The oldest in flight must be through before the next leaves.
func (p *publisher) ack(w *worker, t int, seq uint32, now int64) {
	if p.id == 0 || t >= len(p.topics) || p.order.Window == 0 {
		return
	}
	p.heard = now
	tw := &p.topics[t]
	tw.acks[int(seq)%p.order.Window]++
	for tw.first < tw.next {
		slot := &tw.acks[int(tw.first+1)%p.order.Window]
		if *slot < p.order.Parties[t] {
			break
		}
		*slot = 0
		tw.first++
		p.open--
	}
	p.fill(w, t, now)
}

func (p *publisher) finish(w *worker, stalled bool) {
	published := make([]int, len(p.topics))
	for i, t := range p.topics {
		published[i] = int(t.next - t.began)
	}
	w.answer(p.id, publishAnswer{Published: published, Stalled: stalled, Lag: p.lag}, nil)
	p.id = 0
}
