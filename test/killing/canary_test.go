package killing

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/roostgo/roost/test/client"
)

// canary is a client that asks all the time, and notes how long the answers
// take, in a bounded space however long it lives.
type canary struct {
	counts [64 * 16]uint64 // of answers, by their logarithm: sixteen to an octave of microseconds
	asked  uint64
	worst  time.Duration
}

// sing asks until it is stopped. No answer may be missing.
func (k *canary) sing(h *house, stop chan struct{}) error {
	c, err := h.dial("")
	if err != nil {
		return err
	}
	defer c.Drop()
	if err := ask(c, "1", "1", "room:canary", "phx_join", ""); err != nil {
		return err
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := k.note(c); err != nil {
				return err
			}
		case <-stop:
			return ask(c, "1", "leave", "room:canary", "phx_leave", "")
		}
	}
}

func (k *canary) note(c *client.Conn) error {
	k.asked++
	begin := time.Now()
	if err := ask(c, "1", fmt.Sprint(k.asked), "room:canary", "echo", `{"n":1}`); err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	took := time.Since(begin)
	k.worst = max(k.worst, took)
	k.counts[bucket(took)]++
	return nil
}

// bucket is where a latency is counted; latency is the least that is counted
// there.
func bucket(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 16)) //nolint:gosec // positive
	octave := bits.Len64(us) - 5
	return octave*16 + int(us>>octave) - 16 //nolint:gosec // below 32
}

func latency(bucket int) time.Duration {
	return time.Duration(bucket%16+16) << (bucket / 16) * time.Microsecond
}

// quantile is the latency below which a part of the answers came.
func (k *canary) quantile(q float64) time.Duration {
	left := uint64(q * float64(k.asked))
	for i, n := range k.counts {
		if n > left {
			return latency(i)
		}
		left -= n
	}
	return k.worst
}

func (k *canary) String() string {
	return fmt.Sprintf("%d asked, p50 %v, p99 %v, worst %v", k.asked, k.quantile(0.5), k.quantile(0.99), k.worst.Round(time.Microsecond))
}
