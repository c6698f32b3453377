package roost

import "slices"

// membership is the channels of one connection, by topic. Most have one or a
// few, so it is a list; a long one gets an index.
type membership struct {
	list  []*Socket
	index map[string]*Socket
}

const indexFrom = 16

func (m *membership) len() int { return len(m.list) }

func (m *membership) find(topic string) *Socket {
	if m.index != nil {
		return m.index[topic]
	}
	for _, s := range m.list {
		if s.topic == topic {
			return s
		}
	}
	return nil
}

func (m *membership) add(s *Socket) {
	if m.list == nil {
		m.list = make([]*Socket, 0, 1)
	}
	m.list = append(m.list, s)
	switch {
	case m.index != nil:
		m.index[s.topic] = s
	case len(m.list) == indexFrom:
		m.index = make(map[string]*Socket, 2*indexFrom)
		for _, s := range m.list {
			m.index[s.topic] = s
		}
	}
}

// remove reports whether s was there.
func (m *membership) remove(s *Socket) bool {
	i := slices.Index(m.list, s)
	if i < 0 {
		return false
	}
	m.list = slices.Delete(m.list, i, i+1)
	if m.index != nil {
		delete(m.index, s.topic)
	}
	if len(m.list) == 0 {
		*m = membership{}
	}
	return true
}
