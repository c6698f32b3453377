//go:build !race

package cost

import (
	"testing"
)

// Not with the race detector, which allocates itself.

func TestAHeartbeatDoesNotAllocate(t *testing.T) {
	for _, e := range engines() {
		t.Run("engine="+string(e), func(t *testing.T) {
			_, url := serve(t, e)
			c := dial(t, url)
			beat, want := heartbeat()
			for range 100 { // buffers grow
				c.ask(t, beat, want)
			}
			n := testing.AllocsPerRun(500, func() { c.ask(t, beat, want) })
			if most := map[bool]float64{true: 0, false: 10}[e == loops]; n > most {
				t.Errorf("%v allocations, want %v", n, most)
			}
		})
	}
}

func TestAPingAllocatesItsPongOnly(t *testing.T) {
	for _, e := range engines() {
		t.Run("engine="+string(e), func(t *testing.T) {
			_, url := serve(t, e)
			c := dial(t, url)
			ping, pong := pings()
			for range 100 {
				c.ask(t, ping, pong)
			}
			n := testing.AllocsPerRun(500, func() { c.ask(t, ping, pong) })
			if most := map[bool]float64{true: 2, false: 12}[e == loops]; n > most {
				t.Errorf("%v allocations, want %v", n, most)
			}
		})
	}
}
