//go:build linux

package bench

// pinger makes requests: at a rate, or each connection one after the other.
type pinger struct {
	order pingOrder
	id    int   // of the order that is not answered yet; 0: none
	end   int64 // no request is meant to leave from here on

	base, next uint64 // numbers of the first and the next request
	inflight   int
	sent       int
	replies    int
	errors     int
	heard      int64 // when the last reply came

	phases  []*histogram
	since   []int64 // when each phase began
	lag     *histogram
	payload []byte
}

// firstRequest is the number of the first request ever; below are join refs.
const firstRequest = 16

func (p *pinger) begin(id int, o pingOrder) {
	*p = pinger{
		order: o, id: id, end: o.At + o.For, heard: o.At,
		base: max(p.next, firstRequest), next: max(p.next, firstRequest),
		phases: []*histogram{{}}, since: []int64{o.At}, lag: &histogram{},
		payload: padded(o.Size),
	}
}

// phase has requests from its beginning on counted apart.
func (p *pinger) phase(o phaseOrder) {
	p.phases = append(p.phases, &histogram{})
	p.since = append(p.since, o.At)
}

func (p *pinger) stop(now int64) {
	p.end = min(p.end, now)
}

func (p *pinger) tick(w *worker, now int64) int64 {
	if p.id == 0 {
		return never
	}
	next := p.start(w, now)
	if now < p.end {
		return min(next, p.end)
	}
	over := max(p.heard, p.end) + p.order.Drain
	if p.inflight == 0 || now >= over {
		p.finish(w)
		return never
	}
	return over
}

// start makes the requests that are due and says when the next is.
func (p *pinger) start(w *worker, now int64) int64 {
	if p.order.Rate <= 0 {
		return p.startLoop(w, now)
	}
	for {
		due := scheduled(p.order.At, p.next-p.base, p.order.Rate)
		if due >= p.end {
			return never
		}
		if due > now {
			return due
		}
		p.ask(w, int((p.next-p.base)%uint64(len(w.conns))), due, now)
	}
}

// startLoop has every connection ask for the first time.
func (p *pinger) startLoop(w *worker, now int64) int64 {
	if p.next > p.base || now >= p.end {
		return never
	}
	if now < p.order.At {
		return p.order.At
	}
	for i := range w.conns {
		p.ask(w, i, now, now)
	}
	return never
}

// ask makes one request on connection i that was due. It takes a number even
// if the connection is lost, so that the schedule stays.
func (p *pinger) ask(w *worker, i int, due, now int64) {
	c := &w.conns[i]
	ref := p.next
	p.next++
	if c.state != joined {
		return
	}
	p.lag.add(now - due)
	c.at, c.ref = due, uint32(ref)
	p.sent++
	p.inflight++
	w.text = appendPing(w.text[:0], ref, w.set.Prefix, c.topic, requestEvent, p.payload)
	w.sendFrame(i, opText, w.text)
}

// reply takes one reply that is not a join's or a heartbeat's.
func (p *pinger) reply(w *worker, i int, m message, now int64) {
	ref, ok := m.number()
	if !ok || p.id == 0 || ref < p.base || ref >= p.next {
		return
	}
	due := scheduled(p.order.At, ref-p.base, p.order.Rate)
	if p.order.Rate <= 0 {
		if w.conns[i].ref != uint32(ref) {
			return // not the one in flight
		}
		due = w.conns[i].at
		w.conns[i].ref = 0
	}
	p.inflight--
	p.replies++
	p.heard = now
	if !m.replyOK() {
		p.errors++
	}
	p.phaseOf(due).add(now - due)
	if p.order.Rate <= 0 && now < p.end {
		p.ask(w, i, now, now)
	}
}

// phaseOf is where a request is counted that was due then.
func (p *pinger) phaseOf(due int64) *histogram {
	i := len(p.since) - 1
	for i > 0 && p.since[i] > due {
		i--
	}
	return p.phases[i]
}

func (p *pinger) finish(w *worker) {
	w.answer(p.id, pingAnswer{
		Sent: p.sent, Replies: p.replies, Errors: p.errors, Phases: p.phases, Lag: p.lag,
	}, nil)
	p.id = 0
}
