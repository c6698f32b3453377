package roost

import (
	"context"
	"strings"

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
	joining  *pendingJoin // the connection is held while there is one
	gone     *closedError // why the connection ended
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

// Receive implements transport.Session.
func (c *client) Receive(data []byte, binary bool) transport.Verdict {
	d := deskOf(c.conn.Lane())
	m := &d.message
	if err := decode(c.kind.serializer, m, binary, data); err != nil { // clauses 92, 100, 101
		c.conn.Close(transport.CloseInternalError)
		return transport.Continue
	}
	if r, after := c.profile.limits().message(len(data)); r != nil {
		c.answer(m, m.JoinRef, statusError, r.payloadAfter(spread(after)))
		return transport.Continue
	}
	return c.dispatch(m)
}

// dispatch is [§7.3]: the first row that matches.
func (c *client) dispatch(m *wire.Message) transport.Verdict {
	s := c.channel(m)
	switch {
	case m.Topic == topicPhoenix && m.Event == eventHeartbeat:
		c.answer(m, "", statusOK, empty)
	case m.Event == eventJoin:
		return c.join(m, s)
	case s != nil && s.stale(m.JoinRef): // clauses 167, 168
	case s != nil && m.Event == eventLeave:
		c.leave(s, m)
	case s != nil:
		c.forward(s, m)
	case m.Event == eventLeave: // clause 141
		c.answer(m, m.JoinRef, statusOK, empty)
	default: // clause 140
		c.answer(m, "", statusError, unmatchedTopic)
	}
	return transport.Continue
}

// channel finds the channel that a message is for.
func (c *client) channel(m *wire.Message) *Socket {
	if m.OddTopic {
		return nil
	}
	return c.channels.find(m.Topic)
}

// stale reports whether a message was meant for an earlier channel of this
// topic [§7.6].
func (s *Socket) stale(ref wire.Ref) bool {
	return !ref.IsNull() && !s.is(joinRefNull) && ref != s.joinRef
}

// leave hands phx_leave to its channel, once.
func (c *client) leave(s *Socket, m *wire.Message) {
	if s.set(leaving) {
		_ = s.post(mail{kind: mailLeave, ref: keepRef(m.Ref)}, 0) // an ended channel says goodbye by itself
	}
}

// forward hands a message to its channel.
func (c *client) forward(s *Socket, m *wire.Message) {
	own := m.Clone()
	c.conn.Lane().Hand()
	err := s.post(mail{kind: mailIn, ref: own.Ref, event: own.Event, payload: own.Payload}, c.kind.endpoint.config.Mailbox)
	if err == ErrMailboxFull { //nolint:errorlint // post returns it bare
		c.answer(m, s.joinRef, statusError, mailboxFull)
	}
}

// join starts a join. Nothing more is received until it is answered [O2].
func (c *client) join(m *wire.Message, old *Socket) transport.Verdict {
	if g := c.kind.endpoint.gate; g.full(&g.joins) {
		return c.turnAway(m, refusedOverload.payloadAfter(spread(g.config.RetryAfter)), g.config.Hold)
	}
	if r, after := c.profile.limits().join(); r != nil {
		return c.turnAway(m, r.payloadAfter(spread(after)), c.kind.endpoint.config.Overload.Hold)
	}
	if old != nil {
		c.replace(old)
	}
	s, f := c.admit(m)
	if s == nil {
		c.farewell(old)
		return transport.Continue
	}
	c.conn.Lane().Hand()
	c.joining = &pendingJoin{socket: s, replaced: old}
	payload := m.Clone().Payload
	_ = s.post(mail{kind: mailJoin, ref: keepRef(m.Ref), payload: payload, info: f}, 0) // a new mailbox refuses nothing
	return transport.Hold
}

// admit makes the socket of a join, and says what makes its channel; or it
// answers why there is none [§7.4].
func (c *client) admit(m *wire.Message) (*Socket, Factory) {
	var r *route
	if !m.OddTopic { // clause 153
		r = c.kind.endpoint.routes.Load().find(m.Topic)
	}
	switch {
	case r == nil: // clause 152
		c.emit(telemetry.JoinUnmatched{Channel: c.facts(m)})
		c.answer(m, "", statusError, unmatchedTopic)
		return nil, nil
	case c.channels.len() >= c.kind.endpoint.config.MaxChannels: // clause 154
		c.emit(telemetry.TooManyChannels{Channel: c.facts(m), Bound: c.kind.endpoint.config.MaxChannels})
		c.answer(m, m.JoinRef, statusError, tooManyChannels)
		return nil, nil
	}
	s := &Socket{client: c, topic: c.kind.endpoint.bus.Intern(m.Topic)}
	if a := c.profile.values().merged(r.assigns); len(a) > 0 { // clause 12
		s.extra().assigns = a
	}
	s.remember(r)
	if r.levels != usualLevels {
		s.set(ownLevels)
	}
	s.joinRef = keepRef(m.JoinRef)
	if m.JoinRef.IsNull() {
		s.set(joinRefNull)
		s.joinRef = keepRef(m.Ref)
	}
	return s, r.factory
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
	j := c.joining
	switch {
	case j == nil || j.socket != s:
		c.conn.Offer(f, s.thinning())
	case len(j.early) < c.kind.endpoint.config.Mailbox:
		j.early = append(j.early, f)
	case c.gone == nil:
		s.mailboxFull(event)
		c.conn.Close(transport.CloseInternalError)
	}
}

// answered sends the answer to a join, and then what was broadcast since Join
// returned.
func (c *client) answered(s *Socket, a *joinAnswer) {
	if c.gone != nil {
		c.tooLate(s, a)
		return
	}
	j := c.joining
	c.joining = nil
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
		_ = s.post(mail{kind: mailClosed, info: c.gone}, 0) // an ended channel is as wished
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
	if c.gone != nil || !c.remove(s) { // replaced meanwhile: that has been told
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

// Abandon implements transport.Abandoned: a Join that looks at its context need
// not go on.
func (c *client) Abandon() {
	if c.joining != nil {
		c.joining.socket.cancel()
	}
}

// Closed implements transport.Session: all channels end with the connection
// [§7.10].
func (c *client) Closed(reason error) {
	c.gone = &closedError{reason}
	c.profile.forget()
	c.Abandon()
	for _, s := range c.channels.all() {
		c.remove(s)
		s.disconnected(c.gone)
	}
	if c.kind.endpoint.reports.verbose.Load() {
		c.emit(telemetry.SocketClosed{Socket: telemetry.Socket{Transport: c.kind.transport, ID: c.profile.ID()}, Reason: reason})
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
	return telemetry.Channel{Topic: strings.Clone(m.Topic), SocketID: c.profile.ID()}
}

func (c *client) emit(e telemetry.Event) { c.kind.endpoint.stream.Emit(context.Background(), e) }

// closedError says why a connection ended. It is ErrClosed.
type closedError struct{ reason error }

func (e *closedError) Error() string        { return ErrClosed.Error() + ": " + e.reason.Error() }
func (e *closedError) Is(target error) bool { return target == ErrClosed }
func (e *closedError) Unwrap() error        { return e.reason }
