package roost

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/telemetry"
)

func TestAJoinDoesNotWaitForTheReadingThatItHasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := make(chan time.Duration)
		o := newOverload(Overload{}.withDefaults(), telemetry.NewStream(telemetry.Log(slog.New(slog.DiscardHandler))),
			func() time.Duration { return <-read }) // a file that cannot be read at once
		for range 2 {
			if o.refusesJoin() { // on a lane: a wait would be for ever
				t.Error("refused by a reading that is not there")
			}
			synctest.Wait()
			read <- time.Second
			synctest.Wait()
			<-time.After(lookEvery)
		}
		o.at.Store(int64(time.Since(o.began))) // nobody reads
		if !o.refusesJoin() {
			t.Error("two readings above the mark have closed nothing")
		}
	})
}
