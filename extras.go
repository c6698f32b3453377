package roost

import (
	"slices"
	"sync"
)

// extras is what few channels have: values, intercepted events, somebody who
// waits for their end. A channel without costs nothing for it.
type extras struct {
	intercepted []string // written before the channel is joined
	assigns     Assigns  // owned by the callback that runs

	mu    sync.Mutex
	over  bool          // the context is done; guarded by mu
	done  chan struct{} // made when somebody asks for it; guarded by mu
	after []*func()     // to be called at the end; guarded by mu
}

// extra returns the channel's extras and makes them first if there are none.
func (s *Socket) extra() *extras {
	if x := s.extras.Load(); x != nil {
		return x
	}
	s.extras.CompareAndSwap(nil, new(extras))
	x := s.extras.Load()
	if s.is(cancelled) { // before whoever cancelled could see x
		x.end()
	}
	return x
}

// wait returns a channel that is closed at the end.
func (x *extras) wait() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.done == nil {
		x.done = make(chan struct{})
		if x.over {
			close(x.done)
		}
	}
	return x.done
}

// end makes the end known. Ending again does nothing.
func (x *extras) end() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over {
		return
	}
	x.over = true
	if x.done != nil {
		close(x.done)
	}
	for _, f := range x.after {
		go (*f)() // ends with f, as context.AfterFunc has it
	}
	x.after = nil
}

// then has f called at the end; stop takes that back.
func (x *extras) then(f func()) (stop func() bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over {
		go f() // ends with f
		return func() bool { return false }
	}
	x.after = append(x.after, &f)
	return func() bool { return x.drop(&f) }
}

func (x *extras) drop(f *func()) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := len(x.after)
	x.after = slices.DeleteFunc(x.after, func(g *func()) bool { return g == f })
	return len(x.after) < n
}
