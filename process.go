package roost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/roostgo/roost/internal/highwater"
	"github.com/roostgo/roost/internal/mailbox"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/wire"
)

// A channel is a process without a goroutine: a mailbox, and the rule that
// whoever puts the first mail into it has a worker run the callbacks until it
// is empty. Nothing here runs on a lane.

// mail is one thing for a channel to do.
type mail struct {
	kind    mailKind
	ref     wire.Ref // of in, join and leave: the message's
	event   string
	payload Payload
	info    any
}

// keep has the mail share no memory with the message that it came in.
func (m *mail) keep() {
	own := wire.Message{Ref: m.ref, Event: m.event, Payload: m.payload}
	own = own.Clone()
	m.ref, m.event, m.payload = own.Ref, own.Event, own.Payload
}

type mailKind uint8

const (
	mailJoin mailKind = iota
	mailIn
	mailOut
	mailInfo
	mailLeave
	mailClosed // the connection has ended; info says why
	mailKill
	mailEnd // what remains to be done: Terminate
)

var callbackNames = [...]string{
	mailJoin: "Join", mailIn: "HandleIn", mailOut: "HandleOut", mailInfo: "HandleInfo",
	mailLeave: "Leave", mailClosed: "Closed", mailKill: "Kill", mailEnd: "Terminate",
}

// errExited is what a callback ended with that called runtime.Goexit.
var errExited = errors.New("roost: callback exited its goroutine")

var errNoChannel = errors.New("roost: the route's Factory returned nil: return a new Channel for each join")

// killedError is what a channel ends with that was killed.
type killedError struct{ reason error }

func (e killedError) Error() string { return fmt.Sprintf("roost: killed: %v", e.reason) }
func (e killedError) Unwrap() error { return e.reason }

// turn is how many mails one channel handles before others get the worker.
const turn = 64

// post puts mail into the mailbox and has the channel scheduled. Mail of the
// system has no bound.
func (s *Socket) post(m mail, bound int) error {
	switch s.mailbox.Put(m, bound) {
	case mailbox.Queued:
		highwater.Raise(&s.client.kind.endpoint.count.mailboxHigh, int64(s.mailbox.Len()))
	case mailbox.Schedule:
		highwater.Raise(&s.client.kind.endpoint.count.mailboxHigh, 1)
		s.client.kind.endpoint.workers.Submit(s)
	case mailbox.Full:
		s.mailboxFull(m.event)
		return ErrMailboxFull
	case mailbox.Closed:
		return ErrNotJoined
	}
	return nil
}

// Work handles mail until there is none. It implements workers.Task.
func (s *Socket) Work() {
	for range turn {
		m, ok := s.mailbox.Take()
		if !ok {
			return
		}
		s.handle(&m)
	}
	s.client.kind.endpoint.workers.Submit(s) // still scheduled: the others first
}

// handle runs one callback and deals with what came of it, also when it
// panics or takes its goroutine with it.
func (s *Socket) handle(m *mail) {
	defer s.client.unload(m.weight())
	o := outcome{err: errExited}
	defer func() {
		if v := recover(); v != nil {
			o = outcome{err: &PanicError{Value: v, Stack: debug.Stack()}}
		}
		s.current = nil
		s.settle(m, o)
	}()
	s.current = m
	reply, err := s.call(m)
	encoded, encodeErr := reply.response() // the value's own MarshalJSON is user code, too
	if encodeErr != nil {
		err = worse(encodeErr, err)
	}
	o = outcome{encoded, err, asked(err)} // and so are the error's methods
}

// call runs the callback that a mail is for.
func (s *Socket) call(m *mail) (Reply, error) {
	switch m.kind {
	case mailJoin:
		return s.enter(m)
	case mailIn:
		return s.handleIn(m)
	case mailOut:
		return Reply{}, s.channel.(OutHandler).HandleOut(s.context(), s, m.event, m.payload)
	case mailInfo:
		return Reply{}, s.handleInfo(m.info)
	case mailKill:
		return Reply{}, m.info.(error)
	default:
		return Reply{}, nil
	}
}

