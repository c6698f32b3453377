package roost

import "context"

// Service is something with a life of its own: a database pool, a poller. Run
// works until ctx is done. When it returns before that, or panics, it is
// started again, after a pause if that happens often. What it returns after
// that, but for ctx's own error, becomes part of what Server.Run returns.
type Service interface {
	Run(ctx context.Context) error
}

// Readier is a Service that others wait for: what comes after it starts when
// the channel that Ready returns is closed.
type Readier interface {
	Ready() <-chan struct{}
}
