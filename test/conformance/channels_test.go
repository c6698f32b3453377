package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

// act is a channel whose callbacks are a test's functions, through the bare Channel interface. What is nil does nothing,
// and HandleIn without a function does what rooms do with an unknown event: it crashes.
type act struct {
	join      func(ctx context.Context, s *roost.Socket, p roost.Payload) (roost.Reply, error)
	in        func(ctx context.Context, s *roost.Socket, event string, p roost.Payload) (roost.Reply, error)
	intercept []string
	out       func(s *roost.Socket, event string, p roost.Payload) error
	info      func(s *roost.Socket, info any) error
	terminate func(s *roost.Socket, reason error)
}

// plays routes a pattern to channels that all have these functions.
func (s *server) plays(pattern string, a act) {
	s.Endpoint.Channel(pattern, func() roost.Channel { return &a })
}

func (a *act) Join(ctx context.Context, s *roost.Socket, p roost.Payload) (roost.Reply, error) {
	if a.join == nil {
		return roost.NoReply(), nil
	}
	return a.join(ctx, s, p)
}

func (a *act) HandleIn(ctx context.Context, s *roost.Socket, event string, p roost.Payload) (roost.Reply, error) {
	if a.in == nil {
		return roost.NoReply(), fmt.Errorf("act: no handler for event %q", event)
	}
	return a.in(ctx, s, event, p)
}

func (a *act) Intercepts() []string { return a.intercept }

func (a *act) HandleOut(_ context.Context, s *roost.Socket, event string, p roost.Payload) error {
	return a.out(s, event, p)
}

func (a *act) HandleInfo(_ context.Context, s *roost.Socket, info any) error {
	if a.info == nil {
		return roost.ErrUnhandled
	}
	return a.info(s, info)
}

func (a *act) Terminate(_ context.Context, s *roost.Socket, reason error) {
	if a.terminate != nil {
		a.terminate(s, reason)
	}
}

// typed is a channel made of a type's methods, with each kind of binding.
type typed struct {
	name string
	ends chan<- error
}

type (
	greeting struct{ Name string }
	shout    struct {
		From string `json:"from"`
		Body string `json:"body"`
	}
	tick struct{ N int }
)

func newTyped(ends chan<- error) roost.Factory {
	return roost.ChannelOf((*typed).Join,
		roost.On("shout", (*typed).Shout), roost.On("reverse", (*typed).Reverse), roost.On("raw", (*typed).Raw),
		roost.Out("secret", (*typed).Secret), roost.Info((*typed).Tick), roost.Info((*typed).News),
		roost.Terminate((*typed).Terminate),
		roost.Fresh(func() *typed { return &typed{name: "nobody", ends: ends} }),
	)
}

func (y *typed) Join(_ context.Context, s *roost.Socket, g greeting) (roost.Reply, error) {
	if g.Name == "" {
		return roost.Refuse("a name is required"), nil
	}
	y.name = g.Name
	return roost.ReplyOK(map[string]string{"welcome": s.Topic()}), s.SendInfo(tick{1})
}

func (y *typed) Shout(ctx context.Context, s *roost.Socket, m shout) (roost.Reply, error) {
	m.From = y.name
	return roost.NoReply(), s.Broadcast(ctx, "shout", m)
}

func (y *typed) Reverse(_ context.Context, _ *roost.Socket, b roost.Bytes) (roost.Reply, error) {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return roost.ReplyOK(b), nil
}

func (y *typed) Raw(_ context.Context, _ *roost.Socket, p roost.Payload) (roost.Reply, error) {
	return roost.ReplyOK(p), nil
}

func (y *typed) Secret(_ context.Context, s *roost.Socket, m shout) error {
	return s.Push("secret", shout{y.name, "***"})
}

func (y *typed) Tick(_ context.Context, s *roost.Socket, n tick) error { return s.Push("tick", n) }

func (y *typed) News(_ context.Context, s *roost.Socket, b roost.Broadcast) error {
	return s.Push("news", b.Payload)
}

func (y *typed) Terminate(_ context.Context, _ *roost.Socket, reason error) { y.ends <- reason }

// notes are what channels write down, in order.
type notes struct {
	mu   sync.Mutex
	list []string // guarded by mu
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, fmt.Sprintf(format, args...))
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.list...)
}

// channel is one that writes down the events that come to it, and replies ok.
func (n *notes) channel() act {
	return act{in: func(_ context.Context, _ *roost.Socket, event string, _ roost.Payload) (roost.Reply, error) {
		n.add("%s", event)
		return roost.ReplyOK(nil), nil
	}}
}

// none fails the test when something was written down.
func (n *notes) none(t *testing.T, what string) {
	t.Helper()
	if all := n.all(); len(all) > 0 {
		t.Errorf("%s: %q", what, all)
	}
}

// errWhy is what acts fail with.
var errWhy = errors.New("conformance: a failure on purpose")

// oops is a value that cannot be encoded.
type oops struct{ How string }

// MarshalJSON fails in several ways.
func (o oops) MarshalJSON() ([]byte, error) {
	switch o.How {
	case "panic":
		panic(errWhy)
	case "exit":
		runtime.Goexit()
	}
	return nil, errWhy
}

// eventually waits for something that has no event of its own.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !is(); runtime.Gosched() {
		if time.Now().After(late) {
			t.Fatalf("not so after %v: %s", patience, what)
		}
	}
}

// send sends V2 messages, V1 messages or whatever the test wants, all in one write.
func send(t *testing.T, c *client.Conn, texts ...string) {
	t.Helper()
	must(t, c.SendRaw(textFrames(texts...)))
}

// expectAll expects these frames, one after the other.
func expectAll(t *testing.T, c *client.Conn, want ...string) {
	t.Helper()
	for _, w := range want {
		c.Expect(t, w)
	}
}

// push sends a V2 message.
func push(t *testing.T, c *client.Conn, joinRef, ref, topic, event, payload string) {
	t.Helper()
	must(t, c.Push(joinRef, ref, topic, event, payload))
}