func (s *Socket) enter(m *mail) (Reply, error) {
	began := time.Now()
	if s.channel = m.info.(Factory)(); s.channel == nil {
		return Reply{}, errNoChannel
	}
	r, err := s.channel.Join(s.context(), s, m.payload)
	if err == nil && r.accepts() {
		s.intercept()
	}
	e, level := s.client.kind.endpoint, s.levels().join
	if err == nil && e.tells(level, slog.LevelInfo) { // clause 280
		s.emit(telemetry.ChannelJoined{
			Channel: s.facts(), OK: r.accepts(), Params: e.params(m.payload), Duration: time.Since(began), LogLevel: level,
		})
	}
	return r, err
}

// intercept asks which broadcasts are for HandleOut.
func (s *Socket) intercept() {
	if o, ok := s.channel.(OutHandler); ok {
		if events := o.Intercepts(); len(events) > 0 {
			s.extra().intercepted = events
		}
	}
}

func (s *Socket) handleIn(m *mail) (Reply, error) {
	e, level := s.client.kind.endpoint, s.levels().handleIn
	if !e.tells(level, slog.LevelDebug) {
		return s.channel.HandleIn(s.context(), s, m.event, m.payload)
	}
	began := time.Now()
	r, err := s.channel.HandleIn(s.context(), s, m.event, m.payload)
	if err == nil { // clause 281
		s.emit(telemetry.ChannelHandledIn{
			Channel: s.facts(), Event: brief(m.event), Params: e.params(m.payload), Duration: time.Since(began), LogLevel: level,
		})
	}
	return r, err
}

func (s *Socket) handleInfo(info any) error {
	if h, ok := s.channel.(InfoHandler); ok {
		return h.HandleInfo(s.context(), s, info)
	}
	return ErrUnhandled
}

// settle does what a callback's outcome asks for.
func (s *Socket) settle(m *mail, o outcome) {
	switch {
	case m.kind == mailJoin:
		s.settleJoin(m, o)
		return
	case s.phase.Load() == ended: // replaced by another join meanwhile
		if o.err != nil && o.wish == (wish{}) {
			s.crashed(m, o.err)
		}
		return
	case m.kind == mailLeave:
		s.leave(m.ref)
		return
	case m.kind == mailClosed:
		s.terminate(m.info.(error))
		return
	case m.kind == mailInfo && o.wish.unhandled: // clause 201
		s.emit(telemetry.InfoUnhandled{Channel: s.facts(), Type: fmt.Sprintf("%T", m.info)})
		return
	}
	if replyErr := s.reply(m.ref, o.response); replyErr != nil {
		o.err, o.wish = errors.Join(replyErr, o.failure()), wish{}
	}
	if o.err != nil {
		s.fail(m, o)
	}
}

// worse is what a callback failed with whose reply could not be encoded: that
// it wanted to stop does not count any more.
func worse(encodeErr, err error) error {
	if err == nil || asked(err).stop {
		return encodeErr
	}
	return errors.Join(encodeErr, err)
}

// fail ends the channel because of what a callback returned [§7.8]. To panic with
// Stop, or to be killed with it, is a crash all the same [clauses 180, 181].
func (s *Socket) fail(m *mail, o outcome) {
	if o.wish.stop && m.kind != mailKill { // clause 176; phx_close first, then what Terminate pushes
		s.client.conn.Lane().Send(s, departure{event: eventClose, payload: empty})
		s.terminate(told(o.err))
		return
	}
	s.crashed(m, o.err)
	defer s.client.conn.Lane().Send(s, departure{event: eventError, payload: channelCrash}) // after what Terminate pushes
	s.terminate(told(o.err))
}

// leave answers phx_leave: reply, phx_close, then what Terminate pushes
// [§7.7].
func (s *Socket) leave(ref wire.Ref) {
	f, err := seal(s.client.kind.serializer, &wire.Message{Kind: wire.Reply, JoinRef: s.joinRef, Ref: ref, Topic: *s.topic, Status: statusOK})
	if err == nil {
		s.client.conn.Send(f)
	}
	s.client.conn.Lane().Send(s, departure{event: eventClose, payload: empty})
	s.terminate(ErrLeft)
}

