// Package ratelimittest holds the suite that every [ratelimit.Store] must
// pass.
package ratelimittest

import (
	"testing"
	"time"

	"github.com/roostgo/roost/ratelimit"
)

// Run tests a store. open returns an empty one for each test, which ends it
// with t.Cleanup, and a function that lets the store's time pass; nil means
// that it has no clock but the real one, and the suite then waits for less
// than a second in all.
func Run(t *testing.T, open func(t *testing.T) (s ratelimit.Store, pass func(time.Duration))) {
	for _, c := range clauses {
		t.Run(c.name, func(t *testing.T) {
			store, pass := open(t)
			if pass == nil {
				pass = wait
			}
			if err := c.check(&subject{t.Context(), store, pass}); err != nil {
				t.Error(err)
			}
		})
	}
}

// wait lets real time pass.
func wait(d time.Duration) { <-time.After(d) }
