package roost

import "github.com/roostgo/roost/ratelimit"

// aside is what few connections have, or only for a moment: a connection without
// costs nothing for it. It is owned by the lane.
type aside struct {
	joining *pendingJoin // the connection is held while there is one
	tabs    []tab        // of the routes with limits that it has sent something to
}

// tab is what a connection has used up of the limits of one route. It stays when
// topics are left: joining again would start it anew.
type tab struct {
	of      *routeLimiter
	buckets []ratelimit.Bucket
}

// extra returns what is aside and makes it first if there is nothing.
func (c *client) extra() *aside {
	if c.aside == nil {
		c.aside = new(aside)
	}
	return c.aside
}

// tidy lets go of it when there is nothing in it.
func (c *client) tidy() {
	if c.aside.joining == nil && c.aside.tabs == nil {
		c.aside = nil
	}
}

// joining is the join that is under way, or nil.
func (c *client) joining() *pendingJoin {
	if c.aside == nil {
		return nil
	}
	return c.aside.joining
}

// buckets are the connection's own for the limits of a route.
func (c *client) buckets(l *routeLimiter) []ratelimit.Bucket {
	x := c.extra()
	for _, t := range x.tabs {
		if t.of == l {
			return t.buckets
		}
	}
	t := tab{l, make([]ratelimit.Bucket, l.buckets)}
	x.tabs = append(x.tabs, t)
	return t.buckets
}