// terminate runs the last callback. Afterwards the channel is no more.
func (s *Socket) terminate(reason error) {
	defer s.expire()
	t, ok := s.channel.(Terminator)
	if !ok {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			s.crashed(&mail{kind: mailEnd}, &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	t.Terminate(context.WithoutCancel(s.context()), s, reason)
}

// expire ends the channel for those who have its Socket or its context.
func (s *Socket) expire() {
	s.mailbox.Close(s.dropped)
	s.phase.Store(ended)
	s.cancel()
}

// settleJoin answers a join [§7.4].
func (s *Socket) settleJoin(m *mail, o outcome) {
	r, err := o.response, o.err
	gone := o.wish.cancelled && s.is(cancelled)      // Join ended because its client did: that is no crash
	if !s.phase.CompareAndSwap(joining, answering) { // clause 151
		err = errors.Join(err, fmt.Errorf("roost: Join pushed or broadcast: %w", errInsideJoin))
	}
	if r.status == "" {
		r.status = statusOK
	}
	ok := err == nil && r.status == statusOK
	if ok {
		err = s.takeSeat()
	}
	f, encodeErr := s.sealJoin(m.ref, r)
	if err = errors.Join(err, encodeErr); err != nil { // clause 150
		ok = false
		if !gone {
			s.crashed(m, err)
		}
		f, _ = s.sealJoin(m.ref, response{statusError, joinCrashed}) // always has an encoding
	}
	sent := s.client.conn.Lane().Send(s, &joinAnswer{frame: f, ok: ok})
	switch {
	case !ok:
		s.seat.Release()
		s.expire()
	case !sent: // the server has stopped while Join ran, and its lanes with it
		s.seat.Release()
		s.terminate(&closedError{transport.ErrShutdown})
	default:
		s.enterTopic()
	}
}

// takeSeat subscribes the channel to its topic. From the moment that Join has
// returned, what this node broadcasts is not missed [O6]; the lane keeps it
// until the join is answered.
func (s *Socket) takeSeat() error {
	lane := s.client.conn.Lane()
	return s.client.kind.endpoint.bus.ReserveThen(s.context(), &s.seat, *s.topic, lane, s, func() { lane.Send(s, listening{}) })
}

// sealJoin encodes the answer to the join, with the join_ref that it came with
// [clause 160].
func (s *Socket) sealJoin(ref wire.Ref, r response) (*transport.Frame, error) {
	return seal(s.client.kind.serializer, &wire.Message{
		Kind: wire.Reply, JoinRef: s.element(), Ref: ref, Topic: *s.topic, Status: r.status, Payload: r.payload,
	})
}

// element is the join message's join_ref.
func (s *Socket) element() wire.Ref {
	if s.is(joinRefNull) {
		return ""
	}
	return s.joinRef
}

func (s *Socket) facts() telemetry.Channel {
	return telemetry.Channel{Topic: telemetry.Cut(*s.topic), SocketID: s.client.ID()}
}

// crashed reports, once, that a callback failed.
func (s *Socket) crashed(m *mail, err error) {
	s.client.kind.endpoint.count.crashes.Add(1)
	s.emit(telemetry.ChannelCrashed{Channel: s.facts(), Callback: callbackNames[m.kind], Event: brief(m.event), Err: err, Stack: stackOf(err)})
}

func (s *Socket) mailboxFull(event string) {
	s.client.kind.endpoint.count.mailboxRefusals.Add(1)
	s.emit(telemetry.MailboxFull{Channel: s.facts(), Event: brief(event), Bound: s.client.kind.endpoint.config.Mailbox})
}

func (s *Socket) mailboxBytesFull(event string) {
	s.client.kind.endpoint.count.mailboxBytesRefusals.Add(1)
	s.emit(telemetry.MailboxFull{Channel: s.facts(), Event: brief(event), BoundBytes: s.client.kind.endpoint.config.MailboxBytes})
}

func (s *Socket) emit(e telemetry.Event) { s.client.kind.endpoint.stream.Emit(context.Background(), e) }
