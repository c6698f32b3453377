package front

import (
	"container/list"
	"sync"
)

// idlers are guests that were answered and have asked nothing more, the longest
// idle first. They are kept as a favour to those who ask again: when the last place
// is taken, the oldest makes room for whoever comes next. Else a request a minute
// would hold a place, and a few addresses all of them.
type idlers struct {
	mu  sync.Mutex
	all list.List // of *guest
}

// rest has a guest stand last.
func (i *idlers) rest(g *guest) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if g.idle == nil {
		g.idle = i.all.PushBack(g)
	}
}

// rise takes a guest out, who asks again or has gone. It reports whether he stood
// there.
func (i *idlers) rise(g *guest) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if g.idle == nil {
		return false
	}
	i.all.Remove(g.idle)
	g.idle = nil
	return true
}

// oldest is who has been idle for the longest, or nil.
func (i *idlers) oldest() *guest {
	i.mu.Lock()
	defer i.mu.Unlock()
	if first := i.all.Front(); first != nil {
		return first.Value.(*guest) //nolint:forcetypeassert // there are no others
	}
	return nil
}

// makeRoom hangs up on the oldest idle guest when there is no place left. He may
// have sent his next request just now, as with any connection that a server keeps
// and then does not; clients ask again.
func (d *Door) makeRoom() {
	if most := d.config.Places.Max; most == 0 || d.config.Places.Shadow || d.places.Held() < most {
		return
	}
	if g := d.idle.oldest(); g != nil && d.idle.rise(g) {
		d.dismissed.Add(1)
		_ = g.Close()
	}
}
