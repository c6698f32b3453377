package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/roostgo/roost"
)

// room is the channel that clauses are tried on. harness_test.go lists what it does.
type room struct{ rooms *rooms }

// orders are what a payload can ask a room for.
type orders struct {
	Reply    json.RawMessage `json:"reply"`
	Refuse   json.RawMessage `json:"refuse"`
	Crash    string          `json:"crash"`
	Panic    string          `json:"panic"`
	Event    string          `json:"event"`
	Payload  json.RawMessage `json:"payload"`
	Status   string          `json:"status"`
	Response json.RawMessage `json:"response"`
}

// errOrdered is what a room crashes with that was told to.
var errOrdered = errors.New("conformance: crashed as told")

func (r *room) Join(_ context.Context, _ *roost.Socket, p roost.Payload) (roost.Reply, error) {
	var o orders
	_ = p.Decode(&o) // another payload has no orders
	switch {
	case o.Panic != "":
		panic(o.Panic)
	case o.Crash != "":
		return roost.NoReply(), fmt.Errorf("%w: %s", errOrdered, o.Crash)
	case o.Refuse != nil:
		return roost.ReplyError(o.Refuse), nil
	case o.Reply != nil:
		return roost.ReplyOK(o.Reply), nil
	}
	return roost.NoReply(), nil
}

func (r *room) HandleIn(ctx context.Context, s *roost.Socket, event string, p roost.Payload) (roost.Reply, error) {
	var o orders
	_ = p.Decode(&o) // another payload has no orders
	switch event {
	case "echo":
		return roost.ReplyOK(p), nil
	case "refuse":
		return roost.ReplyError(p), nil
	case "status":
		return roost.ReplyStatus(o.Status, o.Response), nil
	case "ignore":
		return roost.NoReply(), nil
	case "push":
		return roost.NoReply(), s.Push(o.Event, o.Payload)
	case "broadcast":
		return roost.NoReply(), s.Broadcast(ctx, o.Event, o.Payload)
	case "broadcast_from":
		return roost.NoReply(), s.BroadcastFrom(ctx, o.Event, o.Payload)
	case "block":
		return r.block(s)
	case "stop":
		return roost.NoReply(), roost.Stop
	case "panic":
		panic(o.Panic)
	case "crash":
		return roost.NoReply(), errOrdered
	}
	return roost.NoReply(), fmt.Errorf("room: no handler for event %q", event)
}

// block says that it blocks, and waits for its topic's release.
func (r *room) block(s *roost.Socket) (roost.Reply, error) {
	if err := s.Push("blocked", nil); err != nil {
		return roost.NoReply(), err
	}
	return roost.ReplyOK(nil), r.rooms.gate(s.Topic()).pass()
}

func (r *room) Terminate(_ context.Context, s *roost.Socket, reason error) {
	r.rooms.endings(s.Topic()) <- reason
}

// rooms are the rooms of one server.
type rooms struct {
	mu    sync.Mutex
	gates map[string]*gate      // by topic; guarded by mu
	ends  map[string]chan error // by topic; guarded by mu
}

func (r *rooms) factory() roost.Channel { return &room{r} }

func (r *rooms) gate(topic string) *gate {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gates == nil {
		r.gates = make(map[string]*gate)
	}
	if r.gates[topic] == nil {
		r.gates[topic] = newGate()
	}
	return r.gates[topic]
}

// releaseAll opens all gates, so that nothing blocks the end.
func (r *rooms) releaseAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.gates {
		g.open()
	}
}

// endings is where rooms of a topic say why they ended. It holds more than any test has rooms.
func (r *rooms) endings(topic string) chan error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ends == nil {
		r.ends = make(map[string]chan error)
	}
	if r.ends[topic] == nil {
		r.ends[topic] = make(chan error, 1024)
	}
	return r.ends[topic]
}

func (r *rooms) expectEnd(t *testing.T, topic string) error {
	t.Helper()
	return receive(t, r.endings(topic), "end of a room of "+topic)
}
