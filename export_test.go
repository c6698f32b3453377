package roost

import (
	"math"
	"time"

	"github.com/roostgo/roost/ratelimit"
)

// Pretend has the endpoint's gate see this from now on.
func (e *Endpoint) Pretend(delay time.Duration) { e.PretendReading(delay, 0, 0) }

// Undisturbed has the gate of an endpoint that was told nothing of Overload stay
// open: other tests are of no overload, on machines that have their own.
func (e *Endpoint) Undisturbed() {
	if e.config.Overload == (Overload{}).withDefaults() {
		e.Pretend(0)
	}
}

// PretendReading has it see this of everything.
func (e *Endpoint) PretendReading(delay time.Duration, memory, descriptors float64) {
	e.gate.at.Store(math.MaxInt64) // nobody looks any more
	for range 2 {
		e.gate.judge(reading{delay.Seconds(), memory, descriptors})
	}
}

// Waiting is how many bytes of messages wait for the channels of a client.
func (s *Socket) Waiting() uint32 { return s.client.waiting.Load() }

// Places are those for connections that are not upgraded yet.
func (s *Server) Places() ratelimit.GaugeConfig { return s.places() }
