package pubsubtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/roostgo/roost/pubsub"
)

// patience bounds every wait; what takes as long has failed.
const patience = 20 * time.Second

// member is one node of the cluster that a test has. Its methods fail the
// test.
type member struct {
	t       *testing.T
	adapter pubsub.Adapter
	cancel  context.CancelFunc
	ended   chan struct{} // closed when Run has returned

	busy sync.Mutex // held while the node takes nothing
	got  chan *pubsub.Message
}

// start links two nodes and runs them until the test ends.
func (s suite) start(t *testing.T) (a, b *member) {
	t.Helper()
	first, second := s.link(t)
	return run(t, first), run(t, second)
}

func run(t *testing.T, a pubsub.Adapter) *member {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{t: t, adapter: a, cancel: cancel, ended: make(chan struct{}), got: make(chan *pubsub.Message, 1<<16)}
	go func() { // ends with ctx; end waits
		defer close(m.ended)
		_ = a.Run(ctx, m.deliver)
	}()
	t.Cleanup(m.end)
	return m
}

// end ends the node. Doing it twice does no harm.
func (m *member) end() {
	m.t.Helper()
	m.cancel()
	select {
	case <-m.ended:
	case <-time.After(patience):
		m.t.Error("Run did not end with its context")
	}
}

func (m *member) deliver(msg *pubsub.Message) {
	m.busy.Lock()
	defer m.busy.Unlock()
	m.got <- msg
}

// check reports an error; it may be called from any goroutine.
func (m *member) check(what string, err error) {
	m.t.Helper()
	if err != nil {
		m.t.Errorf("%s: %v", what, err)
	}
}

func (m *member) subscribe(topic string) {
	m.t.Helper()
	m.check("subscribe", m.adapter.Subscribe(context.Background(), topic))
}

// failer is an adapter that can be told to fail, as a Hub's can.
type failer interface{ Fail(err error) }

// refuse has a Subscribe fail, if there is a way: the adapter is told to, or
// its context is done, which it may overlook.
func (m *member) refuse(topic string) {
	m.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f, told := m.adapter.(failer)
	if told {
		f.Fail(errors.New("told to fail"))
		defer f.Fail(nil)
	}
	if m.adapter.Subscribe(ctx, topic) != nil {
		return
	}
	if told {
		m.t.Error("an adapter that was told to fail did not")
	}
	m.adapter.Unsubscribe(topic)
}

func (m *member) publish(msg *pubsub.Message) {
	m.t.Helper()
	m.check("broadcast", m.adapter.Broadcast(context.Background(), msg))
}

func (m *member) broadcast(topic, event string) {
	m.t.Helper()
	m.publish(&pubsub.Message{Topic: topic, Event: event})
}

func (m *member) direct(node, topic, event string) {
	m.t.Helper()
	m.check("direct", m.adapter.Direct(context.Background(), node, &pubsub.Message{Topic: topic, Event: event}))
}

// next returns what came next.
func (m *member) next() *pubsub.Message {
	m.t.Helper()
	select {
	case msg := <-m.got:
		return msg
	case <-time.After(patience):
		m.t.Fatalf("no message came to node %q", m.adapter.Node())
		return nil
	}
}

// expect fails the test unless the next message is this one.
func (m *member) expect(topic, event string) {
	m.t.Helper()
	same(m.t, m.next(), &pubsub.Message{Topic: topic, Event: event})
}

// await ignores messages until this one comes.
func (m *member) await(topic, event string) {
	m.t.Helper()
	for msg := m.next(); msg.Topic != topic || msg.Event != event; msg = m.next() {
	}
}

// number broadcasts to all topics, as one publisher, messages whose events say
// which they are.
func (m *member) number(publisher int) {
	for i := range each * topics {
		m.broadcast(fmt.Sprint(i%topics), fmt.Sprintf("%d/%d", publisher, i/topics))
	}
}

// inOrder fails the test unless n messages of number come, in order.
func (m *member) inOrder(n int) {
	m.t.Helper()
	var next [publishers][topics]int
	for range n {
		msg := m.next()
		var p, i int
		topic, err := strconv.Atoi(msg.Topic)
		if _, scanErr := fmt.Sscanf(msg.Event, "%d/%d", &p, &i); err != nil || scanErr != nil {
			m.t.Fatalf("got %q on %q, which nobody published", msg.Event, msg.Topic)
		}
		if next[p][topic] != i {
			m.t.Fatalf("got message %d of publisher %d on topic %d, want number %d", i, p, topic, next[p][topic])
		}
		next[p][topic]++
	}
}

// same fails the test unless two messages say the same.
func same(t *testing.T, got, want *pubsub.Message) {
	t.Helper()
	if got.Topic != want.Topic || got.Event != want.Event || got.Payload.IsBinary() != want.Payload.IsBinary() ||
		!bytes.Equal(got.Payload.Bytes(), want.Payload.Bytes()) {
		t.Fatalf("got  %s\nwant %s", show(got), show(want))
	}
}

func show(m *pubsub.Message) string {
	return fmt.Sprintf("topic %.80q event %.80q payload %.80q binary %v", m.Topic, m.Event, m.Payload.Bytes(), m.Payload.IsBinary())
}
