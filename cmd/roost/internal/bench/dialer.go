//go:build linux

package bench

import "time"

const (
	// dialBatch connections are begun before what has arrived is looked at.
	dialBatch = 32
	// retryAfter is how long one that failed waits before it tries again.
	retryAfter = int64(500 * time.Millisecond)
	// sweepEvery is how exactly the time to be joined is kept.
	sweepEvery = int64(100 * time.Millisecond)
)

// dialer brings all connections of a worker in.
type dialer struct {
	order connectOrder
	id    int // of the order that is not answered yet; 0: none

	opened, pending, entered, lost int

	again    []retry // in the order in which they are due
	swept    int64
	first    int64
	last     int64
	failures map[string]int

	toTCP, toUpgraded, toJoined, sinceDue *histogram
}

type retry struct {
	conn int
	due  int64
}

func (d *dialer) begin(id int, o connectOrder) {
	*d = dialer{
		order: o, id: id, failures: map[string]int{},
		toTCP: &histogram{}, toUpgraded: &histogram{}, toJoined: &histogram{}, sinceDue: &histogram{},
	}
}

// due is when the schedule wants connection i made.
func (d *dialer) due(i int) int64 {
	return scheduled(d.order.At, uint64(i), d.order.Rate)
}

// scheduled is when number k is due that began at and has rate in a second.
func scheduled(at int64, k uint64, rate float64) int64 {
	if rate <= 0 {
		return at
	}
	return at + int64(float64(k)*1e9/rate)
}

func (d *dialer) tick(w *worker, now int64) int64 {
	if d.id == 0 {
		return never
	}
	d.sweep(w, now)
	next := min(d.start(w, now), d.retry(w, now), d.swept+sweepEvery)
	if d.entered+d.lost == len(w.conns) {
		d.finish(w)
		return never
	}
	return next
}

// start begins those that are due and says when the next is.
func (d *dialer) start(w *worker, now int64) int64 {
	for range dialBatch {
		if d.opened == len(w.conns) || d.order.Inflight > 0 && d.pending >= d.order.Inflight {
			return never
		}
		if due := d.due(d.opened); due > now {
			return due
		}
		d.pending++
		d.opened++
		w.open(d.opened - 1)
	}
	return now
}

// retry begins those again that have waited long enough.
func (d *dialer) retry(w *worker, now int64) int64 {
	for range dialBatch {
		if len(d.again) == 0 {
			return never
		}
		r := d.again[0]
		if r.due > now {
			return r.due
		}
		d.again = d.again[1:]
		d.pending++
		w.open(r.conn)
	}
	return now
}

// sweep fails those that have not been joined in time.
func (d *dialer) sweep(w *worker, now int64) {
	if now < d.swept+sweepEvery {
		return
	}
	d.swept = now
	for i := range w.conns {
		c := &w.conns[i]
		if c.state != closed && c.state != joined && now-c.at > w.set.Timeout {
			w.fail(i, "timeout-"+c.state.String())
		}
	}
}

func (d *dialer) joined(w *worker, i int) {
	now := w.clock.now()
	d.toJoined.add(now - w.conns[i].at)
	d.sinceDue.add(now - d.due(i))
	if d.entered == 0 {
		d.first = now
	}
	d.last = now
	d.entered++
	d.pending--
}

func (d *dialer) failed(w *worker, i int, cause string) {
	d.failures[cause]++
	d.pending--
	if int(w.conns[i].tries) <= d.order.Retries {
		d.again = append(d.again, retry{i, w.clock.now() + retryAfter})
		return
	}
	d.lost++
}

func (d *dialer) finish(w *worker) {
	w.answer(d.id, connectAnswer{
		Joined: d.entered, First: d.first, Last: d.last, Failures: d.failures,
		ToTCP: d.toTCP, ToUpgraded: d.toUpgraded, ToJoined: d.toJoined, SinceDue: d.sinceDue,
	}, nil)
	d.id = 0
}
