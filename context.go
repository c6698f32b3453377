package roost

import (
	"context"
	"slices"
	"sync"
	"time"
)

// callbackContext is the context of a channel's callbacks. It is the socket
// itself seen as a context.Context, so that it costs nothing until somebody
// asks for Done. It is done when the channel has ended; its values are those
// of the endpoint.
type callbackContext Socket

// lifetime is what a channel has whose end somebody waits for.
type lifetime struct {
	done chan struct{}

	mu    sync.Mutex
	over  bool
	after []*func() // to be called at the end; guarded by mu
}

// end makes the channel's end known. Ending again does nothing.
func (l *lifetime) end() {
	l.mu.Lock()
	after := l.after
	first := !l.over
	l.over, l.after = true, nil
	l.mu.Unlock()
	if !first {
		return
	}
	close(l.done)
	for _, f := range after {
		go (*f)() // ends with f, as context.AfterFunc has it
	}
}

// then has f called at the end; drop takes that back.
func (l *lifetime) then(f func()) (drop func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		go f() // ends with f
		return func() bool { return false }
	}
	l.after = append(l.after, &f)
	return func() bool { return l.drop(&f) }
}

func (l *lifetime) drop(f *func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.after)
	l.after = slices.DeleteFunc(l.after, func(g *func()) bool { return g == f })
	return len(l.after) < n
}

func (s *Socket) context() context.Context { return (*callbackContext)(s) }

// Deadline implements context.Context: there is none.
func (c *callbackContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (c *callbackContext) Done() <-chan struct{} { return c.lifetime().done }

// AfterFunc has f called when the channel ends. Package context uses it
// instead of a goroutine that waits for Done.
func (c *callbackContext) AfterFunc(f func()) (stop func() bool) { return c.lifetime().then(f) }

func (c *callbackContext) lifetime() *lifetime {
	if l := c.life.Load(); l != nil {
		return l
	}
	c.life.CompareAndSwap(nil, &lifetime{done: make(chan struct{})})
	l := c.life.Load()
	if c.phase.Load() == ended { // before whoever ended it could see l
		l.end()
	}
	return l
}

// Err implements context.Context.
func (c *callbackContext) Err() error {
	if c.phase.Load() == ended {
		return context.Canceled
	}
	return nil
}

// Value implements context.Context.
func (c *callbackContext) Value(key any) any { return c.client.kind.endpoint.base.Value(key) }

// String says what the context is, where contexts are printed.
func (c *callbackContext) String() string { return "roost.channel(" + c.topic + ")" }
