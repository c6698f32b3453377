package pubsub

import (
	"reflect"
	"slices"
)

// Labelled is a Subscriber of a kind that publishers want to know of before
// they publish: what a message must be encoded for, say.
//
// Label is called when the subscription begins and when it ends, with no lock
// held, and must return the same each time. A label that is nil or cannot be
// compared is none.
type Labelled interface {
	Label() any
}

// labelOf is a subscriber's label; nil is none.
func labelOf(s Subscriber) any {
	l, ok := s.(Labelled)
	if !ok {
		return nil
	}
	label := l.Label()
	if !reflect.ValueOf(label).Comparable() {
		return nil
	}
	return label
}

// labelled counts a topic's subscriptions with one label.
type labelled struct {
	label any
	count int
}

// Labels are the different labels of a topic's subscribers on this node.
func (ps *PubSub) Labels(name string) []any {
	sh := ps.shard(name)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	t := sh.topics.Find(name)
	if t == nil {
		return nil
	}
	labels := make([]any, len(t.labels))
	for i, l := range t.labels {
		labels[i] = l.label
	}
	return labels
}

// label counts a label up or down, unless it is nil. The shard is locked.
func (t *entry) label(label any, n int) {
	if label == nil {
		return
	}
	i := slices.IndexFunc(t.labels, func(l labelled) bool { return l.label == label })
	if i < 0 {
		t.labels = append(t.labels, labelled{label, n})
		return
	}
	if t.labels[i].count += n; t.labels[i].count == 0 {
		t.labels = slices.Delete(t.labels, i, i+1)
	}
}
