package roost

import "github.com/roostgo/roost/ratelimit"

// aside is what few connections have, or only at their end: a connection without
// costs nothing for it. It is owned by the lane.
type aside struct {
	gone closedError // why the connection ended; without a reason it has not
	tabs []tab       // of the routes with limits that it has sent something to
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

// hasGone reports whether the connection has ended.
func (c *client) hasGone() bool { return c.aside != nil && c.aside.gone.reason != nil }

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
