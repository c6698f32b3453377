package roost

import (
	"context"
	"time"
)

// callbackContext is the context of a channel's callbacks. It is the socket
// itself seen as a context.Context, so that it costs nothing until somebody
// asks for Done. It is done when nobody needs what the callback does any more:
// the connection has ended, the channel was killed or replaced, or is over.
type callbackContext Socket

func (s *Socket) context() context.Context { return (*callbackContext)(s) }

// Deadline implements context.Context: there is none.
func (c *callbackContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (c *callbackContext) Done() <-chan struct{} { return (*Socket)(c).extra().wait() }

// AfterFunc has f called when the channel ends. Package context uses it
// instead of a goroutine that waits for Done.
func (c *callbackContext) AfterFunc(f func()) (stop func() bool) { return (*Socket)(c).extra().then(f) }

// Err implements context.Context.
func (c *callbackContext) Err() error {
	if (*Socket)(c).is(cancelled) {
		return context.Canceled
	}
	return nil
}

// Value implements context.Context: there are none. What a connection keeps of
// its request is what Connect assigned.
func (c *callbackContext) Value(any) any { return nil }

// String says what the context is, where contexts are printed.
func (c *callbackContext) String() string { return "roost.channel(" + *c.topic + ")" }
