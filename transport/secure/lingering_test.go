package secure

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhoWaitsLongestForItsClientIsDisplacedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lingering{patience: time.Second}
		var cut []int
		expect := func(again time.Duration, want ...int) {
			t.Helper()
			if _, got := l.displace(); got != again || !slices.Equal(cut, want) {
				t.Errorf("cut are %v, again in %v; want %v, %v", cut, got, want, again)
			}
		}
		expect(time.Second)
		var all []*handshake
		for i := range 4 {
			all = append(all, l.add(context.CancelCauseFunc(func(error) { cut = append(cut, i) })))
		}
		all[0].turn(true)
		all[2].end()
		expect(time.Second) // as long as they have
		<-time.After(time.Second)
		all[0].turn(false) // and has its own time from now on
		expect(time.Second, 1)
		expect(time.Second, 1, 3)
		<-time.After(time.Second / 4)
		expect(time.Second*3/4, 1, 3)
		<-time.After(time.Second * 3 / 4)
		expect(time.Second, 1, 3, 0)
		for _, h := range all {
			h.end() // as they do in the end, also those that were cut
		}
		expect(time.Second, 1, 3, 0)
	})
}
