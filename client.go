package roost

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/roostgo/roost/internal/highwater"
	"github.com/roostgo/roost/telemetry"
	"github.com/roostgo/roost/transport"
	"github.com/roostgo/roost/wire"
)

// client is the session of one connection: it multiplexes channels [§7].
// Everything runs on the connection's lane; nothing blocks.
type client struct {
	// Immutable after Open.
	kind    *clientKind
	conn    transport.Conn
	profile *profile // nil of a client that Connect knows nothing about

	// Owned by the lane.
	channels membership
	aside    *aside // nil of most connections
	gone     bool   // the connection has ended

	waiting atomic.Uint32 // bytes of messages that channels have not handled; see load
}

// clientKind is what very many clients have in common.
type clientKind struct {
	endpoint   *Endpoint
	transport  string
	serializer wire.Serializer
}

// pendingJoin is a join whose callback runs.
type pendingJoin struct {
	socket   *Socket
	replaced *Socket            // the instance that it takes the place of
	early    []*transport.Frame // broadcasts that came before the answer
	gone     *closedError       // why the connection ended meanwhile
}

// newClient makes the session of a connection that Connect let in. It may
// block until ctx is done.
func newClient(ctx context.Context, k *clientKind, c *Connect, p *pass) (*client, error) {
	session := &client{kind: k}
	if c.ID == "" && len(c.assigns) == 0 && p == nil {
		return session, nil
	}
	session.profile = &profile{client: session, id: strings.Clone(c.ID), assigns: c.assigns, pass: p}
	return session, session.profile.listen(ctx, k.endpoint.bus)
}

// Open implements transport.Session.
func (c *client) Open(conn transport.Conn) {
	c.conn = conn
	c.profile.open(conn.Lane())
}

// leave hands phx_leave to its channel, once.
func (c *client) leave(s *Socket, m *wire.Message) {
	if s.set(leaving) {
		_ = s.post(mail{kind: mailLeave, ref: keepRef(m.Ref)}, 0) // an ended channel says goodbye by itself
	}
}

// forward hands a message of so many bytes to its channel, unless its route's
// limits refuse it.
func (c *client) forward(s *Socket, m *wire.Message, size int) {
	if l := s.limits(); l != nil {
		if r, after := l.message(c.kind.endpoint.stream, c.buckets(l), m.Event, size); r != nil {
			c.answer(m, s.joinRef, statusError, r.payloadAfter(after))
			return
		}
	}
	letter := mail{kind: mailIn, ref: m.Ref, event: m.Event, payload: m.Payload}
	weight := letter.weight()
	if !c.load(weight) {
		s.mailboxBytesFull(m.Event)
		c.answer(m, s.joinRef, statusError, mailboxBytesFull)
		return
	}
	letter.keep()
	c.conn.Lane().Hand()
	err := s.post(letter, c.kind.endpoint.config.Mailbox)
	if err != nil {
		c.unload(weight)
	}
	if err == ErrMailboxFull { //nolint:errorlint // post returns it bare
		c.answer(m, s.joinRef, statusError, mailboxFull)
	}
}

// join starts a join. Nothing more is received until it is answered [O2].
func (c *client) join(m *wire.Message, old *Socket) transport.Verdict {
	if g := c.kind.endpoint.gate; g.refusesJoin() {
		return c.turnAway(m, refusedOverload.payloadAfter(spread(g.config.RetryAfter)), g.config.Hold)
	}
	if r, after := c.profile.limits().join(); r != nil {
		return c.turnAway(m, r.payloadAfter(after), c.kind.endpoint.config.Overload.Hold)
	}
	r := c.match(m)
	if r != nil && (old != nil || !c.full()) { // who cannot join uses up nothing of what all share
		if no, after := r.limits.join(c.kind.endpoint.stream); no != nil {
			return c.turnAway(m, no.payloadAfter(after), c.kind.endpoint.config.Overload.Hold)
		}
	}
	if old != nil {
		c.replace(old)
	}
	s := c.admit(m, r)
	if s == nil {
		c.farewell(old)
		return transport.Continue
	}
	c.conn.Lane().Hand()
	c.extra().joining = &pendingJoin{socket: s, replaced: old}
	payload := m.Clone().Payload
	_ = s.post(mail{kind: mailJoin, ref: keepRef(m.Ref), payload: payload, info: r.factory}, 0) // a new mailbox refuses nothing
	return transport.Hold
}

// joinAnswer is posted to the lane when a join is decided.
type joinAnswer struct {
	frame *transport.Frame
	ok    bool
}

// listening is posted to the lane when Join has returned: broadcasts from then
// on are the channel's.
type listening struct{}

// departure is posted to the lane when a channel ends: what the client is told.
type departure struct {
	event   string
	payload Payload
}

// Run does what a channel posted to its lane.
func (s *Socket) Run(arg any) {
	switch arg := arg.(type) {
	case listening:
		s.seat.Activate()
	case *joinAnswer:
		s.client.answered(s, arg)
	case departure:
		s.client.depart(s, arg)
	}
}

// deliver sends a broadcast to the client; one that comes before the answer to
// the join waits for it [O6]. A client for which too many wait comes back.
func (c *client) deliver(s *Socket, event string, f *transport.Frame) {
	j := c.joining()
	switch {
	case j == nil || j.socket != s:
		c.conn.Offer(f, s.thinning())
	case len(j.early) < c.kind.endpoint.config.Mailbox:
		j.early = append(j.early, f)
	case !c.gone:
		s.mailboxFull(event)
		c.conn.Close(transport.CloseInternalError)
	}
}

