package pubsub

import "slices"

// Labelled is a Subscriber of a kind that publishers want to know of before
// they publish: what a message must be encoded for, say. The label is
// comparable and stays the same.
type Labelled interface {
	Label() any
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
	t := sh.topics[name]
	if t == nil {
		return nil
	}
	labels := make([]any, len(t.labels))
	for i, l := range t.labels {
		labels[i] = l.label
	}
	return labels
}

// label counts a subscriber's label up or down. The shard is locked.
func (t *entry) label(s Subscriber, n int) {
	l, ok := s.(Labelled)
	if !ok {
		return
	}
	label := l.Label()
	i := slices.IndexFunc(t.labels, func(l labelled) bool { return l.label == label })
	if i < 0 {
		t.labels = append(t.labels, labelled{label, n})
		return
	}
	if t.labels[i].count += n; t.labels[i].count == 0 {
		t.labels = slices.Delete(t.labels, i, i+1)
	}
}
