package highwater_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/roostgo/roost/internal/highwater"
)

func TestAMarkIsTheMostThatAnybodyRaisedItTo(t *testing.T) {
	var mark atomic.Int64
	var wait sync.WaitGroup
	for i := range int64(100) {
		wait.Go(func() { highwater.Raise(&mark, i^1) })
	}
	wait.Wait()
	highwater.Raise(&mark, 3)
	if n := mark.Load(); n != 99 {
		t.Errorf("got %d", n)
	}
}