// answered sends the answer to a join, and then what was broadcast since Join
// returned.
func (c *client) answered(s *Socket, a *joinAnswer) {
	if c.gone {
		c.tooLate(s, a)
		return
	}
	j := c.joining()
	c.aside.joining = nil
	c.tidy()
	if a.ok {
		s.enterTopic()
	}
	c.conn.Enqueue(a.frame, transport.Direct)
	c.farewell(j.replaced)
	if a.ok {
		c.welcome(s, j.early)
	}
	c.conn.Resume()
}

func (c *client) welcome(s *Socket, early []*transport.Frame) {
	c.channels.add(s)
	highwater.Raise(&c.kind.endpoint.count.channelsHigh, int64(c.channels.len()))
	c.kind.endpoint.count.joins.Add(1)
	c.kind.endpoint.count.channels.Add(1)
	for _, f := range early {
		c.conn.Offer(f, s.thinning())
	}
}

// tooLate ends a channel whose client went away while Join ran.
func (c *client) tooLate(s *Socket, a *joinAnswer) {
	if a.ok {
		s.seat.Cancel()
		_ = s.post(mail{kind: mailClosed, info: c.joining().gone}, 0) // an ended channel is as wished
	}
}

// replace ends a channel because its topic is joined again: at once, and
// without Terminate [§7.5, clause 166].
func (c *client) replace(old *Socket) {
	c.emit(telemetry.DuplicateJoin{Channel: old.facts()})
	c.remove(old)
	old.expire()
}

// farewell tells the client that a replaced channel has ended, after the
// answer to the new join [clause 162].
func (c *client) farewell(old *Socket) {
	if old != nil {
		c.tell(old, eventClose, empty)
	}
}

// depart ends a channel that ended by itself.
func (c *client) depart(s *Socket, d departure) {
	if c.gone || !c.remove(s) { // replaced meanwhile: that has been told
		return
	}
	c.tell(s, d.event, d.payload)
}

// remove takes a channel out and reports whether it was there.
func (c *client) remove(s *Socket) bool {
	if !c.channels.remove(s) {
		return false
	}
	s.seat.Cancel()
	c.kind.endpoint.count.channels.Add(-1)
	return true
}

// tell sends phx_close or phx_error; ref repeats join_ref [§6.4].
func (c *client) tell(s *Socket, event string, p Payload) {
	c.write(wire.Message{Kind: wire.Push, JoinRef: s.element(), Ref: s.element(), Topic: *s.topic, Event: event, Payload: p})
}

// answer replies to a message in the socket's own name.
func (c *client) answer(m *wire.Message, joinRef wire.Ref, status string, p Payload) {
	c.write(wire.Message{
		Kind: wire.Reply, JoinRef: joinRef, Ref: m.Ref, Topic: m.Topic, OddTopic: m.OddTopic, Status: status, Payload: p,
	})
}

// write encodes on the lane's desk and sends without keeping anything.
func (c *client) write(m wire.Message) {
	d := deskOf(c.conn.Lane())
	d.answer = m
	buf, binary, err := encode(c.kind.serializer, d.buffer[:transport.Headroom], &d.answer)
	d.answer = wire.Message{}
	if err != nil { // what the socket itself says has an encoding; what it echoes was decoded
		c.conn.Close(transport.CloseInternalError)
		return
	}
	c.conn.Write(buf, binary)
	d.recycle(buf)
}

// ID implements transport.Named.
func (c *client) ID() string { return telemetry.Cut(c.profile.ID()) }

// Abandon implements transport.Abandoned: a Join that looks at its context need
// not go on.
func (c *client) Abandon() {
	if j := c.joining(); j != nil {
		j.socket.cancel()
	}
}

// Closed implements transport.Session: all channels end with the connection
// [§7.10].
func (c *client) Closed(reason error) {
	c.gone = true
	why := &closedError{reason}
	c.profile.forget()
	c.Abandon()
	if j := c.joining(); j != nil {
		j.gone = why
	}
	for _, s := range c.channels.all() {
		c.remove(s)
		s.disconnected(why)
	}
	if c.kind.endpoint.reports.verbose.Load() {
		c.emit(telemetry.SocketClosed{Socket: telemetry.Socket{Transport: c.kind.transport, ID: c.ID()}, Reason: reason})
	}
}

// Release implements transport.Released: another connection may take its place.
func (c *client) Release() { c.profile.release() }

// disconnected ends a channel after what is in its mailbox. One that has
// nothing to do ends at once.
func (s *Socket) disconnected(reason error) {
	s.cancel()
	if !terminates(s.channel) && s.mailbox.CloseIfIdle() {
		s.expire()
		return
	}
	_ = s.post(mail{kind: mailClosed, info: reason}, 0) // an ended channel is as wished
}

func (c *client) facts(m *wire.Message) telemetry.Channel {
	return telemetry.Channel{Topic: brief(m.Topic), SocketID: c.ID()}
}

func (c *client) emit(e telemetry.Event) { c.kind.endpoint.stream.Emit(context.Background(), e) }

// closedError says why a connection ended. It is ErrClosed.
type closedError struct{ reason error }

func (e *closedError) Error() string        { return ErrClosed.Error() + ": " + e.reason.Error() }
func (e *closedError) Is(target error) bool { return target == ErrClosed }
func (e *closedError) Unwrap() error        { return e.reason }
