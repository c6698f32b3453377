package roost

import "slices"

// membership is the channels of one connection, by topic. Most connections
// have one, which needs nothing beside it.
type membership struct {
	first *Socket
	rest  *crowd // nil while there is none but the first
}

// crowd is the channels of a connection but the first.
type crowd struct {
	list  []*Socket
	index map[string]*Socket // of a long list
}

const indexFrom = 16

func (m *membership) len() int {
	n := 0
	if m.first != nil {
		n = 1
	}
	if m.rest != nil {
		n += len(m.rest.list)
	}
	return n
}

func (m *membership) find(topic string) *Socket {
	switch {
	case m.first != nil && *m.first.topic == topic:
		return m.first
	case m.rest != nil:
		return m.rest.find(topic)
	}
	return nil
}

func (m *membership) add(s *Socket) {
	switch {
	case m.first == nil:
		m.first = s
		return
	case m.rest == nil:
		m.rest = new(crowd)
	}
	m.rest.add(s)
}

// remove reports whether s was there.
func (m *membership) remove(s *Socket) bool {
	if m.first == s {
		m.first = nil
		return true
	}
	if m.rest == nil || !m.rest.remove(s) {
		return false
	}
	if len(m.rest.list) == 0 {
		m.rest = nil
	}
	return true
}

// all returns the channels, in a list of the caller's own.
func (m *membership) all() []*Socket {
	var list []*Socket
	if m.first != nil {
		list = append(list, m.first)
	}
	if m.rest != nil {
		list = append(list, m.rest.list...)
	}
	return list
}

func (c *crowd) find(topic string) *Socket {
	if c.index != nil {
		return c.index[topic]
	}
	for _, s := range c.list {
		if *s.topic == topic {
			return s
		}
	}
	return nil
}

func (c *crowd) add(s *Socket) {
	c.list = append(c.list, s)
	switch {
	case c.index != nil:
		c.index[*s.topic] = s
	case len(c.list) == indexFrom:
		c.index = make(map[string]*Socket, 2*indexFrom)
		for _, s := range c.list {
			c.index[*s.topic] = s
		}
	}
}

func (c *crowd) remove(s *Socket) bool {
	i := slices.Index(c.list, s)
	if i < 0 {
		return false
	}
	c.list = slices.Delete(c.list, i, i+1)
	if c.index != nil {
		delete(c.index, *s.topic)
	}
	return true
}
