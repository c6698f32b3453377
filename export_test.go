package roost

import (
	"math"
	"time"

	"github.com/roostgo/roost/internal/gate"
)

// Pretend has the endpoint's gate see this from now on.
func (e *Endpoint) Pretend(delay time.Duration) {
	e.gate.at.Store(math.MaxInt64) // nobody looks any more
	for range 2 {
		e.gate.judge(gate.Reading{Delay: delay}, time.Now())
	}
}

// Waiting is how many bytes of messages wait for the channels of a client.
func (s *Socket) Waiting() uint32 { return s.client.waiting.Load() }
