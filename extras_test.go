package roost

import "testing"

// Whoever ends a channel that has no extras leaves nothing behind in them:
// those that are made afterwards, or at the same moment, look for the end.
func TestExtrasThatAreMadeAfterTheEndKnowIt(t *testing.T) {
	var s Socket
	s.cancel()
	select {
	case <-s.context().Done():
	default:
		t.Fatal("the channel has ended, and its context is not done")
	}
	called := make(chan struct{})
	(*callbackContext)(&s).AfterFunc(func() { close(called) })
	<-called
}
