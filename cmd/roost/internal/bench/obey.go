//go:build linux

package bench

import (
	"encoding/json"
	"errors"
	"fmt"
)

var errOrder = errors.New("bench: unknown order")

// done answers an order that asks for nothing.
var done struct{}

// obey carries out one order, or begins to.
func (w *worker) obey(line []byte) {
	var o order
	err := json.Unmarshal(line, &o)
	if err == nil {
		err = w.begin(o)
	}
	if err != nil {
		w.answer(o.ID, nil, err)
	}
}

// begin answers the order itself if that is done at once, and else leaves it
// to what it began. An error is the answer too.
func (w *worker) begin(o order) error {
	switch o.Do {
	case "connect":
		return begin(o, w.dialer.begin)
	case "ping":
		return begin(o, w.pinger.begin)
	case "publish":
		return begin(o, func(id int, with publishOrder) { w.publish.begin(w, id, with) })
	case "acks":
		return at(w, o, func(struct{}) (any, error) { return done, w.watch(ackIn, ackEvent) })
	case "setup":
		return at(w, o, func(with setupOrder) (any, error) { return w.setup(with) })
	case "heartbeat":
		return at(w, o, func(with heartbeatOrder) (any, error) { w.heart.begin(with); return done, nil })
	case "phase":
		return at(w, o, func(with phaseOrder) (any, error) { w.pinger.phase(with); return done, nil })
	case "stop":
		return at(w, o, func(struct{}) (any, error) { w.pinger.stop(w.clock.now()); return done, nil })
	case "measure":
		return at(w, o, func(with measureOrder) (any, error) { w.measure(with); return done, nil })
	case "count":
		return at(w, o, func(with countOrder) (any, error) { return w.count(with), nil })
	case "stall":
		return at(w, o, func(with stallOrder) (any, error) { w.stall(with); return done, nil })
	case "drop":
		return at(w, o, func(with dropOrder) (any, error) { w.drop(with); return done, nil })
	}
	return fmt.Errorf("%w %q", errOrder, o.Do)
}

// begin has do answer the order later.
func begin[T any](o order, do func(id int, with T)) error {
	var with T
	if err := json.Unmarshal(o.With, &with); err != nil {
		return err
	}
	do(o.ID, with)
	return nil
}

// at answers the order with what do returns.
func at[T any](w *worker, o order, do func(with T) (any, error)) error {
	var with T
	if err := json.Unmarshal(o.With, &with); err != nil {
		return err
	}
	result, err := do(with)
	if err == nil {
		w.answer(o.ID, result, nil)
	}
	return err
}
