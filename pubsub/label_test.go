package pubsub_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/roostgo/roost/pubsub"
)

// labelled is an inbox of some kind.
type labelled struct {
	inbox
	label any
}

func (l *labelled) Label() any { return l.label }

// labels fails the test unless a topic's subscribers have these labels.
func labels(t *testing.T, ps *pubsub.PubSub, topic string, want ...string) {
	t.Helper()
	var got []string
	for _, l := range ps.Labels(topic) {
		got = append(got, fmt.Sprint(l))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("topic %q has the labels %q, want %q", topic, got, want)
	}
}

func TestLabelsAreThoseOfTheSubscribersThatThereAre(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), runLane(t)
	labels(t, ps, "t")
	one := subscribe(t, ps, "t", &labelled{label: "v1"})
	subscribe(t, ps, "t", new(inbox)) // has none
	seat := l.join(t, ps, "t", &labelled{label: "v2"})
	again := l.join(t, ps, "t", &labelled{label: "v2"})
	subscribe(t, ps, "other", &labelled{label: 3})
	labels(t, ps, "t", "v1", "v2")
	labels(t, ps, "other", "3")
	l.do(seat.Cancel)
	labels(t, ps, "t", "v1", "v2")
	l.do(again.Cancel)
	labels(t, ps, "t", "v1")
	one.Cancel()
	labels(t, ps, "t")
}

func TestLabelsMayBeReadWhileSubscribersComeAndGo(t *testing.T) {
	ps := pubsub.New(pubsub.Config{})
	subscribe(t, ps, "t", &labelled{label: "stays"})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 200 {
				subscribe(t, ps, "t", &labelled{label: i}).Cancel()
				if !slices.Contains(ps.Labels("t"), any("stays")) {
					t.Error("a label is missing")
				}
			}
		})
	}
	wg.Wait()
	labels(t, ps, "t", "stays")
}

func TestALabelThatCannotBeComparedIsNone(t *testing.T) {
	ps, l := pubsub.New(pubsub.Config{}), runLane(t)
	for _, odd := range []any{nil, []int{1}, map[string]int{}, func() {}, struct{ any }{[]int{1}}} {
		in := &labelled{label: odd}
		s, seat := subscribe(t, ps, "t", in), l.join(t, ps, "t", in)
		subscribe(t, ps, "t", &labelled{label: "even"}).Cancel()
		labels(t, ps, "t")
		l.do(func() { ps.BroadcastLocal(&pubsub.Message{Topic: "t", Event: "e"}) })
		s.Cancel()
		l.do(seat.Cancel)
		in.expect(t, "e", "e")
	}
	holds(t, ps, "t", 0)
}

// nosy looks at its topic when it is asked for its label.
type nosy struct {
	inbox
	ps *pubsub.PubSub
}

func (n *nosy) Label() any {
	n.ps.Labels("t")
	if s, err := n.ps.Subscribe(context.Background(), "t", new(inbox)); err == nil {
		s.Cancel()
	}
	return "nosy"
}

func TestALabelMayAskForItsTopic(t *testing.T) {
	ps := pubsub.New(pubsub.Config{Shards: 1})
	s := subscribe(t, ps, "t", &nosy{ps: ps})
	labels(t, ps, "t", "nosy")
	s.Cancel()
	labels(t, ps, "t")
}
