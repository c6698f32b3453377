package pubsub_test

import (
	"fmt"
	"testing"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/pubsub"
)

func BenchmarkBroadcast(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("subscribers=%d", n), func(b *testing.B) {
			ps, l := pubsub.New(pubsub.Config{}), lane.New(func() {}, 0)
			nothing := pubsub.SubscriberFunc(func(*pubsub.Message) {})
			seats := make([]pubsub.Seat, n)
			for i := range seats {
				if err := ps.Reserve(b.Context(), &seats[i], "t", l, nothing); err != nil {
					b.Fatal(err)
				}
				seats[i].Activate()
			}
			m := &pubsub.Message{Topic: "t", Event: "e"}
			b.ReportAllocs()
			for b.Loop() {
				ps.BroadcastLocal(m)
				l.Drain()
			}
		})
	}
}
