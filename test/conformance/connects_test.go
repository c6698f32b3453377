package conformance

import (
	"context"
	"testing"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/transport"
)

// connects is what Connect was called with.
type connects chan connected

// connected is what one call of Connect saw.
type connected struct {
	Params   roost.Params
	Token    string
	HasToken bool
	Info     transport.Info
}

func newConnects() connects { return make(connects, 1024) } // more than any test makes

// before notes every call, and lets the test's own Connect, if there is one, decide.
func (cs connects) before(own func(context.Context, *roost.Connect) error) func(context.Context, *roost.Connect) error {
	return func(ctx context.Context, c *roost.Connect) error {
		cs <- connected{Params: c.Params, Token: c.AuthToken, HasToken: c.HasToken, Info: c.Info()}
		if own == nil {
			return nil
		}
		return own(ctx, c)
	}
}

// expect is the next call's.
func (cs connects) expect(t *testing.T) connected {
	t.Helper()
	return receive(t, cs, "call of Connect")
}

// none fails the test when Connect was called and nobody expected it. A handshake that was answered has called it.
func (cs connects) none(t *testing.T) {
	t.Helper()
	if len(cs) > 0 {
		t.Fatalf("Connect was called, with %v", (<-cs).Params)
	}
}
